"""OTLP/JSON requests to the protobuf bytes they stand for, so that everything behind a receiver is one path.

Compiled from the official descriptors: no signal needs a table of its own. Where OTLP/JSON differs from proto3's JSON
(hexadecimal ids, enums as integers only, lowerCamelCase names only) it is done as OTLP says, which is why
`google.protobuf.json_format` will not do.

Source: OTLP specification, JSON Protobuf Encoding; protobuf documentation, ProtoJSON Format.
"""

import json
import struct
from base64 import b64decode
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import ExportProfilesServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runmill.errors import WireError
from runmill.otlp.count import Signal
from runmill.otlp.values import MAX_DEPTH

__all__ = ["to_protobuf"]

_REQUESTS: Final[dict[Signal, Descriptor]] = {
    "logs": ExportLogsServiceRequest.DESCRIPTOR,
    "metrics": ExportMetricsServiceRequest.DESCRIPTOR,
    "traces": ExportTraceServiceRequest.DESCRIPTOR,
    "profiles": ExportProfilesServiceRequest.DESCRIPTOR,
}
_ID_NAMES: Final = frozenset({"traceId", "spanId", "parentSpanId", "profileId"})
_ANY_VALUE: Final = "opentelemetry.proto.common.v1.AnyValue"
_SHOWN_CHARACTERS: Final = 60

_Encode: TypeAlias = Callable[[Any, int], bytes]
"""A JSON value, at a depth of AnyValues, to what follows a field's tag."""


class _Field(NamedTuple):
    tag: bytes
    encode: _Encode
    is_repeated: bool


class _Mistake(Exception):  # noqa: N818 - never leaves this module
    """What is wrong; who hands it on adds where."""

    def __init__(self, value: object, expected: str) -> None:
        super().__init__(f"{_shown(value)} is not {expected}")
        self.path = ""


def _shown(value: object) -> str:
    """Show a value of any size or depth in a few characters."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}..."
    return repr(value)


def to_protobuf(signal: Signal, payload: bytes) -> bytes:
    """Give the Export*ServiceRequest in protobuf that *payload* is in JSON. Names it does not know are left out.

    Raises:
        WireError: It is no JSON, or not that of such a request; the text says where.
    """
    document = _load(payload)
    try:
        return _message(_REQUESTS[signal], document, 0)
    except _Mistake as mistake:
        where = mistake.path.removeprefix(".") or "the request"
        raise WireError(f"OTLP/JSON {signal}: {where}: {mistake}") from None


def _load(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        # JavaScript's senders write half surrogate pairs and Python's write NaN: strictly wrong, and no reason to
        # lose a thousand good records. The standard library takes them.
        try:
            return json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise WireError(f"OTLP/JSON: {len(payload)} bytes are not JSON: {error}") from error


def _message(descriptor: Descriptor, value: object, depth: int) -> bytes:
    if not isinstance(value, dict):
        raise _Mistake(value, "an object")
    fields, parts = _fields(descriptor), []
    for name, item in value.items():
        field = fields.get(name)
        if field is None or item is None:
            continue
        try:
            parts.append(_repeated(field, item, depth) if field.is_repeated else field.tag + field.encode(item, depth))
        except _Mistake as mistake:
            mistake.path = f".{name}{mistake.path}"
            raise
    return b"".join(parts)


def _repeated(field: _Field, items: object, depth: int) -> bytes:
    if not isinstance(items, list):
        raise _Mistake(items, "an array")
    parts = []
    for place, item in enumerate(items):
        try:
            parts.append(field.tag + field.encode(item, depth))
        except _Mistake as mistake:
            mistake.path = f"[{place}]{mistake.path}"
            raise
    return b"".join(parts)


@cache  # as many as OTLP has messages
def _fields(descriptor: Descriptor) -> dict[str, _Field]:
    proto = DescriptorProto()
    descriptor.CopyToProto(proto)  # a label is told differently by each version of a FieldDescriptor, but not here
    repeated = {field.name for field in proto.field if field.label == FieldDescriptorProto.LABEL_REPEATED}
    return {field.json_name: _field(field, is_repeated=field.name in repeated) for field in descriptor.fields}


def _field(field: FieldDescriptor, *, is_repeated: bool) -> _Field:
    if field.message_type is not None:
        wire_type, encode = _LENGTH_DELIMITED, _submessage(field.message_type)
    elif field.json_name in _ID_NAMES:
        wire_type, encode = _LENGTH_DELIMITED, _delimited(_hexadecimal)
    else:
        wire_type, encode = _SCALARS[field.type]
    return _Field(_varint(field.number << 3 | wire_type), encode, is_repeated)


def _submessage(descriptor: Descriptor) -> _Encode:
    is_any_value = descriptor.full_name == _ANY_VALUE

    def encode(value: object, depth: int) -> bytes:
        if is_any_value:
            depth += 1
            if depth > MAX_DEPTH:
                value = {"stringValue": f"[cut: nested deeper than {MAX_DEPTH} levels]"}
        encoded = _message(descriptor, value, depth)
        return _varint(len(encoded)) + encoded

    return encode


def _delimited(read: Callable[[Any], bytes]) -> _Encode:
    def encode(value: object, _depth: int) -> bytes:
        encoded = read(value)
        return _varint(len(encoded)) + encoded

    return encode


def _text(value: object) -> bytes:
    if not isinstance(value, str):
        raise _Mistake(value, "a string")
    return value.encode("utf-8", "replace")  # half a surrogate pair has no bytes


def _hexadecimal(value: object) -> bytes:
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]  # a TypeError is one of the mistakes
    except (TypeError, ValueError):
        raise _Mistake(value, "an id in hexadecimal digits") from None


def _base64(value: object) -> bytes:
    try:
        text = value.translate(_URL_SAFE).rstrip("=")  # type: ignore[attr-defined]  # an AttributeError is a mistake
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (AttributeError, ValueError):
        raise _Mistake(value, "base64") from None


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _integer(bits: int, *, is_signed: bool) -> Callable[[Any], int]:
    low = -(1 << bits - 1) if is_signed else 0
    high = low + (1 << bits)
    expected = f"{'a signed' if is_signed else 'an unsigned'} integer of {bits} bits"

    def read(value: object) -> int:
        number = _whole(value)
        if number is None or not low <= number < high:
            raise _Mistake(value, expected)
        return number

    return read


def _whole(value: object) -> int | None:
    """Give the integer a JSON value stands for: a number, or a string as JavaScript has no 64 bits."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 20 else None  # noqa: PLR2004 - the digits of 2**64
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: object) -> int:
    if not isinstance(value, bool):
        raise _Mistake(value, "true or false")
    return int(value)


