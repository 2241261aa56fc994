"""The hand-written reader of partial successes agrees with the official classes."""

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from runmill.otlp.partial import PartialSuccess, decode_partial_success, parse_partial_success


@given(st.integers(0, 2**63 - 1), st.text())
def test_a_partial_success_is_read(count: int, message: str) -> None:
    """Count and words come back; nothing at all when everything was taken."""
    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = count
    response.partial_success.error_message = message
    expected = PartialSuccess(count, message) if count or message else None
    assert decode_partial_success(response.SerializeToString()) == expected
    assert parse_partial_success(MessageToJson(response).encode()) == expected


@given(st.binary())
def test_other_bytes_are_no_partial_success(raw: bytes) -> None:
    """Whatever a receiver answers, reading it raises nothing."""
    decode_partial_success(raw)
    parse_partial_success(raw)


def test_an_empty_response_is_a_full_success() -> None:
    """Unset is what the specification wants for success."""
    assert decode_partial_success(ExportLogsServiceResponse().SerializeToString()) is None


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"partialSuccess": null}', b'{"partialSuccess": {"rejectedX": {}}}'])
def test_other_json_is_no_partial_success(text: bytes) -> None:
    """As bytes that are none."""
    assert parse_partial_success(text) is None
