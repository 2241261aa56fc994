"""A receiver knows how many records came, and that they can be decoded."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from runmill.errors import WireError
from runmill.otlp.columns import decode_logs, decode_metrics
from runmill.otlp.count import count_records


@given(strategies.LOG_REQUESTS)
def test_log_records_are_counted(request):
    """One for each, whatever it is."""
    expected = sum(len(s.log_records) for r in request.resource_logs for s in r.scope_logs)
    assert count_records("logs", request.SerializeToString()) == expected


@given(strategies.METRIC_REQUESTS)
def test_data_points_are_counted(request):
    """Points of every kind; a metric without data has none."""
    metrics = [m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics]
    expected = sum(len(getattr(m, m.WhichOneof("data")).data_points) for m in metrics if m.WhichOneof("data"))
    assert count_records("metrics", request.SerializeToString()) == expected


@given(strategies.TRACE_REQUESTS)
def test_spans_are_counted(request):
    """Spans are passed on, so they are counted too."""
    expected = sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
    assert count_records("traces", request.SerializeToString()) == expected


@given(st.sampled_from(["logs", "metrics", "traces", "profiles"]), st.binary())
def test_arbitrary_bytes_are_counted_or_a_wire_error(signal, payload):
    """Whatever the bytes are, nothing but WireError is raised."""
    with suppress(WireError):
        count_records(signal, payload)


@given(st.binary() | strategies.LOG_REQUESTS.map(lambda request: request.SerializeToString()[:-1]))
def test_what_was_counted_can_be_decoded(payload):
    """A request that a receiver took can never turn out to be unreadable."""
    for signal, decode in (("logs", decode_logs), ("metrics", decode_metrics)):
        with suppress(WireError):
            count_records(signal, payload)
            try:
                decode(payload)
            except WireError:
                pytest.fail(f"{payload!r} was counted")
