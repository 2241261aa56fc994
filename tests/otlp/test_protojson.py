"""OTLP/JSON stands for the same request as its protobuf."""

import base64
import json
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import strategies
from runmill.errors import WireError
from runmill.otlp.columns import decode_logs
from runmill.otlp.protojson import to_protobuf
from runmill.otlp.values import MAX_DEPTH

GOLDEN = Path(__file__).parent.parent / "golden" / "otlp"
REQUESTS = {
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
}


def as_dict(request):
    return MessageToDict(request, use_integers_for_enums=True)


def as_otlp(node):
    """Write ids as OTLP does, not as proto3's JSON."""
    if isinstance(node, list):
        return [as_otlp(item) for item in node]
    if not isinstance(node, dict):
        return node
    ids = {"traceId", "spanId", "parentSpanId"}
    return {key: base64.b64decode(item).hex() if key in ids else as_otlp(item) for key, item in node.items()}


def read(signal, document):
    payload = document if isinstance(document, bytes) else orjson.dumps(document)
    return as_dict(REQUESTS[signal].FromString(to_protobuf(signal, payload)))


@pytest.mark.parametrize(
    ("signal", "requests"),
    [
        ("logs", strategies.LOG_REQUESTS),
        ("metrics", strategies.METRIC_REQUESTS),
        ("traces", strategies.TRACE_REQUESTS),
    ],
)
def test_json_stands_for_its_protobuf(signal, requests):
    """Any request, written as JSON by the official library, comes back whole."""

    @given(requests)
    def check(request):
        document = as_dict(request)
        assert read(signal, as_otlp(document)) == document

    check()


@given(st.sampled_from(["logs", "metrics", "traces"]), st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_read_or_a_wire_error(signal, payload):
    """Whatever the bytes are, nothing but WireError is raised."""
    with suppress(WireError):
        to_protobuf(signal, payload)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceLogs", "scopeLogs", "logRecords", "body", "arrayValue", "values", "intValue"]),
            inner,
            max_size=3,
        )
    ),
)


@given(JSON_VALUES)
def test_any_json_is_read_or_a_wire_error(document):
    """Nor when it is JSON with the right names in the wrong places; what is read is a request."""
    with suppress(WireError):
        decode_logs(to_protobuf("logs", json.dumps(document).encode()))


def logs(record):
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
def test_an_empty_object_is_an_empty_request(signal):
    """As OTLP has it, `{}` is valid."""
    assert to_protobuf(signal, b"{}") == b""


@pytest.mark.parametrize(
    ("given_record", "meant"),
    [
        ({"timeUnixNano": 5, "severityNumber": 9.0}, {"timeUnixNano": "5", "severityNumber": 9}),
        ({"timeUnixNano": "18446744073709551615"}, {"timeUnixNano": "18446744073709551615"}),
        ({"body": {"intValue": -1}}, {"body": {"intValue": "-1"}}),
        ({"body": {"doubleValue": "-Infinity"}}, {"body": {"doubleValue": "-Infinity"}}),
        ({"body": {"doubleValue": "1.5"}}, {"body": {"doubleValue": 1.5}}),
        ({"body": {"doubleValue": 3}}, {"body": {"doubleValue": 3.0}}),
        ({"body": {"bytesValue": "-_8"}}, {"body": {"bytesValue": "+/8="}}),
        ({"body": {"boolValue": False}}, {"body": {"boolValue": False}}),
        ({"traceId": "AB" * 16, "spanId": "cd" * 8}, {"traceId": "q6urq6urq6urq6urq6urqw==", "spanId": "zc3Nzc3Nzc0="}),
        ({"unknown": {"a": [1]}, "severityText": None, "severity_text": "x"}, {}),
    ],
)
def test_every_spelling_that_otlp_allows_is_read(given_record, meant):
    """64-bit integers as text or numbers, ids in any case, both alphabets of base64; other names are ignored."""
    assert read("logs", logs(given_record)) == logs(meant)


def test_half_a_surrogate_pair_costs_only_itself():
    """JavaScript writes what is no text; the record and those beside it arrive."""
    payload = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a\\ud800b"}}]}]}]}'
    assert read("logs", payload) == logs({"body": {"stringValue": "a?b"}})


