"""Arrow columns where text may not be text, numbers may be missing and most are the same for a thousand rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["is_there", "places", "repeated", "table", "text", "text_or_empty", "times", "times_or_null"]


def is_there(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Say of each value whether it is one."""
    found: npt.NDArray[np.bool_] = values.is_valid().to_numpy(zero_copy_only=False)
    return found


def places(mask: npt.NDArray[np.bool_]) -> list[int]:
    """Give the rows at which *mask* is set."""
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows


def text(values: pa.BinaryArray | Sequence[bytes | None]) -> pa.StringArray:
    """Give a string column; bytes that are no UTF-8 get replacement characters."""
    raws = values if isinstance(values, pa.BinaryArray) else pa.array(values, pa.binary())
    try:
        return raws.cast(pa.string())  # checks the bytes in C: nearly always they are right
    except pa.ArrowInvalid:
        return pa.array([raw if raw is None else str(raw, "utf-8", "replace") for raw in raws.to_pylist()], pa.string())


def text_or_empty(values: pa.BinaryArray) -> pa.StringArray:
    """Give a string column as `text` does, the empty text where there is none."""
    return text(values.fill_null(b""))


def times(values: pa.Int64Array, otherwise: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64]:
    """Give times as they are where there are any, *otherwise* elsewhere: for 0 (not said) and beyond the year 2262."""
    given = values.fill_null(0).to_numpy()
    return np.where(given > 0, given, otherwise)


def times_or_null(values: pa.Int64Array) -> pa.Array:
    """Give times as they are where there are any, null elsewhere."""
    given = values.fill_null(0).to_numpy()
    return pa.array(given, pa.int64(), mask=given <= 0)


def repeated(
    schema: pa.Schema, columns: Mapping[str, Sequence[object]], rows: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    """Give columns of *schema*, by name, whose value *i* is ``values[rows[i]]``."""
    batch = pa.record_batch({name: pa.array(values, schema.field(name).type) for name, values in columns.items()})
    taken = batch.take(pa.array(rows))
    return dict(zip(taken.schema.names, taken.columns, strict=True))


def table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Make a table of *schema*: each column by its name, as an Arrow array or anything Arrow makes one of."""
    arrays = [
        column if isinstance(column := columns[field.name], pa.Array) else pa.array(column, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
