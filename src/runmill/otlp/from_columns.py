"""Stored rows back to the OTLP they came as: the way back of `columns`.

Numbers of a run are gauges again, what else it logged is an event, and what any program measured is the metric it was.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from runmill.model import Attributes, AttributeValue
from runmill.otlp import runs

__all__ = ["Resources", "Row", "logs_request", "metrics_request"]

Row: TypeAlias = Mapping[str, Any]
"""A row of a table of `runmill.columns` whose JSON is decoded: `attributes`, `body`, `value_json`."""

Resources: TypeAlias = Mapping[str, Attributes]
"""The attributes of each resource by its id."""

_TEMPORALITY: Final = {None: 0, "delta": 1, "cumulative": 2}
_NO_RECORDED_VALUE: Final = 1
_BY_ROW: Final = frozenset({"row", "table"})
_MEASURED: Final = frozenset({"gauge", "sum", "histogram", "exponential_histogram", "summary"})
_FILE: Final = ("path", "size_bytes", "media_type", "sha256")


class _Placed(NamedTuple):
    resource_id: str
    scope: str
    record: LogRecord


def logs_request(
    resources: Resources,
    *,
    logs: Iterable[Row] = (),
    events: Iterable[Row] = (),
    artifacts: Iterable[Row] = (),
    points: Iterable[Row] = (),
) -> bytes:
    """Give an ExportLogsServiceRequest of what travels as log records.

    Of *points* those are taken that `metrics_request` leaves. A file is of the resource that is only its run.
    """
    placed = [
        *map(_log, logs),
        *map(_event, events),
        *map(_artifact, artifacts),
        *(_metric_event(row) for row in points if not _is_measured(row)),
    ]
    groups: dict[tuple[str, str], list[LogRecord]] = defaultdict(list)
    for resource_id, scope, record in placed:
        groups[resource_id, scope].append(record)
    request = ExportLogsServiceRequest()
    for (resource_id, scope), records in groups.items():
        group = request.resource_logs.add(
            resource={"attributes": _pairs(resources.get(resource_id, {runs.RUN_ID: resource_id}))}
        )
        group.scope_logs.add(scope={"name": scope}, log_records=records)
    return request.SerializeToString()


def metrics_request(resources: Resources, points: Iterable[Row]) -> bytes:
    """Give an ExportMetricsServiceRequest of those *points* that are OTLP metrics."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in filter(_is_measured, points):
        groups[tuple(map(row.__getitem__, _GROUPING))].append(row)
    request = ExportMetricsServiceRequest()
    for rows in groups.values():
        group = request.resource_metrics.add(resource={"attributes": _pairs(resources[rows[0]["resource_id"]])})
        group.scope_metrics.add(scope={"name": rows[0]["scope"]}, metrics=[_metric(rows)])
    return request.SerializeToString()


_GROUPING: Final = ("resource_id", "scope", "metric", "kind", "unit", "description", "temporality", "is_monotonic")


def _is_measured(row: Row) -> bool:
    # No value at all: a data point can say that, too.
    return row["kind"] in _MEASURED or row["value"] is not None or row["value_json"] is None


def _log(row: Row) -> _Placed:
    record = LogRecord(
        time_unix_nano=row["time_unix_nano"],
        observed_time_unix_nano=row["observed_time_unix_nano"],
        severity_number=row["severity_number"],
        severity_text=row["severity_text"],
        body=_any(row["body"]),
        attributes=_pairs(row["attributes"]),
        event_name=row["event_name"],
        trace_id=bytes.fromhex(row["trace_id"] or ""),
        span_id=bytes.fromhex(row["span_id"] or ""),
        dropped_attributes_count=row["dropped_attributes_count"],
    )
    return _Placed(row["resource_id"], row["logger"], record)


def _event(row: Row) -> _Placed:
    return _said(row, row["name"], row["body"])


def _artifact(row: Row) -> _Placed:
    # A file's row has no resource but its run.
    return _said({**row, "resource_id": row["run_id"]}, runs.ARTIFACT, {name: row[name] for name in _FILE})


def _metric_event(row: Row) -> _Placed:
    value = row["value_json"]
    body = {row["column"]: value} if row["column"] is not None else value
    facts = {
        runs.METRIC_NAME: row["metric"],
        runs.KIND: row["kind"],
        runs.METRIC_DESCRIPTION: row["description"] or None,
        runs.STEP: row["step"],
        runs.INDEX: row["index"],
    }
    said = {name: fact for name, fact in facts.items() if fact is not None}
    return _said(row, runs.METRIC, body, attributes=row["attributes"] | said, scope=row["scope"])


def _said(
    row: Row, event_name: str, body: AttributeValue, *, attributes: Attributes | None = None, scope: str = ""
) -> _Placed:
    record = LogRecord(
        time_unix_nano=row["time_unix_nano"],
        event_name=event_name,
        body=_any(body),
        attributes=_pairs(attributes or {}),
    )
    return _Placed(row["resource_id"], scope, record)


def _metric(rows: Sequence[Row]) -> Metric:
    """Give one metric whose points *rows* are; they agree in all but the points' own columns."""
    first = rows[0]
    is_of_run = first["kind"] not in _MEASURED
    kind: str = "gauge" if is_of_run else first["kind"]
    data: dict[str, Any] = {"data_points": [_POINT_OF[kind](row) for row in rows]}
    if kind not in {"gauge", "summary"}:
        data["aggregation_temporality"] = _TEMPORALITY[first["temporality"]]
    if kind == "sum":
        data["is_monotonic"] = bool(first["is_monotonic"])
    fields: dict[str, Any] = {name: first[name] for name in ("unit", "description")}
    fields["metadata"] = _pairs({runs.KIND: first["kind"]} if is_of_run else {})
    fields[kind] = data
    return Metric(name=first["metric"], **fields)


def _point(row: Row) -> dict[str, Any]:
    """Give what a data point of any kind has."""
    # Where both were sent, the row was taken for the index.
    index = runs.ROW if row["kind"] in _BY_ROW or runs.INDEX in row["attributes"] else runs.INDEX
    place = {runs.STEP: row["step"], index: row["index"], runs.COLUMN: row["column"]}
    attributes = row["attributes"] | {name: value for name, value in place.items() if value is not None}
    return {
        "time_unix_nano": row["time_unix_nano"],
        "start_time_unix_nano": row["start_time_unix_nano"] or 0,
        "attributes": _pairs(attributes),
        "flags": _NO_RECORDED_VALUE if row["value"] is None and row["value_json"] is None else 0,
    }


def _number(row: Row) -> dict[str, Any]:
    if row["value_int"] is not None:
        return {**_point(row), "as_int": row["value_int"]}
    return _point(row) if row["value"] is None else {**_point(row), "as_double": row["value"]}


def _document(row: Row) -> dict[str, Any]:
    """Give a histogram or summary: its document has the names of the message's fields."""
    return {**_point(row), **(row["value_json"] or {})}


_POINT_OF: Final[Mapping[str, Callable[[Row], dict[str, Any]]]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _document,
    "exponential_histogram": _document,
    "summary": _document,
}


def _pairs(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: AttributeValue) -> AnyValue:
    if value is None:
        return AnyValue()
    if isinstance(value, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
    if isinstance(value, list | tuple):
        return AnyValue(array_value=ArrayValue(values=map(_any, value)))
    single: dict[str, Any] = {_SINGLE[type(value)]: value}
    return AnyValue(**single)


_SINGLE: Final[Mapping[type, str]] = {
    str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value",
}  # fmt: skip