def _double(value: object) -> float:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)  # "NaN" and "Infinity" are spelled as Python reads them
        except (ValueError, OverflowError):
            pass
    raise _Mistake(value, "a number")


def _varint(number: int) -> bytes:
    """Encode *number*; a negative one as its 64-bit complement."""
    number &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 ^ number >> 63)


def _number(wire_type: int, read: Callable[[Any], Any], write: Callable[[Any], bytes]) -> tuple[int, _Encode]:
    return wire_type, lambda value, _depth: write(read(value))


_VARINT, _EIGHT_BYTES, _LENGTH_DELIMITED, _FOUR_BYTES = 0, 1, 2, 5

_SCALARS: Final[dict[int, tuple[int, _Encode]]] = {
    FieldDescriptor.TYPE_BOOL: _number(_VARINT, _boolean, _varint),
    FieldDescriptor.TYPE_ENUM: _number(_VARINT, _integer(32, is_signed=True), _varint),
    FieldDescriptor.TYPE_INT32: _number(_VARINT, _integer(32, is_signed=True), _varint),
    FieldDescriptor.TYPE_INT64: _number(_VARINT, _integer(64, is_signed=True), _varint),
    FieldDescriptor.TYPE_SINT32: _number(_VARINT, _integer(32, is_signed=True), _zigzag),
    FieldDescriptor.TYPE_UINT32: _number(_VARINT, _integer(32, is_signed=False), _varint),
    FieldDescriptor.TYPE_UINT64: _number(_VARINT, _integer(64, is_signed=False), _varint),
    FieldDescriptor.TYPE_FIXED32: _number(_FOUR_BYTES, _integer(32, is_signed=False), struct.Struct("<I").pack),
    FieldDescriptor.TYPE_FIXED64: _number(_EIGHT_BYTES, _integer(64, is_signed=False), struct.Struct("<Q").pack),
    FieldDescriptor.TYPE_SFIXED64: _number(_EIGHT_BYTES, _integer(64, is_signed=True), struct.Struct("<q").pack),
    FieldDescriptor.TYPE_DOUBLE: _number(_EIGHT_BYTES, _double, struct.Struct("<d").pack),
    FieldDescriptor.TYPE_STRING: (_LENGTH_DELIMITED, _delimited(_text)),
    FieldDescriptor.TYPE_BYTES: (_LENGTH_DELIMITED, _delimited(_base64)),
}
