"""Metrics to rows of points: a number is a number, any other point is a document.

Exemplars are left out: each points to a trace, and the store has none.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runmill.columns import POINTS
from runmill.otlp import arrays, runs
from runmill.otlp.attributes import Attributes, read_attributes
from runmill.otlp.origin import Origin
from runmill.otlp.point_values import NUMBERS, document_points, number_points
from runmill.otlp.schema import Message
from runmill.otlp.values import decode_attributes

__all__ = ["MetricGroup", "metric_groups", "point_table"]

_TEMPORALITY: Final = {1: "delta", 2: "cumulative"}
_RUN_KINDS: Final = frozenset({"scalar", "list", "row", "table"})


class MetricGroup(NamedTuple):
    """One metric with its points; `kind` is the name of its data's field."""

    origin: Origin
    scope: str
    metric: Message
    kind: str
    data: Message
    points: Sequence[Message]


def metric_groups(origin: Origin, scope: str, metrics: Iterable[Message]) -> Iterable[MetricGroup]:
    """Yield *metrics* that have any data; the others say nothing."""
    for metric in metrics:
        kind = metric.WhichOneof("data")
        if kind is not None:
            data = getattr(metric, kind)
            yield MetricGroup(origin, scope, metric, kind, data, data.data_points)


def point_table(groups: Sequence[MetricGroup], *, received_unix_nano: int) -> pa.Table:
    """Give the data points of *groups* as a table of `runmill.columns.POINTS`."""
    points, group_of = _points(groups)
    if not len(points):
        return POINTS.empty_table()
    sent = {name: points[name].combine_chunks() for name in points.column_names}
    columns = {
        "time_unix_nano": arrays.times(sent["time_unix_nano"], received_unix_nano),
        "start_time_unix_nano": arrays.times_or_null(sent["start_time_unix_nano"]),
        "value": sent["value"],
        "value_int": sent["value_int"],
        "value_json": arrays.text(sent["value_json"]),
        **_places(read_attributes(sent["attributes"])),
    }
    return arrays.table(POINTS, columns | _group_columns(groups, group_of))


def _points(groups: Sequence[MetricGroup]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Give the points in their order, and the group of each."""
    counts = np.array([len(group.points) for group in groups], dtype=np.int64)
    group_of = np.repeat(np.arange(len(groups)), counts)
    numbers = number_points(group.data for group in groups if group.kind in NUMBERS)
    if len(numbers) == len(group_of):  # nearly always
        return numbers, group_of
    documents = document_points(
        (group.kind, point) for group in groups if group.kind not in NUMBERS for point in group.points
    )
    is_document = np.array([group.kind not in NUMBERS for group in groups])[group_of]
    place_of = np.empty(len(group_of), dtype=np.int64)
    place_of[np.argsort(is_document, kind="stable")] = np.arange(len(group_of))
    return pa.concat_tables([numbers, documents]).take(pa.array(place_of)), group_of


def _group_columns(groups: Sequence[MetricGroup], group_of: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    columns: dict[str, Sequence[object]] = {
        "run_id": [group.origin.run_id for group in groups],
        "metric": [_text(group.metric.name) for group in groups],
        "kind": [_kind(group) for group in groups],
        "unit": [_text(group.metric.unit) for group in groups],
        "description": [_text(group.metric.description) for group in groups],
        "temporality": [_temporality(group) for group in groups],
        "is_monotonic": [group.data.is_monotonic if group.kind == "sum" else None for group in groups],
        "scope": [group.scope for group in groups],
        "service": [group.origin.service for group in groups],
        "rank": [group.origin.rank for group in groups],
        "resource_id": [group.origin.resource_id for group in groups],
    }
    return arrays.repeated(POINTS, columns, group_of)


def _text(raw: bytes) -> str:
    return str(raw, "utf-8", "replace")


def _kind(group: MetricGroup) -> str:
    said = decode_attributes(group.metric.metadata).get(runs.KIND) if group.kind == "gauge" else None
    return said if isinstance(said, str) and said in _RUN_KINDS else group.kind


def _temporality(group: MetricGroup) -> str | None:
    # Gauge and Summary have no such field.
    return _TEMPORALITY.get(getattr(group.data, "aggregation_temporality", 0))


def _places(attributes: Attributes) -> dict[str, pa.Array]:
    """Give step, index and column, which a run puts among a point's attributes, and the attributes that are left.

    They are lifted out of any metric: a collector on the way may have dropped the metadata that says it is a run's.
    What has another type than its column stays an attribute.
    """
    integers, strings = attributes.pairs.integers, attributes.pairs.strings
    step = attributes.having(integers, attributes.named(runs.STEP))
    column = attributes.having(strings, attributes.named(runs.COLUMN))
    index = attributes.having(integers, _indexes(attributes))
    return {
        "step": attributes.column(step, integers),
        "index": attributes.column(index, integers),
        "column": attributes.column(column, strings),
        "attributes": attributes.objects(without=np.concatenate((step, index, column))),
    }


def _indexes(attributes: Attributes) -> npt.NDArray[np.int64]:
    """Give the places of the rows, and of the indexes of points that have no row."""
    rows, indexes = attributes.named(runs.ROW), attributes.named(runs.INDEX)
    if not len(rows):
        return indexes
    is_alone = ~np.isin(attributes.record_of[indexes], attributes.record_of[rows])
    return np.concatenate((rows, indexes[is_alone]))
