"""Requests become tables that hold what the official classes read in them."""

import json
from contextlib import suppress

import oracle
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

import strategies
from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES
from runmill.errors import WireError
from runmill.otlp.columns import decode_logs, decode_metrics

TIME = 1_700_000_000_000_000_000


def logs(*records, attributes=()):
    """Decode records of one resource and scope."""
    request = ExportLogsServiceRequest(
        resource_logs=[
            {
                "resource": {"attributes": attributes},
                "scope_logs": [{"scope": {"name": "app"}, "log_records": records}],
            }
        ]
    )
    return decode_logs(request.SerializeToString(), received_unix_nano=oracle.RECEIVED)


def text(key, value):
    return {"key": key, "value": {"string_value": value}}


@given(strategies.LOG_REQUESTS)
def test_logs_are_what_the_official_classes_read(request):
    """Every column of every record is what a walk over the official classes finds."""
    columns = decode_logs(request.SerializeToString(), received_unix_nano=oracle.RECEIVED)
    found = columns.logs.drop_columns(["resource_id"]).to_pylist()
    for row in found:
        row["attributes"] = json.loads(row["attributes"])
        row["body"] = json.loads(row["body"]) if row["body_is_json"] else row["body"]
    assert list(map(repr, found)) == list(map(repr, oracle.log_rows(request)))


@given(strategies.METRIC_REQUESTS)
def test_points_are_what_the_official_classes_read(request):
    """Every column of every data point, of any kind, is what a walk over the official classes finds."""
    columns = decode_metrics(request.SerializeToString(), received_unix_nano=oracle.RECEIVED)
    found = oracle.rows(columns.points.drop_columns(["resource_id"]), "attributes", "value_json")
    assert found == list(map(repr, oracle.point_rows(request)))


@given(st.binary() | strategies.LOG_REQUESTS.map(lambda request: request.SerializeToString()[1:]))
def test_arbitrary_bytes_are_decoded_or_a_wire_error(payload):
    """Whatever the bytes are, nothing but WireError is raised."""
    for decode in (decode_logs, decode_metrics):
        with suppress(WireError):
            decode(payload)


@given(strategies.LOG_REQUESTS, st.data())
def test_a_damaged_request_is_decoded_or_a_wire_error(request, data):
    """Nor when one byte of a good request has changed."""
    payload = bytearray(request.SerializeToString() or b"\0")
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        decode_logs(bytes(payload))


def test_a_wire_error_says_what_was_wrong():
    """Text in place of protobuf is refused with its size and what it should have been."""
    with pytest.raises(WireError, match=r"^9 bytes are not a protobuf LogsRequest of OTLP: "):
        decode_logs(b"not proto")


@pytest.mark.parametrize("decode", [decode_logs, decode_metrics])
def test_an_empty_request_gives_empty_tables(decode):
    """No bytes are a request without records; every table has its schema."""
    columns = decode(b"")
    tables = (columns.logs, columns.points, columns.events, columns.artifacts, columns.resources)
    assert [table.schema for table in tables] == [LOGS, POINTS, EVENTS, ARTIFACTS, RESOURCES]
    assert [len(table) for table in tables] == [0] * 5


def test_text_that_is_no_utf8_costs_only_itself():
    """A bad character in one record is replaced there, and every other record is as it was."""
    request = ExportLogsServiceRequest(
        resource_logs=[
            {
                "resource": {"attributes": [text("service.name", "ser__")]},
                "scope_logs": [
                    {
                        "scope": {"name": "log__"},
                        "log_records": [
                            {
                                "body": {"string_value": "b__"},
                                "severity_text": "s__",
                                "attributes": [text("k__", "v__")],
                            },
                            {"body": {"string_value": "fine é"}},
                        ],
                    }
                ],
            }
        ]
    )
    columns = decode_logs(request.SerializeToString().replace(b"__", b"\xff\xfe"))
    found = columns.logs.select(["body", "severity_text", "attributes", "service", "logger"]).to_pylist()
    common = {"service": "ser��", "logger": "log��"}
    assert found == [
        {"body": "b��", "severity_text": "s��", "attributes": '{"k��":"v��"}', **common},
        {"body": "fine é", "severity_text": "", "attributes": "{}", **common},
    ]


