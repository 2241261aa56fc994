r"""One value on its three ways: OTLP's AnyValue, a Python value, the JSON text a column holds.

JSON has no bytes, no NaN and no infinities; they are written as objects of one key, and a real map that looks like
one of these is wrapped:

```text
b"\x01"           {"$bytes": "AQ=="}
nan, inf, -inf    {"$double": "NaN"}, {"$double": "Infinity"}, {"$double": "-Infinity"}
{"$bytes": "x"}   {"$map": {"$bytes": "x"}}
```

Integers keep their 64 bits and doubles their point (``1.0``). What arrives is never refused for what is in it: bytes
that are no AnyValue stay bytes, text that is no UTF-8 gets replacement characters, and what is nested too deep becomes
a text that says how much was cut.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from math import isfinite, isnan
from typing import Any, Final

import orjson
from google.protobuf.message import DecodeError

from runmill.model import Attributes, AttributeValue
from runmill.otlp.schema import AnyValue, ArrayValue, KeyValue, KeyValueList, Message

__all__ = ["MAX_DEPTH", "UNDECODABLE", "decode_attributes", "decode_key_value", "decode_value", "dumps", "dumps_object"]

MAX_DEPTH: Final = 30
"""Arrays and maps inside one another; deeper ones are cut. Protobuf's own parsers stop at 100 messages inside one
another, and a map costs three."""

UNDECODABLE: Final = "$undecodable"
"""The key of an attribute that was no KeyValue; its value is the bytes that were there."""

_RESERVED: Final = frozenset({"$bytes", "$double", "$map"})


def decode_value(value: Message | bytes) -> AttributeValue:
    """Give the Python value of an AnyValue, parsed or in bytes; bytes that are none come back as they are."""
    return _decode_bytes(value, 0) if isinstance(value, bytes) else _decode(value, 0)


def decode_key_value(raw: bytes) -> tuple[str, AttributeValue]:
    """Give key and value of one attribute."""
    return _decode_key_value(raw, 0)


def decode_attributes(raws: Iterable[bytes]) -> dict[str, AttributeValue]:
    """Give attributes by key; of a key that is there twice, the last value."""
    return dict(map(decode_key_value, raws))


def dumps(value: AttributeValue) -> bytes:
    """Write a value as JSON (UTF-8, no white space)."""
    if type(value) is int:
        return b"%d" % value  # what changes from record to record is mostly a counter; orjson takes twice as long
    return orjson.dumps(_plain(value))


def dumps_object(members: Attributes) -> bytes:
    """Write attributes as a JSON object: never wrapped, as a column of attributes holds nothing but objects."""
    return orjson.dumps({key: _plain(value) for key, value in members.items()})


def _decode_bytes(raw: bytes, depth: int) -> AttributeValue:
    try:
        return _decode(AnyValue.FromString(raw), depth)
    except DecodeError:
        return raw


def _decode(message: Message, depth: int) -> AttributeValue:
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    value: Any = getattr(message, kind)
    if kind == "string_value":
        return str(value, "utf-8", "replace")
    if kind in {"array_value", "kvlist_value"}:
        return _decode_nested(kind, value, depth + 1)
    return value  # type: ignore[no-any-return]  # bool, int, float or bytes, by the schema


def _decode_nested(kind: str, raw: bytes, depth: int) -> AttributeValue:
    if depth > MAX_DEPTH:
        return f"[cut: {len(raw)} bytes nested deeper than {MAX_DEPTH} levels]"
    try:
        if kind == "array_value":
            return [_decode(item, depth) for item in ArrayValue.FromString(raw).values]
        return dict(_decode_key_value(item, depth) for item in KeyValueList.FromString(raw).values)
    except DecodeError:
        return raw


def _decode_key_value(raw: bytes, depth: int) -> tuple[str, AttributeValue]:
    try:
        pair = KeyValue.FromString(raw)
    except DecodeError:
        return UNDECODABLE, raw
    return str(pair.key, "utf-8", "replace"), _decode(pair.value, depth)


def _plain(value: AttributeValue) -> object:
    """Replace what JSON cannot say."""
    if isinstance(value, str | int):
        return value  # nearly always
    if isinstance(value, float):
        return value if isfinite(value) else {"$double": _name(value)}
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, Mapping):
        mapped = {key: _plain(item) for key, item in value.items()}
        return {"$map": mapped} if len(mapped) == 1 and not _RESERVED.isdisjoint(mapped) else mapped
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _name(value: float) -> str:
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
