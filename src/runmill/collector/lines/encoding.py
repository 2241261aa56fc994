"""Gathered lines to the bytes of OTLP, by putting cached bytes together.

Of a plain line nothing changes but its text and its time. Proven equal to `opentelemetry-proto` by tests.
Source of the field numbers: opentelemetry/proto/logs/v1.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, TypeAlias, cast

from runmill.collector.lines.entry import Entry, Gathered, Line
from runmill.otlp.wire import any_value, field, fixed32, fixed64, key_values, utf8, varint

__all__ = ["Origin", "encode"]

_STREAM: Final = "log.iostream"
"""Source: OpenTelemetry semantic conventions, General logs attributes."""
_ATTRIBUTES_TAG: Final = b"\x32"
_time: Final = struct.Struct("<BQ").pack
"""A fixed64 field with its tag."""

_Resource: TypeAlias = tuple[tuple[str, str], ...]


class Origin:
    """Where lines come from: the resource they share, and the attributes each of them has."""

    __slots__ = ("_attributes", "_resource", "_resources")

    def __init__(self, resource: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
        self._resource = dict(resource)
        self._attributes = key_values(_ATTRIBUTES_TAG, attributes)
        self._resources: dict[_Resource, bytes] = {}

    def tail(self, stream: str | None, observed_unix_nano: int) -> bytes:
        """Give what every record of a stream ends with."""
        streamed = key_values(_ATTRIBUTES_TAG, {_STREAM: stream}) if stream else b""
        return self._attributes + streamed + b"\x59" + fixed64(observed_unix_nano)

    def resource(self, more: _Resource) -> bytes:
        """Give field 1 (resource) of ResourceLogs, with what an entry knows beyond its source."""
        encoded = self._resources.get(more)
        if encoded is None:
            encoded = field(b"\x0a", key_values(b"\x0a", {**self._resource, **dict(more)}))
            self._resources[more] = encoded
        return encoded


def encode(gathered: Sequence[Gathered], origin: Origin, *, observed_unix_nano: int) -> bytes:
    """Give an ExportLogsServiceRequest of *gathered*, in its order; b"" for none.

    Requests one after another are one request.
    """
    tails = _Tails(origin, observed_unix_nano)
    request = list[bytes]()
    if Entry not in set(map(type, gathered)):
        lines = cast("Sequence[Line]", gathered)
        records = b"".join(_lines(lines, tails))
        return field(b"\x0a", origin.resource(()) + field(b"\x12", _scope("") + records)) if records else b""
    for resource, of_resource in groupby(gathered, _resource_of):
        scopes = [origin.resource(resource)]
        for scope, of_scope in groupby(of_resource, _scope_of):
            scopes.append(field(b"\x12", _scope(scope) + b"".join(_records(of_scope, tails))))
        request.append(field(b"\x0a", b"".join(scopes)))
    return b"".join(request)


class _Tails(dict[str | None, bytes]):
    """By stream, made when it is first asked for."""

    def __init__(self, origin: Origin, observed_unix_nano: int) -> None:
        super().__init__()
        self._origin, self._observed_unix_nano = origin, observed_unix_nano

    def __missing__(self, stream: str | None) -> bytes:
        made = self[stream] = self._origin.tail(stream, self._observed_unix_nano)
        return made


def _resource_of(gathered: Gathered) -> _Resource:
    return gathered.resource if isinstance(gathered, Entry) else ()


def _scope_of(gathered: Gathered) -> str:
    return gathered.scope if isinstance(gathered, Entry) else ""


@lru_cache(maxsize=1024)
def _scope(name: str) -> bytes:
    return field(b"\x0a", field(b"\x0a", utf8(name)))


def _records(gathered: Iterable[Gathered], tails: _Tails) -> Iterator[bytes]:
    for one in gathered:
        if isinstance(one, Entry):
            yield _entry(one, tails[one.stream])
        else:
            yield from _lines((one,), tails)


def _lines(lines: Iterable[Line], tails: _Tails) -> list[bytes]:
    """Encode LogRecords as fields 2 (log_records) of ScopeLogs: time = 1, body = 5, tail."""
    encoded = list[bytes]()
    for _, _, time_unix_nano, stream, text in lines:  # all in one loop: a call a line would cost a fifth of it
        size = len(text)
        head = _BODY_HEADS[size] if size < _HEADS_KEPT else _body_head(size)
        record = (_time(0x09, time_unix_nano) if time_unix_nano else b"") + head + text + tails[stream]
        size = len(record)
        encoded.append((_RECORD_HEADS[size] if size < _HEADS_KEPT else _record_head(size)) + record)
    return encoded


def _entry(entry: Entry, tail: bytes) -> bytes:
    record = b"".join(
        (
            b"\x09" + fixed64(entry.time_unix_nano) if entry.time_unix_nano else b"",
            _severity(entry.severity_number, entry.severity_text),
            field(b"\x2a", any_value(entry.body)),
            key_values(_ATTRIBUTES_TAG, entry.attributes),
            b"\x38" + varint(entry.dropped_attributes_count) if entry.dropped_attributes_count else b"",
            b"\x45" + fixed32(entry.trace_flags) if entry.trace_flags else b"",
            field(b"\x4a", bytes.fromhex(entry.trace_id)) if entry.trace_id else b"",
            field(b"\x52", bytes.fromhex(entry.span_id)) if entry.span_id else b"",
            field(b"\x62", utf8(entry.event_name)) if entry.event_name else b"",
            tail,
        )
    )
    return b"\x12" + varint(len(record)) + record


@lru_cache(maxsize=256)
def _severity(number: int, text: str) -> bytes:
    return (b"\x10" + varint(number) if number else b"") + (field(b"\x1a", utf8(text)) if text else b"")


def _body_head(size: int) -> bytes:
    """Give what stands before a body of *size* bytes of text: field 5, an AnyValue, its string_value."""
    inner = b"\x0a" + varint(size)
    return b"\x2a" + varint(len(inner) + size) + inner


def _record_head(size: int) -> bytes:
    return b"\x12" + varint(size)


_HEADS_KEPT: Final = 4096
_BODY_HEADS: Final = tuple(map(_body_head, range(_HEADS_KEPT)))
_RECORD_HEADS: Final = tuple(map(_record_head, range(_HEADS_KEPT)))
