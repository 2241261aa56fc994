"""What data points say: numbers as columns from native code, histograms and summaries as documents, one by one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runmill.model import AttributeValue
from runmill.otlp import native
from runmill.otlp.schema import Gauge, Message
from runmill.otlp.values import dumps

__all__ = ["NUMBERS", "document_points", "number_points"]

NUMBERS: Final = frozenset({"gauge", "sum"})
"""The kinds of metrics whose points are numbers."""

_POINTS: Final = pa.schema(
    [
        pa.field("time_unix_nano", pa.int64()),
        pa.field("start_time_unix_nano", pa.int64()),
        pa.field("attributes", pa.list_(pa.binary())),
        pa.field("value", pa.float64()),
        pa.field("value_int", pa.int64()),
        pa.field("value_json", pa.binary()),
    ]
)

_NO_RECORDED_VALUE: Final = 1
"""A bit of a data point's flags. Source: metrics.proto, DataPointFlags."""

_NULL: Final = pa.scalar(b"null")

_Document: TypeAlias = dict[str, AttributeValue]


def number_points(datas: Iterable[Message]) -> pa.Table:
    """Give the points of several Gauges and Sums: one message after another is one with the points of all."""
    payload = b"".join([data.SerializeToString() for data in datas])
    points = native.row(Gauge, payload).column("data_points").flatten()
    sent = dict(zip(points.type.names, points.flatten(), strict=True))
    has_value = pc.equal(pc.bit_wise_and(sent["flags"].fill_null(0), _NO_RECORDED_VALUE), 0)
    integers = pc.if_else(has_value, sent["as_int"], None)
    # By NumPy, as Arrow converts no integer that a double cannot tell from its neighbours.
    rounded = pa.array(integers.fill_null(0).to_numpy().astype(np.float64))
    values = pc.if_else(integers.is_valid(), rounded, pc.if_else(has_value, sent["as_double"], None))
    columns = {
        "time_unix_nano": sent["time_unix_nano"],
        "start_time_unix_nano": sent["start_time_unix_nano"],
        "attributes": sent["attributes"],
        "value": values,
        "value_int": integers,
        "value_json": pc.if_else(values.is_null(), _NULL, None),
    }
    return pa.table(columns).cast(_POINTS)


def document_points(points: Iterable[tuple[str, Message]]) -> pa.Table:
    """Give points of other kinds, each with the name of its kind."""
    rows = [
        {
            "time_unix_nano": point.time_unix_nano,
            "start_time_unix_nano": point.start_time_unix_nano,
            "attributes": point.attributes[:],
            "value_json": b"null" if point.flags & _NO_RECORDED_VALUE else dumps(_DOCUMENT_OF[kind](point)),
        }
        for kind, point in points
    ]
    return pa.Table.from_pylist(rows, _POINTS)


def _histogram(point: Message) -> _Document:
    return _statistics(point) | {
        "bucket_counts": point.bucket_counts[:],
        "explicit_bounds": point.explicit_bounds[:],
    }


def _exponential_histogram(point: Message) -> _Document:
    document = _statistics(point)
    document |= {key: getattr(point, key) for key in ("scale", "zero_count", "zero_threshold")}
    for side in ("positive", "negative"):
        buckets = getattr(point, side)
        document[side] = {"offset": buckets.offset, "bucket_counts": buckets.bucket_counts[:]}
    return document


def _statistics(point: Message) -> _Document:
    # A sender may leave these three out: no minimum is not a minimum of 0.
    sent = {key: getattr(point, key) for key in ("sum", "min", "max") if point.HasField(key)}
    return {"count": point.count, **sent}


def _summary(point: Message) -> _Document:
    quantiles = [{"quantile": each.quantile, "value": each.value} for each in point.quantile_values]
    return {"count": point.count, "sum": point.sum, "quantile_values": quantiles}


_DOCUMENT_OF: Final[Mapping[str, Callable[[Message], _Document]]] = {
    "histogram": _histogram,
    "exponential_histogram": _exponential_histogram,
    "summary": _summary,
}
