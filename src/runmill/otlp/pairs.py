"""Distinct attributes: their keys, and their values as JSON, whole columns at a time where they are plain.

Integers, booleans, finite doubles and texts are. A text that JSON has to escape, and whatever is nested, is read as
`runmill.otlp.values` reads it, and so are all of them when one is no UTF-8 or no KeyValue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from runmill.otlp import arrays, native
from runmill.otlp.values import decode_key_value, dumps

__all__ = ["Pairs", "read_pairs"]

_ESCAPED: Final = r'[\x00-\x1f"\\]'
"""What cannot stand in a JSON text as it is."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Key and value of each attribute."""

    keys: Mapping[str, int]
    """Every key, and its number."""
    key_of: npt.NDArray[np.int64]
    """The number of each attribute's key."""
    members: pa.StringArray
    """``"key":value`` in JSON."""
    integers: pa.Int64Array
    """The values, null where they are none."""
    strings: pa.StringArray
    """The values, null where they are none."""


def read_pairs(raws: pa.BinaryArray) -> Pairs:
    """Read KeyValues in bytes, whatever they are."""
    return _read_plain(raws) or _read_one_by_one(raws)


def _read_plain(raws: pa.BinaryArray) -> Pairs | None:
    batch = native.key_values(raws)
    if batch is None:
        return None
    kinds = zip(batch.schema.field("value").type.names, batch.column("value").flatten(), strict=True)
    values = {kind: column for kind, column in kinds if column.null_count < len(column)}
    if len(values) > 1 and np.sum([arrays.is_there(column) for column in values.values()], axis=0).max() > 1:
        return None  # several values of which the last one sent counts
    strings = values.get("string_value", pa.nulls(len(raws), pa.binary()))
    try:
        values["string_value"] = strings.cast(pa.string())
        keys = batch.column("key").fill_null(b"").cast(pa.string()).dictionary_encode()
    except pa.ArrowInvalid:
        return None
    integers = values.get("int_value", pa.nulls(len(raws), pa.int64()))
    return _pairs(keys, _texts(values, raws), integers, values["string_value"])


def _read_one_by_one(raws: pa.BinaryArray) -> Pairs:
    keys, values = zip(*map(decode_key_value, raws.to_pylist()), strict=True)
    return _pairs(
        pa.array(keys, pa.string()).dictionary_encode(),
        arrays.text(list(map(dumps, values))),
        pa.array([value if type(value) is int else None for value in values], pa.int64()),
        pa.array([value if type(value) is str else None for value in values], pa.string()),
    )


def _pairs(keys: pa.DictionaryArray, texts: pa.StringArray, integers: pa.Int64Array, strings: pa.StringArray) -> Pairs:
    names = keys.dictionary.to_pylist()
    starts = arrays.text([dumps(name) + b":" for name in names]).take(keys.indices)
    return Pairs(
        keys={name: number for number, name in enumerate(names)},
        key_of=keys.indices.to_numpy().astype(np.int64),
        members=pc.binary_join_element_wise(starts, texts, ""),
        integers=integers,
        strings=strings,
    )


def _texts(values: Mapping[str, pa.Array], raws: pa.BinaryArray) -> pa.StringArray:
    """Give the JSON of each value."""
    texts = pc.coalesce(*(_PLAIN[kind](column) for kind, column in values.items() if kind in _PLAIN))
    if not texts.null_count:
        return texts
    others = [dumps(decode_key_value(raw)[1]) for raw in raws.filter(texts.is_null()).to_pylist()]
    return pc.replace_with_mask(texts, texts.is_null(), arrays.text(others))


def _quoted(texts: pa.StringArray) -> pa.StringArray:
    """Give those in quotes that need nothing else."""
    quoted = pc.binary_join_element_wise(_QUOTE, texts, _QUOTE, _NOTHING)
    return pc.if_else(pc.match_substring_regex(texts, _ESCAPED), _NONE, quoted)


def _numbers(doubles: pa.DoubleArray) -> pa.StringArray:
    """Write those that are finite."""
    is_finite = pc.is_finite(doubles).fill_null(False)
    finite = doubles.filter(is_finite).to_pylist()
    texts = orjson.dumps(finite)[1:-1].split(b",") if finite else []
    return pc.replace_with_mask(pa.nulls(len(doubles), pa.string()), is_finite, arrays.text(texts))


def _as_text(values: pa.Array) -> pa.StringArray:
    return values.cast(pa.string())


_QUOTE, _NOTHING, _NONE = pa.scalar('"'), pa.scalar(""), pa.scalar(None, pa.string())

_PLAIN: Final[Mapping[str, Callable[[Any], pa.StringArray]]] = {
    "string_value": _quoted,
    "int_value": _as_text,
    "bool_value": _as_text,
    "double_value": _numbers,
}
"""What writes values of a kind, null where that is not plain."""
