"""Python lists to Arrow columns, where text may not be text and most columns are the same for a thousand rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["repeated", "table", "text", "times", "times_or_null"]


def text(values: Sequence[bytes | str | None]) -> pa.Array:
    """Give a string column; bytes that are no UTF-8 get replacement characters."""
    try:
        return pa.array(values, pa.string())  # checks the bytes in C: nearly always they are right
    except pa.ArrowInvalid:
        return pa.array([str(v, "utf-8", "replace") if isinstance(v, bytes) else v for v in values], pa.string())


def times(values: Sequence[int], otherwise: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64]:
    """Give times as they are where there are any, *otherwise* elsewhere: for 0 (not said) and beyond the year 2262."""
    given = np.array(values, dtype=np.int64)
    return np.where(given > 0, given, otherwise)


def times_or_null(values: Sequence[int]) -> pa.Array:
    """Give times as they are where there are any, null elsewhere."""
    given = np.array(values, dtype=np.int64)
    return pa.array(given, pa.int64(), mask=given <= 0)


def repeated(values: Sequence[object], rows: npt.NDArray[np.int64], type_: pa.DataType | None = None) -> pa.Array:
    """Give a column (of text, if no type is given) whose row *i* is ``values[rows[i]]``."""
    return pa.array(values, type_ or pa.string()).take(pa.array(rows))


def table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Make a table of *schema*: each column by its name, as an Arrow array or anything Arrow makes one of."""
    arrays = [
        column if isinstance(column := columns[field.name], pa.Array) else pa.array(column, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
