"""The columns of a server's points, of which those of numbers come as the bytes of an array."""

import binascii
import sys
from array import array
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["unpacked"]

_CODES: Final = {"float64": "d", "int64": "q"}
_COLUMNS: Final = ("index", "step", "time_unix_nano", "value")
_NON_FINITE: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def unpacked(points: Mapping[str, Any]) -> dict[str, Any]:
    """Give an item of ``GET /runs/{run_id}/points`` with its columns as lists or arrays."""
    columns = {name: _numbers(points[name]) for name in _COLUMNS}
    if isinstance(points["value"], list):
        columns["value"] = [_NON_FINITE.get(each, each) if type(each) is str else each for each in points["value"]]
    return {**points, **columns}


def _numbers(column: Any) -> Any:
    if not isinstance(column, dict):
        return column
    [(word, text)] = column.items()
    numbers = array(_CODES[word])
    numbers.frombytes(binascii.a2b_base64(text))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
