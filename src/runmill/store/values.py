"""AnyValues as they stand in text columns: JSON, with a spelling for what JSON cannot say.

Bytes are ``{"$bytes": BASE64}``, the numbers JSON lacks ``{"$double": "NaN" | "Infinity" | "-Infinity"}``, and a real
map that looks like one of these (or like this) is ``{"$map": MAP}``. Written by ``runmill.otlp.values``.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from runmill.model import Attributes, AttributeValue

__all__ = ["decode", "decode_attributes"]

_DOUBLES: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def decode(text: str) -> AttributeValue:
    """Give the value that *text* stands for."""
    value: AttributeValue = orjson.loads(text)
    return _restored(value) if '"$' in text else value  # nearly no text has anything to look for


def decode_attributes(text: str) -> Attributes:
    """Give the map that *text* stands for: a JSON object by the tables' definition."""
    value = decode(text)
    return value if isinstance(value, Mapping) else {}


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(key, inner)] = value.items()
        if key in _SPELLINGS:
            return _SPELLINGS[key](value, inner)
    return _restored_map(value)


def _restored_map(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _restored(inner) for key, inner in value.items()}


# A spelling that we never write is taken for the map it is.


def _bytes(whole: dict[str, Any], inner: Any) -> Any:
    try:
        return base64.b64decode(inner, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return _restored_map(whole)


def _double(whole: dict[str, Any], inner: Any) -> Any:
    return _DOUBLES[inner] if isinstance(inner, str) and inner in _DOUBLES else _restored_map(whole)


def _map(whole: dict[str, Any], inner: Any) -> Any:
    return _restored_map(inner if isinstance(inner, dict) else whole)


_SPELLINGS: Final[dict[str, Callable[[dict[str, Any], Any], Any]]] = {
    "$bytes": _bytes,
    "$double": _double,
    "$map": _map,
}
