"""Answers are what the official classes read, in the encoding of the request."""

import json

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from runmill.otlp import status


def test_success_is_a_response_without_partial_success():
    """All was taken: the one field is unset, in both encodings."""
    response = ExportLogsServiceResponse.FromString(status.encode_success(media_type=status.PROTOBUF))
    assert not response.HasField("partial_success")
    assert status.encode_success(media_type=status.JSON) == b"{}"


@pytest.mark.parametrize(("http_status", "code"), [(400, 3), (413, 8), (415, 3), (429, 8), (503, 14), (418, 2)])
@pytest.mark.parametrize("message", ["resourceLogs[0]: 'é' is not an object", "long " * 100, "half a pair \ud800"])
def test_failure_is_a_status(http_status, code, message):
    """Code and text are read by the official class, and stand in the JSON."""
    found = Status.FromString(status.encode_failure(http_status, message, media_type=status.PROTOBUF))
    assert (found.code, found.message) == (code, message.encode("utf-8", "replace").decode())
    document = json.loads(status.encode_failure(http_status, message, media_type=status.JSON))
    assert document == {"code": code, "message": message}


@pytest.mark.parametrize(
    ("http_status", "outcome"),
    [(200, "accepted"), (202, "accepted"), (429, "retry"), (502, "retry"), (503, "retry"), (504, "retry")]
    + [(each, "never") for each in (301, 400, 401, 404, 413, 500, 501)],
)
def test_an_http_status_says_whether_to_try_again(http_status, outcome):
    """Only what the specification lists is tried again."""
    assert status.outcome_of_http(http_status) == outcome


@pytest.mark.parametrize(
    ("code", "has_retry_info", "outcome"),
    [(0, False, "accepted"), (8, False, "never"), (8, True, "retry")]
    + [(each, False, "retry") for each in (1, 4, 10, 11, 14, 15)]
    + [(each, True, "never") for each in (2, 3, 5, 6, 7, 9, 12, 13, 16)],
)
def test_a_grpc_code_says_whether_to_try_again(code, has_retry_info, outcome):
    """RESOURCE_EXHAUSTED is tried again only where the answer says when."""
    assert status.outcome_of_grpc(code, has_retry_info=has_retry_info) == outcome
