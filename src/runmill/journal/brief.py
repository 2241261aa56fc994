"""A log record in brief: what costs the caller's thread least, put together again by whoever reads the journal.

What is the same each time a line of the program logs is kept once, in `places`; the record has the number of its place.
A message with arguments is not formatted: the arguments are kept, where `marshal` can keep them, and the reader puts
them in. What then remains is packed by hand: `marshal` begins with a buffer of 50 bytes, and to enlarge it costs more
than all the rest of a short frame.
"""

import struct
from collections.abc import Mapping
from marshal import loads
from typing import Any, Final, TypeAlias

from runmill.journal.records import LOG, Record

__all__ = [
    "ARGUMENTS",
    "MARSHAL_VERSION",
    "PLACE_BYTES",
    "TEXT",
    "Body",
    "Place",
    "Rest",
    "format_fault",
    "is_brief",
    "pack_head",
    "unpack_brief",
    "whole",
]

TEXT: Final = 4
ARGUMENTS: Final = 5
"""What the body of a log in brief is, in place of a record's kind. A reader gives neither: it gives a Log."""

# Version 2 of the format: later ones keep a table of references, which costs half as much again and saves nothing here.
MARSHAL_VERSION: Final = 2

Place: TypeAlias = "tuple[Any, ...]"
"""What logs have in common: (run_key, logger, levelno, level_name, file_path, line_number, function_name, thread_id,
thread_name, template). The last is the message, where the body is its marshalled arguments; the others as in Log."""

PLACE_BYTES: Final = 128
"""About what a place takes."""

_NOWHERE: Final[Place] = (None, "", 0, "", "", 0, "", 0, "", None)
_NOWHERE_WITH_ARGUMENTS: Final[Place] = (*_NOWHERE[:-1], "")
"""No arguments fit the empty message: they are shown beside it."""

Body: TypeAlias = Any
"""The body of a Log, or the marshalled arguments for the template of its place."""

Rest: TypeAlias = "dict[str, Any] | tuple[Any, ...] | None"
"""The attributes; where there is more: (attributes, trace_id, span_id, trace_flags, dropped_attributes_count)."""

_HEAD: Final = struct.Struct("<BIdI")
_HEAD_BYTES: Final = _HEAD.size
_unpack_head: Final = _HEAD.unpack_from

pack_head: Final = _HEAD.pack
"""(TEXT or ARGUMENTS, number of the place, time, bytes of the body); the body and the marshalled rest come behind."""


def is_brief(payload: bytes) -> bool:
    """Tell a log in brief from what `marshal` wrote, which begins with a letter."""
    return payload[0] <= ARGUMENTS


def unpack_brief(payload: bytes, places: Mapping[int, Place]) -> Record:
    """Give the Log, without a place where *places* has it no more, as after a power failure."""
    kind, number, time, body_bytes = _unpack_head(payload)
    end = _HEAD_BYTES + body_bytes
    body: Body = payload[_HEAD_BYTES:end]
    rest = loads(payload[end:]) if end < len(payload) else None  # noqa: S302 - our own file, and the checksum holds
    if kind == TEXT:
        return whole(places.get(number, _NOWHERE), time, body.decode(), rest)
    return whole(places.get(number, _NOWHERE_WITH_ARGUMENTS), time, body, rest)


def whole(place: Place, time: float, body: Body, rest: Rest) -> Record:
    """Put a Log together. Arguments that do not fit their template are beside it in the Log, and said not to."""
    run_key, logger, levelno, level_name, path, line, function, thread_id, thread_name, template = place
    attributes, trace_id, span_id, flags, dropped_count = rest if type(rest) is tuple else (rest, None, None, 0, 0)
    if template is not None:
        args = loads(body)  # noqa: S302 - as above
        try:
            body = template % args
        except Exception as error:  # noqa: BLE001 - whatever formatting raises: the record must arrive
            body, attributes = template, {**(attributes or {}), **format_fault(error, args)}
    return (LOG, time, run_key, logger, levelno, level_name, body, attributes, path, line, function,
            thread_id, thread_name, trace_id, span_id, flags, dropped_count)  # fmt: skip


def format_fault(error: Exception, args: Any) -> dict[str, Any]:
    """Give the attributes of a log whose message and arguments, in plain values, do not fit."""
    return {"log.format_error": f"{type(error).__name__}: {error}", "log.args": args}
