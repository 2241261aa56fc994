"""The hand-written encoder writes what the official protobuf classes read."""

import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from runmill.journal.records import EVENT, LOG, POINT, Event, Log, Point, RunIdentity, run_key
from runmill.otlp.encode import encode_logs, encode_metrics, encode_resource

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=()), max_size=30)  # with lone surrogates
# Of the many NaNs only one has a name in JSON.
FLOATS = st.floats().map(lambda number: math.nan if math.isnan(number) else number)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXT | st.binary(max_size=30)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
UNSIGNED = st.integers(0, 2**63 - 1)
LOGS = st.builds(
    Log,
    record_kind=st.just(LOG),
    time=UNSIGNED,
    run_key=st.none() | st.just(run_key(RunIdentity("r1", "exp", None, 0))),
    logger=TEXT,
    levelno=st.integers(0, 100),
    level_name=TEXT,
    body=VALUES,
    attributes=st.none() | st.dictionaries(TEXT, VALUES, max_size=5),
    file_path=TEXT,
    line_number=st.integers(0, 10**6),
    function_name=TEXT,
    thread_id=UNSIGNED,
    thread_name=TEXT,
    trace_id=st.none() | st.binary(min_size=16, max_size=16).map(bytes.hex),
    span_id=st.none() | st.binary(min_size=8, max_size=8).map(bytes.hex),
    trace_flags=st.integers(0, 255),
    dropped_attributes_count=st.integers(0, 1000),
)
POINTS = st.builds(
    Point,
    record_kind=st.just(POINT),
    time_unix_nano=UNSIGNED,
    run_key=st.just(run_key(RunIdentity("r1", "exp", "parent", None))),
    metric=TEXT,
    metric_kind=st.sampled_from(["scalar", "list", "row", "table"]),
    value=INT64 | st.floats(),
    position=st.none() | UNSIGNED,
    step=st.none() | INT64,
    column=st.none() | TEXT,
    description=TEXT,
)


def as_sent(text: str) -> str:
    """What is left of a text on the wire: lone surrogates are written out."""
    return text.encode(errors="backslashreplace").decode()


def expected(value: Any) -> Any:
    """What a plain value is after the wire."""
    match value:
        case str():
            return as_sent(value)
        case bool() | None | bytes():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case float():
            return "nan" if math.isnan(value) else value
        case list():
            return [expected(item) for item in value]
        case _:
            return {as_sent(key): expected(item) for key, item in value.items()}


def read(value: AnyValue) -> Any:
    """Walk an official AnyValue."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [read(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: read(pair.value) for pair in value.kvlist_value.values}
        case "double_value":
            return "nan" if math.isnan(value.double_value) else value.double_value
        case name:
            return getattr(value, name)


@given(LOGS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_log_is_read_back_by_the_official_classes(log: Log) -> None:
    """Every field of a journal's log is in the request, whatever its values."""
    request = ExportLogsServiceRequest.FromString(encode_logs([tuple(log)], lambda key: encode_resource({"run": key})))
    [resource_logs] = request.resource_logs
    [scope_logs] = resource_logs.scope_logs
    [record] = scope_logs.log_records
    assert read(resource_logs.resource.attributes[0].value) == log.run_key
    assert scope_logs.scope.name == as_sent(log.logger)
    assert record.time_unix_nano == record.observed_time_unix_nano == log.time
    assert record.severity_text == as_sent(log.level_name)
    assert read(record.body) == expected(log.body)
    assert record.dropped_attributes_count == log.dropped_attributes_count
    span = (bytes.fromhex(log.trace_id), bytes.fromhex(log.span_id or ""), log.trace_flags) if log.trace_id else None
    assert (record.trace_id, record.span_id, record.flags) == (span or (b"", b"", 0))
    attributes = [(as_sent(key), expected(value)) for key, value in (log.attributes or {}).items()]
    if log.file_path:
        attributes += [
            ("code.file.path", as_sent(log.file_path)),
            ("code.line.number", log.line_number),
            ("code.function.name", as_sent(log.function_name)),
        ]
    if log.thread_id:
        attributes += [("thread.id", log.thread_id), ("thread.name", as_sent(log.thread_name))]
    assert [(pair.key, read(pair.value)) for pair in record.attributes] == attributes


