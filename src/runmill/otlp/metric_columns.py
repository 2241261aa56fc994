"""Metrics to rows of points: a number is a number, any other point is a document.

Exemplars are left out: each points to a trace, and the store has none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runmill.columns import POINTS
from runmill.model import AttributeValue
from runmill.otlp import arrays, runs
from runmill.otlp.integers import read_integers
from runmill.otlp.origin import Origin
from runmill.otlp.recent import Recent
from runmill.otlp.schema import Message
from runmill.otlp.values import decode_attributes, decode_key_value, dumps, dumps_object

__all__ = ["MetricGroup", "metric_groups", "point_table"]

_FIELDS: Final = attrgetter("time_unix_nano", "start_time_unix_nano", "attributes", "flags")
_TEMPORALITY: Final = {1: "delta", 2: "cumulative"}
_RUN_KINDS: Final = frozenset({"scalar", "list", "row", "table"})
_NO_RECORDED_VALUE: Final = 1
"""A bit of a data point's flags. Source: metrics.proto, DataPointFlags."""


class MetricGroup(NamedTuple):
    """One metric with its points; `kind` is the name of its data's field."""

    origin: Origin
    scope: str
    metric: Message
    kind: str
    data: Message
    points: Sequence[Message]


class _Value(NamedTuple):
    """A point's value as three columns."""

    number: float | None = None
    integer: int | None = None
    document: bytes | None = None


def metric_groups(origin: Origin, scope: str, metrics: Iterable[Message]) -> Iterable[MetricGroup]:
    """Yield *metrics* that have any data; the others say nothing."""
    for metric in metrics:
        kind = metric.WhichOneof("data")
        if kind is not None:
            data = getattr(metric, kind)
            yield MetricGroup(origin, scope, metric, kind, data, data.data_points[:])


def point_table(groups: Sequence[MetricGroup], *, received_unix_nano: int) -> pa.Table:
    """Give the data points of *groups* as a table of `runmill.columns.POINTS`."""
    points = [point for group in groups for point in group.points]
    if not points:
        return POINTS.empty_table()
    time, start, attributes, flags = zip(*map(_FIELDS, points), strict=True)
    readers = [_VALUE_OF[group.kind] for group in groups for _ in group.points]
    values = [
        _NO_VALUE if flag & _NO_RECORDED_VALUE else read(point)
        for read, point, flag in zip(readers, points, flags, strict=True)
    ]
    number, integer, document = zip(*values, strict=True)
    step, index, column, rest = _places([raws[:] for raws in attributes])
    columns = {
        "time_unix_nano": arrays.times(time, received_unix_nano),
        "start_time_unix_nano": arrays.times_or_null(start),
        "value": number,
        "value_int": integer,
        "value_json": document,
        "step": step,
        "index": index,
        "column": column,
        "attributes": rest,
    }
    group_of = np.repeat(np.arange(len(groups)), [len(group.points) for group in groups])
    return arrays.table(POINTS, columns | _group_columns(groups, group_of))


