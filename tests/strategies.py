"""Hypothesis strategies for OTLP requests, built with the official classes: whatever a sender may write."""

from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

TEXT = st.text(max_size=12)
INT32 = st.integers(-(2**31), 2**31 - 1)
UINT32 = st.integers(0, 2**32 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TIMES = st.sampled_from([0, 1_700_000_000_000_000_000]) | UINT64
IDS = st.sampled_from([b"", bytes(16), bytes(8), bytes(range(16)), bytes(range(8))]) | st.binary(max_size=17)


def message(kind: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages of *kind*; any of *fields* may be left out."""
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: kind(**given))


def containers(values: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    """Arrays and maps of *values*; a map may have a key twice, and keys that our JSON gives a meaning."""
    keys = st.sampled_from(["$bytes", "$double", "$map", "a", ""]) | TEXT
    pairs = st.builds(lambda key, value: KeyValue(key=key, value=value), keys, values)
    arrays = st.lists(values, max_size=3).map(lambda items: AnyValue(array_value={"values": items}))
    maps = st.lists(pairs, max_size=3).map(lambda items: AnyValue(kvlist_value={"values": items}))
    return arrays | maps


ANY_VALUES = st.recursive(
    st.just(AnyValue())
    | TEXT.map(lambda value: AnyValue(string_value=value))
    | st.booleans().map(lambda value: AnyValue(bool_value=value))
    | INT64.map(lambda value: AnyValue(int_value=value))
    | st.floats().map(lambda value: AnyValue(double_value=value))
    | st.binary(max_size=12).map(lambda value: AnyValue(bytes_value=value)),
    containers,
    max_leaves=6,
)
KEY_VALUES = message(KeyValue, key=st.sampled_from(["a", "b", "log.iostream"]) | TEXT, value=ANY_VALUES)
ATTRIBUTES = st.lists(KEY_VALUES, max_size=4)
RESOURCES = st.fixed_dictionaries(
    {},
    optional={
        "attributes": st.lists(
            message(
                KeyValue, key=st.sampled_from(["service.name", "run.id", "run.rank", "host.name"]), value=ANY_VALUES
            ),
            max_size=4,
        ),
        "dropped_attributes_count": UINT32,
    },
)
SCOPES = st.fixed_dictionaries({}, optional={"name": TEXT, "version": TEXT, "attributes": ATTRIBUTES})

LOG_RECORDS = message(
    LogRecord,
    time_unix_nano=TIMES,
    observed_time_unix_nano=TIMES,
    severity_number=st.integers(0, 24) | INT32,
    severity_text=TEXT,
    body=ANY_VALUES,
    attributes=ATTRIBUTES,
    dropped_attributes_count=UINT32,
    flags=UINT32,
    trace_id=IDS,
    span_id=IDS,
    event_name=TEXT,
)

POINT_ATTRIBUTES = st.lists(
    message(
        KeyValue,
        key=st.sampled_from(["run.step", "run.index", "run.column", "run.row", "a"]) | TEXT,
        value=INT64.map(lambda value: AnyValue(int_value=value)) | ANY_VALUES,
    ),
    max_size=4,
)
POINT = {
    "attributes": POINT_ATTRIBUTES,
    "start_time_unix_nano": TIMES,
    "time_unix_nano": TIMES,
    "flags": st.integers(0, 3),
}
NUMBERS = st.fixed_dictionaries({}, optional=POINT | {"as_double": st.floats()}) | st.fixed_dictionaries(
    {}, optional=POINT | {"as_int": INT64}
)
COUNTS = st.lists(UINT64, max_size=4)
HISTOGRAMS = st.fixed_dictionaries(
    {},
    optional=POINT
    | {
        "count": UINT64,
        "sum": st.floats(),
        "min": st.floats(),
        "max": st.floats(),
        "bucket_counts": COUNTS,
        "explicit_bounds": st.lists(st.floats(), max_size=4),
        "exemplars": st.just([{"as_double": 1.0, "trace_id": bytes(range(16))}]),
    },
)
BUCKETS = st.fixed_dictionaries({}, optional={"offset": INT32, "bucket_counts": COUNTS})
EXPONENTIAL_HISTOGRAMS = st.fixed_dictionaries(
    {},
    optional=POINT
    | {
        "count": UINT64,
        "sum": st.floats(),
        "min": st.floats(),
        "max": st.floats(),
        "scale": INT32,
        "zero_count": UINT64,
        "zero_threshold": st.floats(),
        "positive": BUCKETS,
        "negative": BUCKETS,
    },
)
SUMMARIES = st.fixed_dictionaries(
    {},
    optional=POINT
    | {
        "count": UINT64,
        "sum": st.floats(),
        "quantile_values": st.lists(
            st.fixed_dictionaries({}, optional={"quantile": st.floats(0, 1), "value": st.floats()}), max_size=3
        ),
    },
)


def _points(points: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"data_points": st.lists(points, max_size=3)}, optional=fields)


TEMPORALITIES = st.integers(0, 2)
METRIC = {
    "name": TEXT,
    "description": TEXT,
    "unit": TEXT,
    "metadata": st.lists(
        st.builds(
            lambda kind: KeyValue(key="run.metric.kind", value=AnyValue(string_value=kind)),
            st.sampled_from(["scalar", "list", "row", "table", "sum", "predictions"]),
        ),
        max_size=1,
    ),
}
METRICS = st.one_of(
    message(Metric, **METRIC, **{field: data})
    for field, data in {
        "gauge": _points(NUMBERS),
        "sum": _points(NUMBERS, aggregation_temporality=TEMPORALITIES, is_monotonic=st.booleans()),
        "histogram": _points(HISTOGRAMS, aggregation_temporality=TEMPORALITIES),
        "exponential_histogram": _points(EXPONENTIAL_HISTOGRAMS, aggregation_temporality=TEMPORALITIES),
        "summary": _points(SUMMARIES),
    }.items()
)


def _nested(kind: Any, signal: str, records_name: str, records: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    scopes = st.fixed_dictionaries({records_name: st.lists(records, max_size=4)}, optional={"scope": SCOPES})
    resources = st.fixed_dictionaries(
        {f"scope_{signal}": st.lists(scopes, max_size=2)}, optional={"resource": RESOURCES, "schema_url": TEXT}
    )
    return st.lists(resources, max_size=2).map(lambda items: kind(**{f"resource_{signal}": items}))


SPANS = st.fixed_dictionaries(
    {},
    optional={
        "trace_id": IDS,
        "span_id": IDS,
        "parent_span_id": IDS,
        "name": TEXT,
        "kind": st.integers(0, 5),
        "start_time_unix_nano": UINT64,
        "end_time_unix_nano": UINT64,
        "attributes": ATTRIBUTES,
        "events": st.lists(st.fixed_dictionaries({}, optional={"time_unix_nano": UINT64, "name": TEXT}), max_size=2),
        "links": st.lists(st.fixed_dictionaries({}, optional={"trace_id": IDS, "span_id": IDS}), max_size=2),
        "status": st.fixed_dictionaries({}, optional={"message": TEXT, "code": st.integers(0, 2)}),
    },
)

LOG_REQUESTS = _nested(ExportLogsServiceRequest, "logs", "log_records", LOG_RECORDS)
METRIC_REQUESTS = _nested(ExportMetricsServiceRequest, "metrics", "metrics", METRICS)
TRACE_REQUESTS = _nested(ExportTraceServiceRequest, "spans", "spans", SPANS)
