"""What was decoded to rows is, encoded again, the same rows."""

from hypothesis import given
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

import strategies
from runmill.columns import Columns
from runmill.otlp.columns import decode_logs, decode_metrics
from runmill.otlp.from_columns import logs_request, metrics_request
from runmill.store.values import decode, decode_attributes
from stored_run import any_value, run_event


def opened(table):
    """Give the rows of a table with their JSON decoded."""
    return [{name: opened_cell(row, name, cell) for name, cell in row.items()} for row in table.to_pylist()]


def opened_cell(row, name, cell):
    if name == "attributes":
        return decode_attributes(cell)
    is_json = row.get("body_is_json", True) if name == "body" else name == "value_json"
    return decode(cell) if is_json and cell is not None else cell


def again(columns: Columns) -> tuple[Columns, Columns]:
    """Encode and decode what *columns* hold: (by logs, by metrics)."""
    resources = {row["resource_id"]: row["attributes"] for row in opened(columns.resources)}
    points = opened(columns.points)
    logs = logs_request(
        resources,
        logs=opened(columns.logs),
        events=opened(columns.events),
        artifacts=opened(columns.artifacts),
        points=points,
    )
    return decode_logs(logs), decode_metrics(metrics_request(resources, points))


def rows(table):
    return sorted(map(repr, table.to_pylist()))


def metric_event(kind, body, **attributes):
    request = run_event("run.metric", 1)
    [record] = request.resource_logs[0].scope_logs[0].log_records
    record.body.CopyFrom(any_value(body))
    for key, value in {"name": "m", "kind": kind, **attributes}.items():
        name = f"run.metric.{key}" if key in {"name", "kind", "description"} else f"run.{key}"
        record.attributes.append(KeyValue(key=name, value=any_value(value)))
    return request


FILE = {"path": "outputs/a", "size_bytes": 3, "media_type": "text/plain", "sha256": "ab" * 32}
SAID = [
    run_event("run.started", 0, status="Running", experiment="e", tags={"a": None, "b": "c"}),
    run_event("run.model", 3, name="m", path="outputs/a", files=[FILE]),
    run_event("experiment.updated", 4, experiment="e", archived=True),
    metric_event("scalar", "good", index=3, step=2, description="how it went"),
    metric_event("scalar", True),
    metric_event("list", []),
    metric_event("row", {"a": "x", "b": 1.5, "c": 2, "d": None}, index=0),
    metric_event("table", {}),
    metric_event("table", {"a": [], "b": []}),
    metric_event("residuals", {"schema_type": "residuals", "data": {"bin_edges": [0.0, 1.0]}}),
    metric_event("image", {"path": "plots/a.png"}, step=1),
]


def test_what_a_run_said_comes_back():
    """Its events, files, and whatever it logged that is no number."""
    request = ExportLogsServiceRequest(
        resource_logs=[group for each in [*SAID, run_event("run.artifact", 5, **FILE)] for group in each.resource_logs]
    )
    columns = decode_logs(request.SerializeToString(), received_unix_nano=1)
    assert (columns.logs.num_rows, columns.events.num_rows, columns.artifacts.num_rows) == (0, 3, 1)
    logs, metrics = again(columns)
    assert rows(logs.events) == rows(columns.events)
    assert rows(logs.artifacts) == rows(columns.artifacts)
    assert sorted(rows(logs.points) + rows(metrics.points)) == rows(columns.points)


@given(strategies.LOG_REQUESTS)
def test_log_records_come_back(request):
    """Every column of every record of any sender."""
    columns = decode_logs(request.SerializeToString())
    assert rows(again(columns)[0].logs) == rows(columns.logs)


@given(strategies.METRIC_REQUESTS)
def test_points_come_back(request):
    """Every column of every data point, of any kind."""
    columns = decode_metrics(request.SerializeToString())
    assert rows(again(columns)[1].points) == rows(columns.points)
