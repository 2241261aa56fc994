"""Columns of numbers as the bytes of an array: a hundred thousand are read in a fifth of the time their digits take."""

import base64
import sys
from array import array
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from runmill.model import MetricPoints

__all__ = ["packed"]

_NAMES: Final = tuple(field.name for field in fields(MetricPoints))
_items_of: Final = attrgetter(*_NAMES)
_COLUMNS: Final = frozenset({"index", "step", "time_unix_nano", "value"})
_CODES: Final[dict[type, str]] = {float: "d", int: "q"}
_WORDS: Final = {"d": "float64", "q": "int64"}


def packed(points: MetricPoints) -> dict[str, Any]:
    """Give *points* by field name, each column of nothing but floats or ints as ``{"float64" | "int64": BASE64}``.

    The bytes are little-endian. Any other column stays a list.
    """
    items = zip(_NAMES, _items_of(points), strict=True)
    return {name: _packed(item) if name in _COLUMNS else item for name, item in items}


def _packed(column: "list[Any] | array[Any] | None") -> list[Any] | dict[str, str] | None:
    numbers = column if isinstance(column, array) else _array(column)
    if numbers is None:
        return column  # type: ignore[return-value]  # an array is never None
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return {_WORDS[numbers.typecode]: base64.b64encode(numbers).decode("ascii")}


def _array(column: list[Any] | None) -> "array[Any] | None":
    """Give a column of nothing but floats, or nothing but ints, as an array; any other as None."""
    types = set(map(type, column or ()))
    code = _CODES.get(types.pop()) if len(types) == 1 else None
    return array(code, column or ()) if code else None
