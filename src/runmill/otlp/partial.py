"""What a receiver did not take of a request that it accepted: the partial success of an Export response.

By hand, since the app side has no protobuf library: one nested message with a number and a text.
Source: opentelemetry/proto/collector/{logs,metrics}/v1, Export*PartialSuccess; OTLP specification, Partial Success.
"""

import json
from dataclasses import dataclass
from typing import Final

__all__ = ["PartialSuccess", "decode_partial_success", "parse_partial_success"]

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
_SIZES: Final = {_FIXED64: 8, _FIXED32: 4}


@dataclass(frozen=True, slots=True)
class PartialSuccess:
    """How many records were not taken, and the receiver's words; 0 with words is a warning."""

    rejected_count: int = 0
    message: str = ""


def decode_partial_success(response: bytes) -> PartialSuccess | None:
    """Read an Export*ServiceResponse; None when all was taken, or when the bytes are no such response."""
    try:
        inner = _fields(response).get(1)
        if not isinstance(inner, bytes):
            return None
        fields = _fields(inner)
        count, message = fields.get(1, 0), fields.get(2, b"")
    except IndexError:
        return None
    if not isinstance(count, int) or not isinstance(message, bytes) or not (count or message):
        return None
    return PartialSuccess(count, message.decode(errors="replace"))


def parse_partial_success(response: bytes) -> PartialSuccess | None:
    """Read the same in OTLP/JSON; None when all was taken, or when the text is no such response."""
    try:
        said = json.loads(response)["partialSuccess"]
        count = next((int(value) for name, value in said.items() if name.startswith("rejected")), 0)
        message = str(said.get("errorMessage", ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return PartialSuccess(count, message) if count or message else None


def _fields(message: bytes) -> dict[int, int | bytes]:
    """Give the last value of each field by its number. Raises IndexError where the bytes end too early."""
    fields: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            fields[tag >> 3], at = _varint(message, at)
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise IndexError(at)
        if at + size > len(message):
            raise IndexError(at)
        fields[tag >> 3] = message[at : at + size]
        at += size
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no high bit
            return number, at
