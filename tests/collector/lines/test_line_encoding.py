"""Gathered lines as OTLP: what the official classes read is what was gathered."""

from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.entry import Entry
from runmill.otlp.count import count_records

LINES = st.tuples(
    st.just(0), st.just(0), st.integers(0, 2**63 - 1), st.sampled_from(["stdout", "stderr", None]),
    st.text(max_size=200).map(lambda text: text.encode(errors="replace")),
)  # fmt: skip


def decode(payload):
    """(resource, scope, time, observed, body, attributes) of each record."""
    request = ExportLogsServiceRequest.FromString(payload)
    return [
        (
            {pair.key: pair.value.string_value for pair in resource.resource.attributes},
            scope.scope.name,
            record.time_unix_nano,
            record.observed_time_unix_nano,
            record.body.string_value,
            {pair.key: pair.value.string_value for pair in record.attributes},
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


@given(st.lists(LINES, max_size=20))
def test_lines_are_encoded_as_they_are(lines):
    """Text, time and stream, with the attributes of their file."""
    payload = encode(lines, Origin({"r": "1"}, {"log.file.name": "a"}), observed_unix_nano=7)
    assert decode(payload) == [
        ({"r": "1"}, "", time, 7, text.decode(), {"log.file.name": "a"} | ({"log.iostream": stream} if stream else {}))
        for _, _, time, stream, text in lines
    ]
    assert count_records("logs", payload) == len(lines)


def test_entries_keep_their_order_among_lines():
    """A record with another scope or resource does not move."""
    entries = [
        (0, 0, 1, None, b"a"), Entry(1, 1, 2, None, "b", scope="app"), (2, 2, 3, None, b"c"),
        Entry(3, 3, 4, None, "d", resource=(("k", "v"),)),
    ]  # fmt: skip
    found = decode(encode(entries, Origin({}, {}), observed_unix_nano=7))
    assert [(resource, scope, body) for resource, scope, _, _, body, _ in found] == [
        ({}, "", "a"), ({}, "app", "b"), ({}, "", "c"), ({"k": "v"}, "", "d"),
    ]  # fmt: skip


def test_an_entry_is_encoded_whole():
    """Every field has its place."""
    entry = Entry(
        0, 0, 5, "stderr", {"a": 1}, severity_number=17, severity_text="ERROR", scope="app", attributes={"n": 2.5},
        trace_id="01" * 16, span_id="02" * 8, trace_flags=1, event_name="e", dropped_attributes_count=3,
    )  # fmt: skip
    request = ExportLogsServiceRequest.FromString(encode([entry], Origin({}, {}), observed_unix_nano=7))
    [record] = request.resource_logs[0].scope_logs[0].log_records
    assert MessageToDict(record) == {
        "timeUnixNano": "5", "observedTimeUnixNano": "7", "severityNumber": "SEVERITY_NUMBER_ERROR",
        "severityText": "ERROR", "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
        "attributes": [
            {"key": "n", "value": {"doubleValue": 2.5}}, {"key": "log.iostream", "value": {"stringValue": "stderr"}},
        ],
        "droppedAttributesCount": 3, "flags": 1, "traceId": "AQEBAQEBAQEBAQEBAQEBAQ==", "spanId": "AgICAgICAgI=",
        "eventName": "e",
    }  # fmt: skip


def test_nothing_is_no_request():
    """No records, no bytes."""
    assert encode([], Origin({"r": "1"}, {}), observed_unix_nano=7) == b""