def test_what_is_not_an_attribute_is_kept_as_bytes():
    """Bytes that are no KeyValue stay with their record, whose other attributes are read."""
    broken = b"\x0a\xff"
    record = b"\x32" + bytes([len(broken)]) + broken + b"\x32\x07\x0a\x01a\x12\x02\x18\x05"
    scope_logs = b"\x12" + bytes([len(record)]) + record
    resource_logs = b"\x12" + bytes([len(scope_logs)]) + scope_logs
    columns = decode_logs(b"\x0a" + bytes([len(resource_logs)]) + resource_logs)
    assert columns.logs["attributes"].to_pylist() == ['{"$undecodable":{"$bytes":"Cv8="},"a":5}']


@pytest.mark.parametrize(("stream", "expected"), [("stdout", "stdout"), ("stderr", "stderr"), ("other", None)])
def test_a_stream_is_lifted_out_of_the_attributes(stream, expected):
    """`log.iostream` fills the column and stays among the attributes."""
    table = logs({"attributes": [text("log.iostream", stream)]}).logs
    assert table.select(["stream", "attributes"]).to_pylist() == [
        {"stream": expected, "attributes": f'{{"log.iostream":"{stream}"}}'}
    ]


def test_a_resource_has_one_id_whatever_the_order_of_its_attributes():
    """The id is that of the meaning, so two processes that say the same thing share a row."""
    a, b = text("service.name", "x"), text("host.name", "y")
    first, second = logs({}, attributes=[a, b]), logs({}, attributes=[b, a])
    assert first.resources.equals(second.resources)
    assert first.resources["attributes"].to_pylist() == ['{"host.name":"y","service.name":"x"}']
    assert first.logs["resource_id"].to_pylist() == first.resources["resource_id"].to_pylist()


def test_a_resource_without_records_is_left_out():
    """An empty envelope adds no row anywhere."""
    assert logs(attributes=[text("service.name", "x")]).resources.num_rows == 0


def test_records_of_several_scopes_keep_their_order_and_their_logger():
    """Rows come in the order of the request, each with what its own scope and resource say."""
    request = ExportLogsServiceRequest(
        resource_logs=[
            {
                "resource": {"attributes": [text("run.id", run)]},
                "scope_logs": [
                    {"scope": {"name": f"{run}.{name}"}, "log_records": [{"body": {"string_value": name}}] * 2}
                    for name in ("x", "y")
                ],
            }
            for run in ("r1", "r2")
        ]
    )
    table = decode_logs(request.SerializeToString()).logs
    found = list(zip(*(table[name].to_pylist() for name in ("run_id", "logger", "body")), strict=True))
    assert found == [(run, f"{run}.{name}", name) for run in ("r1", "r2") for name in "xy" for _ in range(2)]


def test_more_attributes_than_the_cache_holds_are_all_read():
    """A value that is new in every record is decoded like one that recurs."""
    count = 5000
    table = logs(
        *({"attributes": [{"key": "i", "value": {"int_value": i}}, text("a", "b")]} for i in range(count))
    ).logs
    assert table["attributes"].to_pylist() == [f'{{"i":{i},"a":"b"}}' for i in range(count)]


def test_points_of_a_run_are_lifted_even_without_the_metadata():
    """A collector that does not know a metric's metadata drops it; step, index and column are still columns."""
    point = {
        "time_unix_nano": TIME,
        "as_int": 7,
        "attributes": [
            {"key": "run.step", "value": {"int_value": 3}},
            {"key": "run.row", "value": {"int_value": 1}},
            text("run.column", "x"),
            text("color", "red"),
        ],
    }
    request = ExportMetricsServiceRequest(
        resource_metrics=[{"scope_metrics": [{"metrics": [{"name": "m", "gauge": {"data_points": [point]}}]}]}]
    )
    table = decode_metrics(request.SerializeToString()).points
    names = ["kind", "step", "index", "column", "value", "value_int", "attributes"]
    assert table.select(names).to_pylist() == [
        dict(zip(names, ("gauge", 3, 1, "x", 7.0, 7, '{"color":"red"}'), strict=True))
    ]


def test_tables_can_be_joined():
    """Tables of any two requests concatenate: their schemas are the same to the last flag."""
    assert pa.concat_tables([logs({}).logs, logs().logs, decode_metrics(b"").logs]).schema == LOGS
