"""Any Python value as a plain one that a journal can hold and OTLP can carry. Total: it never raises.

Types are kept as far as OTLP has them: numbers, text, bytes, lists, maps. The rest becomes text, cut to a limit.
"""

import dataclasses
import datetime as dt
import decimal
import enum
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

__all__ = ["PLAIN_TYPES", "plain"]

PLAIN_TYPES: Final = frozenset({str, int, float, bool, bytes, type(None)})
"""What needs no conversion. By exact type: a subclass may be an Enum, a NumPy scalar, anything."""

_MOST_REPR_CHARS: Final = 10_000
_MOST_DEPTH: Final = 16
_MOST_VALUES: Final = 10_000
"""Objects in one value that are looked into."""

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


def plain(value: Any) -> Any:
    """Give *value* in plain types; what has none as its repr, what is nested too deep or too much as an ellipsis."""
    if type(value) in PLAIN_TYPES:
        return value
    return _Conversion().convert(value, 0)


class _Conversion:
    """One value's conversion: bounded in depth and in size, so that an object that holds itself ends it too."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def convert(self, value: Any, depth: int) -> Any:
        if type(value) in PLAIN_TYPES:
            return value
        self._left -= 1
        if depth > _MOST_DEPTH or self._left < 0:
            return "..."
        try:
            return self._convert_object(value, depth + 1)
        except Exception as error:  # noqa: BLE001 - the value's own code: whatever it does, the record must arrive
            return f"<{type(value).__qualname__} that cannot be shown: {type(error).__name__}>"

    def _convert_object(self, value: Any, depth: int) -> Any:
        if isinstance(value, enum.Enum):
            return self.convert(value.value, depth)
        # A NumPy, torch or JAX scalar, by its shape: none of those packages is imported here.
        if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):
            return self.convert(item(), depth)
        for kinds, convert in _CONVERSIONS:
            if isinstance(value, kinds):
                return convert(value)
        return self._convert_container(value, depth)

    def _convert_container(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._convert_items(value.items(), depth)
        if isinstance(value, list | tuple | AbstractSet):
            return [self.convert(item, depth) for item in value]
        if not isinstance(value, type):
            if dataclasses.is_dataclass(value):
                names = [field.name for field in dataclasses.fields(value)]
                return self._convert_items(((name, getattr(value, name)) for name in names), depth)
            if hasattr(value, "__attrs_attrs__"):
                names = [field.name for field in value.__attrs_attrs__]
                return self._convert_items(((name, getattr(value, name)) for name in names), depth)
        return repr(value)[:_MOST_REPR_CHARS]

    def _convert_items(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        return {key if type(key) is str else str(key): self.convert(item, depth) for key, item in items}