def _group_columns(groups: Sequence[MetricGroup], group_of: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    def column(read: Callable[[MetricGroup], object], type_: pa.DataType | None = None) -> pa.Array:
        return arrays.repeated([read(group) for group in groups], group_of, type_)

    return {
        "run_id": column(lambda group: group.origin.run_id),
        "metric": column(lambda group: _text(group.metric.name)),
        "kind": column(_kind),
        "unit": column(lambda group: _text(group.metric.unit)),
        "description": column(lambda group: _text(group.metric.description)),
        "temporality": column(_temporality),
        "is_monotonic": column(lambda group: group.data.is_monotonic if group.kind == "sum" else None, pa.bool_()),
        "scope": column(lambda group: group.scope),
        "service": column(lambda group: group.origin.service),
        "rank": column(lambda group: group.origin.rank, pa.int32()),
        "resource_id": column(lambda group: group.origin.resource_id),
    }


def _text(raw: bytes) -> str:
    return str(raw, "utf-8", "replace")


def _kind(group: MetricGroup) -> str:
    said = decode_attributes(group.metric.metadata).get(runs.KIND) if group.kind == "gauge" else None
    return said if isinstance(said, str) and said in _RUN_KINDS else group.kind


def _temporality(group: MetricGroup) -> str | None:
    # Gauge and Summary have no such field.
    return _TEMPORALITY.get(getattr(group.data, "aggregation_temporality", 0))


def _places(raws: Sequence[Sequence[bytes]]) -> Iterable[Sequence[Any]]:
    """Give steps, indexes, columns and the attributes that are left, each for all points."""
    return _steps_and_indexes(raws) or zip(*map(_place, raws), strict=True)


def _steps_and_indexes(raws: Sequence[Sequence[bytes]]) -> Iterable[Sequence[Any]] | None:
    """Read what is nearly always there alone: an index, or an index and a step, of every point."""
    widths = set(map(len, raws))
    if widths not in ({1}, {2}):
        return None
    first, *second = zip(*raws, strict=True)
    nothing: Sequence[Any] = [None] * len(raws)
    indexes = read_integers(first, runs.INDEX)
    steps = read_integers(second[0], runs.STEP) if second else nothing
    if indexes is None or steps is None:
        return None
    return steps, indexes, nothing, [b"{}"] * len(raws)


def _place(raws: Sequence[bytes]) -> tuple[int | None, int | None, str | None, bytes]:
    """Give step, index and column, which a run puts among a point's attributes, and the attributes that are left.

    They are lifted out of any metric: a collector on the way may have dropped the metadata that says it is a run's.
    What has another type than its column stays an attribute.
    """
    attributes = dict(map(_attributes.__getitem__, raws))
    step = _pop(attributes, runs.STEP, int)
    index = _pop(attributes, runs.ROW if runs.ROW in attributes else runs.INDEX, int)
    column = _pop(attributes, runs.COLUMN, str)
    return step, index, column, dumps_object(attributes) if attributes else b"{}"


def _pop(attributes: dict[str, AttributeValue], key: str, type_: type) -> Any:
    return attributes.pop(key) if type(attributes.get(key)) is type_ else None


def _number(point: Message) -> _Value:
    kind = point.WhichOneof("value")
    if kind == "as_int":
        return _Value(float(point.as_int), point.as_int)
    return _Value(point.as_double) if kind == "as_double" else _NO_VALUE


def _histogram(point: Message) -> _Value:
    document = _statistics(point)
    document["bucket_counts"] = point.bucket_counts[:]
    document["explicit_bounds"] = point.explicit_bounds[:]
    return _Value(document=dumps(document))


def _exponential_histogram(point: Message) -> _Value:
    document = _statistics(point)
    document |= {key: getattr(point, key) for key in ("scale", "zero_count", "zero_threshold")}
    for side in ("positive", "negative"):
        buckets = getattr(point, side)
        document[side] = {"offset": buckets.offset, "bucket_counts": buckets.bucket_counts[:]}
    return _Value(document=dumps(document))


def _statistics(point: Message) -> dict[str, AttributeValue]:
    # A sender may leave these three out: no minimum is not a minimum of 0.
    sent = {key: getattr(point, key) for key in ("sum", "min", "max") if point.HasField(key)}
    return {"count": point.count, **sent}


def _summary(point: Message) -> _Value:
    quantiles = [{"quantile": each.quantile, "value": each.value} for each in point.quantile_values]
    return _Value(document=dumps({"count": point.count, "sum": point.sum, "quantile_values": quantiles}))


_NO_VALUE: Final = _Value(document=b"null")
_VALUE_OF: Final[Mapping[str, Callable[[Message], _Value]]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential_histogram,
    "summary": _summary,
}
_attributes: Final = Recent(decode_key_value)