def test_a_bare_nan_is_read():
    """Python's own json writes NaN without quotes; a point is not lost for it."""
    payload = json.dumps(logs({"body": {"doubleValue": float("nan")}})).encode()
    assert read("logs", payload) == logs({"body": {"doubleValue": "NaN"}})


def test_what_is_nested_too_deep_is_cut():
    """The request is taken, with a text in place of what is too deep for any parser behind."""
    value = {"stringValue": "deep"}
    for _ in range(300):
        value = {"arrayValue": {"values": [value]}}
    [body] = decode_logs(to_protobuf("logs", json.dumps(logs({"body": value})).encode())).logs["body"].to_pylist()
    assert body == "[" * MAX_DEPTH + f'"[cut: nested deeper than {MAX_DEPTH} levels]"' + "]" * MAX_DEPTH


RECORD = "resourceLogs[0].scopeLogs[0].logRecords[0]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the request: an array is not an object"),
        ({"resourceLogs": {}}, "resourceLogs: an object is not an array"),
        ({"resourceLogs": [1]}, "resourceLogs[0]: 1 is not an object"),
        (logs({"timeUnixNano": "soon"}), f"{RECORD}.timeUnixNano: 'soon' is not an unsigned integer of 64 bits"),
        (logs({"timeUnixNano": -1}), f"{RECORD}.timeUnixNano: -1 is not an unsigned integer of 64 bits"),
        (logs({"timeUnixNano": 1.5}), f"{RECORD}.timeUnixNano: 1.5 is not an unsigned integer of 64 bits"),
        (logs({"timeUnixNano": True}), f"{RECORD}.timeUnixNano: True is not an unsigned integer of 64 bits"),
        (logs({"flags": 2**32}), f"{RECORD}.flags: 4294967296 is not an unsigned integer of 32 bits"),
        (logs({"severityNumber": "INFO"}), f"{RECORD}.severityNumber: 'INFO' is not a signed integer of 32 bits"),
        (logs({"severityText": 5}), f"{RECORD}.severityText: 5 is not a string"),
        (logs({"traceId": "xyz"}), f"{RECORD}.traceId: 'xyz' is not an id in hexadecimal digits"),
        (logs({"traceId": 7}), f"{RECORD}.traceId: 7 is not an id in hexadecimal digits"),
        (logs({"body": "text"}), f"{RECORD}.body: 'text' is not an object"),
        (logs({"body": {"boolValue": 1}}), f"{RECORD}.body.boolValue: 1 is not true or false"),
        (logs({"body": {"doubleValue": "x"}}), f"{RECORD}.body.doubleValue: 'x' is not a number"),
        (logs({"body": {"bytesValue": "?"}}), f"{RECORD}.body.bytesValue: '?' is not base64"),
        (logs({"body": {"bytesValue": 1}}), f"{RECORD}.body.bytesValue: 1 is not base64"),
        (logs({"attributes": [{}, {"key": 1}]}), f"{RECORD}.attributes[1].key: 1 is not a string"),
        (logs({"traceId": "x" * 99}), f"{RECORD}.traceId: '{'x' * 60}'... is not an id in hexadecimal digits"),
    ],
)
def test_a_mistake_is_named_with_its_place(document, message):
    """The error says where in the request it is, what stands there and what should."""
    with pytest.raises(WireError) as caught:
        to_protobuf("logs", orjson.dumps(document))
    assert str(caught.value) == f"OTLP/JSON logs: {message}"


def test_what_is_no_json_says_so():
    """A body that is not JSON at all is refused with its size."""
    with pytest.raises(WireError, match=r"^OTLP/JSON: 6 bytes are not JSON: "):
        to_protobuf("logs", b"{oops}")


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_json_nested_without_end_is_a_wire_error(depth):
    """Brackets by the hundred thousand do not end the process."""
    with pytest.raises(WireError, match=r"^OTLP/JSON"):
        to_protobuf("logs", b'{"resourceLogs":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
def test_golden_examples(signal):
    """Requests written by hand from the specification are those of the protobuf text beside them."""
    expected = json.loads((GOLDEN / f"{signal}.meant.json").read_text())
    assert read(signal, (GOLDEN / f"{signal}.json").read_bytes()) == expected