@given(POINTS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_point_is_read_back_by_the_official_classes(point: Point) -> None:
    """Every field of a journal's point is in the request; an int stays an int."""
    request = ExportMetricsServiceRequest.FromString(encode_metrics([tuple(point)], lambda _: b""))
    [metric] = request.resource_metrics[0].scope_metrics[0].metrics
    [data_point] = metric.gauge.data_points
    assert (metric.name, metric.description) == (as_sent(point.metric), as_sent(point.description))
    assert [(pair.key, pair.value.string_value) for pair in metric.metadata] == [("run.metric.kind", point.metric_kind)]
    assert data_point.time_unix_nano == point.time_unix_nano
    field = "as_int" if type(point.value) is int else "as_double"
    assert data_point.WhichOneof("value") == field
    assert repr(getattr(data_point, field)) == repr(point.value)
    position = "run.index" if point.column is None else "run.row"
    column = None if point.column is None else as_sent(point.column)
    attributes = {position: point.position, "run.step": point.step, "run.column": column}
    assert {pair.key: read(pair.value) for pair in data_point.attributes} == {
        key: value for key, value in attributes.items() if value is not None
    }


def test_an_event_has_its_name_and_document() -> None:
    """A lifecycle event is a log record with an event_name and a kvlist body."""
    key = run_key(RunIdentity("r1", "exp", None, None))
    event = Event(EVENT, 7, key, "run.started", {"experiment": "exp", "tags": {"a": None}}, {"x": 1})
    request = ExportLogsServiceRequest.FromString(encode_logs([tuple(event)], lambda _: b""))
    [record] = request.resource_logs[0].scope_logs[0].log_records
    assert (record.event_name, record.time_unix_nano, read(record.body)) == ("run.started", 7, event.body)
    assert [(pair.key, read(pair.value)) for pair in record.attributes] == [("x", 1)]


def test_records_are_grouped_by_run_then_logger() -> None:
    """One process's records of several runs share a request and keep their order within a logger."""
    first, second = (run_key(RunIdentity(run_id, "exp", None, None)) for run_id in ("r1", "r2"))
    log = Log(LOG, 1, first, "a", 20, "INFO", "1", None, "", 0, "", 0, "", None, None, 0, 0)
    records = [log, log._replace(run_key=second, body="2"), log._replace(logger="b", body="3"), log._replace(body="4")]
    request = ExportLogsServiceRequest.FromString(
        encode_logs(map(tuple, records), lambda key: encode_resource({"key": key}))
    )
    seen = [
        (
            read(group.resource.attributes[0].value),
            scope.scope.name,
            [read(record.body) for record in scope.log_records],
        )
        for group in request.resource_logs
        for scope in group.scope_logs
    ]
    assert seen == [(first, "a", ["1", "4"]), (first, "b", ["3"]), (second, "a", ["2"])]


def test_a_float_of_seconds_is_kept_to_the_microsecond() -> None:
    """``record.created`` becomes nanoseconds without invented digits."""
    log = Log(LOG, 1795309675.934827, None, "a", 20, "INFO", "1", None, "", 0, "", 0, "", None, None, 0, 0)
    request = ExportLogsServiceRequest.FromString(encode_logs([tuple(log)], lambda _: b""))
    assert request.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano == 1795309675_934827_000


def test_a_point_of_a_process_is_no_log_and_a_log_no_point() -> None:
    """Each request holds its own signal alone, and nothing at all where there is none."""
    log = Log(LOG, 1, None, "a", 20, "INFO", "1", None, "", 0, "", 0, "", None, None, 0, 0)
    point = Point(POINT, 1, run_key(RunIdentity("r", "e", None, None)), "m", "scalar", 1, 0, None, None, "")
    assert encode_metrics([tuple(log)], lambda _: b"") == b""
    assert encode_logs([tuple(point)], lambda _: b"") == b""
