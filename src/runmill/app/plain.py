"""Any Python value as a plain one that a journal can hold and OTLP can carry. Total: it never raises.

Types are kept as far as OTLP has them: numbers, text, bytes, lists, maps. The rest becomes text, cut to a limit.
"""

import dataclasses
import datetime as dt
import decimal
import enum
import os
import uuid
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

__all__ = ["PLAIN_TYPES", "plain"]

PLAIN_TYPES: Final = frozenset({str, int, float, bool, bytes, type(None)})
"""What needs no conversion. By exact type: a subclass may be an Enum, a NumPy scalar, anything."""

_MOST_REPR_CHARS: Final = 10_000
_MOST_DEPTH: Final = 16

_CONVERSIONS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...]] = (
    ((dt.datetime, dt.date, dt.time), lambda value: value.isoformat()),
    (dt.timedelta, lambda value: value.total_seconds()),
    ((decimal.Decimal, uuid.UUID), str),
    (os.PathLike, os.fspath),
    ((bytearray, memoryview), bytes),
    (bytes, bytes),
    (str, str.__str__),
    (int, int),
    (float, float),
)
"""Tried in this order; the last ones take subclasses (np.float64, markup) back to the type itself."""


def plain(value: Any, depth: int = 0) -> Any:
    """Give *value* in plain types; what has none as its repr, what is nested too deep as an ellipsis."""
    if type(value) in PLAIN_TYPES:
        return value
    if depth > _MOST_DEPTH:
        return "..."
    try:
        return _convert(value, depth)
    except Exception as error:  # noqa: BLE001 - the value's own code: whatever it does, the record must arrive
        return f"<{type(value).__qualname__} that cannot be shown: {type(error).__name__}>"


def _convert(value: Any, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    # A NumPy, torch or JAX scalar, by its shape: none of those packages is imported here.
    if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):
        return plain(item(), depth + 1)
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    return _convert_container(value, depth)


def _convert_container(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {key if type(key) is str else str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [plain(item, depth + 1) for item in value]
    if not isinstance(value, type):
        if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value)}
        if hasattr(value, "__attrs_attrs__"):
            return {field.name: plain(getattr(value, field.name), depth + 1) for field in value.__attrs_attrs__}
    return repr(value)[:_MOST_REPR_CHARS]
