"""A request that is too large becomes several: every record once, in its order, with its resource and scope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import strategies
from runmill.errors import WireError
from runmill.otlp.count import count_records
from runmill.otlp.divide import divide

REQUESTS = {
    "logs": (ExportLogsServiceRequest, strategies.LOG_REQUESTS, ("resource_logs", "scope_logs", "log_records")),
    "traces": (ExportTraceServiceRequest, strategies.TRACE_REQUESTS, ("resource_spans", "scope_spans", "spans")),
    "metrics": (ExportMetricsServiceRequest, strategies.METRIC_REQUESTS, ("resource_metrics", "scope_metrics")),
}
SIGNALS = st.sampled_from(sorted(REQUESTS))
SIZERS = st.sampled_from(["items", "bytes"])


def records(signal, payload):
    """Each record with what says where it belongs."""
    kind, _, path = REQUESTS[signal]
    for resource in getattr(kind.FromString(payload), path[0]):
        for scope in getattr(resource, path[1]):
            place = (str(resource.resource), resource.schema_url, str(scope.scope), scope.schema_url)
            if signal != "metrics":
                yield from ((place, str(record)) for record in getattr(scope, path[2]))
                continue
            for metric in scope.metrics:
                if not (name := metric.WhichOneof("data")):
                    continue
                points = list(getattr(metric, name).data_points)
                del getattr(metric, name).data_points[:]
                yield from ((*place, str(metric), str(point)) for point in points)


@given(st.data(), SIGNALS, SIZERS, st.integers(1, 400))
def test_pieces_hold_every_record_as_it_was(data, signal, sizer, most):
    """With all that OTLP says of it, the schema's address and the metric's kind included; each piece says its count."""
    payload = data.draw(REQUESTS[signal][1]).SerializeToString()
    pieces = list(divide(signal, payload, most=most, sizer=sizer))
    assert [one for piece in pieces for one in records(signal, piece.payload)] == list(records(signal, payload))
    assert [count_records(signal, piece.payload) for piece in pieces] == [piece.record_count for piece in pieces]


@given(st.data(), SIGNALS, SIZERS, st.integers(1, 400))
def test_pieces_are_as_small_as_was_asked_for(data, signal, sizer, most):
    """But for a record that is too large for itself, which is sent alone; of records, all but the last are full."""
    payload = data.draw(REQUESTS[signal][1]).SerializeToString()
    pieces = list(divide(signal, payload, most=most, sizer=sizer))
    if sizer == "items":
        assert [piece.record_count for piece in pieces[:-1]] == [most] * len(pieces[:-1])
    else:
        assert [piece for piece in pieces if len(piece.payload) > most and piece.record_count > 1] == []


def test_bytes_that_are_no_request_are_a_wire_error():
    """Said by the first piece that is asked for."""
    with pytest.raises(WireError):
        next(divide("logs", b"\xff", most=1, sizer="items"))
