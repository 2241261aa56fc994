"""The pieces an OTLP message is put together from, as bytes: fields, attributes, values.

Source: protobuf's wire format; opentelemetry/proto/common/v1.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

__all__ = [
    "INT64_MAX",
    "INT64_MIN",
    "any_value",
    "double",
    "field",
    "fixed32",
    "fixed64",
    "key_value",
    "key_values",
    "large_integer",
    "sfixed64",
    "utf8",
    "varint",
]

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
_UINT64_MASK: Final = (1 << 64) - 1

fixed64: Final = struct.Struct("<Q").pack
sfixed64: Final = struct.Struct("<q").pack
fixed32: Final = struct.Struct("<I").pack
double: Final = struct.Struct("<d").pack


def key_values(tag: bytes, attributes: Mapping[str, Any]) -> bytes:
    """Encode attributes, each a KeyValue as field *tag*."""
    return b"".join([key_value(tag, key, value) for key, value in attributes.items()])


def key_value(tag: bytes, key: str, value: Any) -> bytes:
    """Encode a KeyValue { key = 1, value = 2 } as field *tag*."""
    encoded = any_value(value)
    pair = _key(key) + b"\x12" + varint(len(encoded)) + encoded
    return tag + varint(len(pair)) + pair


@lru_cache(maxsize=4096)
def _key(key: str) -> bytes:
    return field(b"\x0a", utf8(key))


def any_value(value: Any) -> bytes:
    """Encode an AnyValue; the value is one that a journal can hold, and anything else its repr."""
    encoder = _ENCODERS.get(type(value))
    return encoder(value) if encoder is not None else _text(repr(value))


def _text(value: str) -> bytes:
    encoded = utf8(value)
    return b"\x0a" + varint(len(encoded)) + encoded


def _integer(value: int) -> bytes:
    if INT64_MIN <= value <= INT64_MAX:
        return b"\x18" + varint(value & _UINT64_MASK)
    return _text(large_integer(value))


def large_integer(value: int) -> str:
    """Write an integer that OTLP has no number for: as text no digit is lost."""
    try:
        return str(value)
    except ValueError:  # Python writes no more than 4300 digits in decimal
        return hex(value)


def _array(values: Iterable[Any]) -> bytes:
    return field(b"\x2a", b"".join([field(b"\x0a", any_value(value)) for value in values]))


def _mapping(mapping: Mapping[Any, Any]) -> bytes:
    pairs = [key_value(b"\x0a", key if type(key) is str else str(key), value) for key, value in mapping.items()]
    return field(b"\x32", b"".join(pairs))


def utf8(text: str) -> bytes:
    """Encode text; it never fails."""
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates: written out, where protobuf would refuse the whole batch
        return text.encode(errors="backslashreplace")


def field(tag: bytes, encoded: bytes) -> bytes:
    """Encode a length-delimited field; *tag* is its number and wire type as they are on the wire."""
    return tag + varint(len(encoded)) + encoded


def varint(number: int) -> bytes:
    """Encode an unsigned number."""
    if number < len(_VARINTS):
        return _VARINTS[number]
    return _long_varint(number)


def _long_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_VARINTS: Final = tuple(_long_varint(number) for number in range(4096))

_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    str: _text,
    bool: lambda value: b"\x10\x01" if value else b"\x10\x00",
    int: _integer,
    float: lambda value: b"\x21" + double(value),
    bytes: lambda value: field(b"\x3a", value),
    list: _array,
    tuple: _array,
    dict: _mapping,
    type(None): lambda _: b"",
}
