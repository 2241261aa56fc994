"""Bytes as no official class writes them are read as the official classes read them."""

import json

import oracle
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

import strategies
from runmill.errors import WireError
from runmill.otlp import native
from runmill.otlp.columns import decode_logs, decode_metrics
from runmill.otlp.schema import KeyValue, LogsRequest, parse
from runmill.otlp.values import decode_attributes, dumps_object
from runmill.otlp.wire import varint

ATTRIBUTES = 6
"""The field of a log record."""
GROUP = b"\x0b\x08\x05\x13\x14\x0c"
"""A group with a number and a group in it, which OTLP does not have."""


def field(number, raw):
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def sent(*records):
    """Give a request of log records in bytes."""
    return field(1, field(2, b"".join(field(2, record) for record in records)))


def joined(parts):
    """Give messages one after another, which is one message."""
    return b"".join(part.SerializeToString() for part in parts)


def is_single(pair):
    # Here a list or map is bytes, so that of two the last counts; the official classes add them together.
    return pair.value.WhichOneof("value") not in ("array_value", "kvlist_value")


RECORDS = strategies.message(
    LogRecord,
    time_unix_nano=strategies.TIMES,
    severity_number=strategies.INT32,
    body=strategies.KEY_VALUES.filter(is_single).map(lambda pair: pair.value),
    attributes=strategies.ATTRIBUTES,
    trace_id=strategies.IDS,
    event_name=strategies.TEXT,
)


@st.composite
def damaged(draw, messages):
    """Give the bytes of one of *messages* with a few of them taken out, put in or changed."""
    payload = draw(messages).SerializeToString()
    start = draw(st.integers(0, len(payload)))
    end = draw(st.integers(start, min(start + 3, len(payload))))
    return payload[:start] + draw(st.binary(max_size=3)) + payload[end:]


def assert_read_as_official(payload):
    request = ExportLogsServiceRequest.FromString(payload)
    found = decode_logs(payload, received_unix_nano=oracle.RECEIVED).logs.drop_columns(["resource_id"]).to_pylist()
    for row in found:
        row["attributes"] = json.loads(row["attributes"])
        row["body"] = json.loads(row["body"]) if row["body_is_json"] else row["body"]
    assert list(map(repr, found)) == list(map(repr, oracle.log_rows(request)))


@given(st.lists(st.lists(RECORDS, min_size=1, max_size=3), max_size=3))
def test_what_is_sent_in_parts_is_one_record(records):
    """Of a field that is there twice the last counts, whatever its type; bodies are merged, attributes added."""
    assert_read_as_official(sent(*map(joined, records)))


@given(st.lists(st.lists(strategies.KEY_VALUES.filter(is_single), min_size=1, max_size=2), max_size=4))
def test_an_attribute_sent_in_parts_is_one(attributes):
    """Of several values the last one sent counts, and so for the key."""
    assert_read_as_official(sent(b"".join(field(ATTRIBUTES, joined(parts)) for parts in attributes)))


@given(st.lists(strategies.KEY_VALUES, max_size=3), strategies.LOG_RECORDS)
def test_fields_of_no_schema_are_passed_over(attributes, record):
    """Unknown fields and groups, in a record and in its attributes, change nothing."""
    known = b"".join(field(ATTRIBUTES, GROUP + attribute.SerializeToString()) for attribute in attributes)
    payload = sent(GROUP + record.SerializeToString() + known + field(1000, b"later"))
    assert_read_as_official(GROUP + payload)


def test_a_field_of_number_0_that_nobody_knows_changes_nothing():
    """Inside a group the C parser passes over it; the native reader, which does not, gets what is known alone."""
    odd = varint(30 << 3 | 3) + b"\x00\x01" + varint(30 << 3 | 4)
    payload = sent(odd + LogRecord(severity_text="a").SerializeToString() + field(ATTRIBUTES, odd + b"\x0a\x01k"))
    assert_read_as_official(payload)


@given(damaged(strategies.LOG_REQUESTS))
def test_a_damaged_request_is_what_the_c_parser_still_finds_in_it(payload):
    """Bytes taken out or put in somewhere: read as when the C parser's message is written anew."""
    try:
        request = parse(LogsRequest, payload)
    except WireError:
        assume(False)
    request.DiscardUnknownFields()
    found, expected = (
        decode_logs(each, received_unix_nano=oracle.RECEIVED) for each in (payload, request.SerializeToString())
    )
    assert found == expected


@given(st.lists(damaged(strategies.KEY_VALUES), max_size=5))
def test_damaged_attributes_are_those_read_one_by_one(raws):
    """Read as columns or each on its own, the same comes out."""
    columns = decode_logs(sent(b"".join(field(ATTRIBUTES, raw) for raw in raws)))
    assert columns.logs["attributes"].to_pylist() == [dumps_object(decode_attributes(raws)).decode()]


@given(st.lists(strategies.METRIC_REQUESTS, min_size=2, max_size=3))
def test_metrics_of_all_kinds_keep_their_order(requests):
    """Points that are numbers and points that are documents come in the order they were sent in."""
    payload = b"".join(request.SerializeToString() for request in requests)
    columns = decode_metrics(payload, received_unix_nano=oracle.RECEIVED)
    found = oracle.rows(columns.points.drop_columns(["resource_id"]), "attributes", "value_json")
    assert found == list(map(repr, oracle.point_rows(ExportMetricsServiceRequest.FromString(payload))))


def test_one_attribute_that_is_none_costs_the_others_nothing():
    """Beside bytes that are no attribute, the attributes of all records are what they are without."""
    plain = field(ATTRIBUTES, b"\x0a\x01k\x12\x02\x18\x05") + field(ATTRIBUTES, b"\x0a\x01d\x12\x09\x21" + bytes(8))
    broken = field(ATTRIBUTES, b"\x0a" + b"\xff" * 9 + b"\x01")  # which says it is longer than any memory
    columns = decode_logs(sent(plain, broken, plain))
    expected = ['{"k":5,"d":0.0}', '{"$undecodable":{"$bytes":"Cv///////////wE="}}', '{"k":5,"d":0.0}']
    assert columns.logs["attributes"].to_pylist() == expected


def test_a_failure_of_the_native_reader_is_an_exception():
    """Bytes it was promised not to get make it panic; what comes out is an error like any other."""
    with pytest.raises(RuntimeError, match="ptars failed: "):
        native.row(KeyValue, b"\x0a" + b"\xff" * 9 + b"\x01")


def test_attributes_are_not_read_when_one_is_none():
    """A length beyond the end never comes to the native reader."""
    assert native.key_values(pa.array([b"\x0a\x01k", b"\x0a" + b"\xff" * 9 + b"\x01"], pa.binary())) is None
