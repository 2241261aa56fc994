"""A record that was written as a line of JSON is read back as the very same record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from test_encode import LOGS

from runmill.errors import WireError
from runmill.journal.records import LOG, Log
from runmill.otlp.encode import encode_logs
from runmill.otlp.json_line import decode_line, encode_line
from runmill.otlp.severity import from_levelno, to_levelno

TRAIN = Log(
    LOG, 1_790_000_000_123_456_789, None, "app.train", 20, "INFO", "epoch 3 done", {"loss": 0.25, "raw": b"\0\xff"},
    "train.py", 17, "main", 0, "", "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", 1, 0,
)  # fmt: skip


def on_the_wire(log: Log) -> tuple[str, dict[str, bytes]]:
    """Everything of a record: its fields, and its attributes in no order, the last of a name counting."""
    request = ExportLogsServiceRequest.FromString(encode_logs([log._replace(run_key=None)], lambda _key: b""))
    [record] = request.resource_logs[0].scope_logs[0].log_records
    attributes = {pair.key: pair.value.SerializeToString(deterministic=True) for pair in record.attributes}
    del record.attributes[:]
    return str(record), attributes


def test_a_line_is_named_as_open_telemetry_names_things() -> None:
    """The whole line, as a person or jq sees it."""
    assert json.loads(encode_line(TRAIN)) == {
        "timestamp": "2026-09-21T14:13:20.123456789Z",
        "severity_text": "INFO",
        "severity_number": 9,
        "logger": "app.train",
        "body": "epoch 3 done",
        "attributes": {
            "loss": 0.25,
            "raw": {"$bytes": "AP8="},
            "code.file.path": "train.py",
            "code.line.number": 17,
            "code.function.name": "main",
        },
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "trace_flags": 1,
    }


@given(LOGS)
def test_what_is_written_is_read_back(log: Log) -> None:
    """Any record: text, numbers, bytes, NaN, maps that look like our own marks."""
    line = encode_line(log)
    assert "\n" not in line
    assert line.isascii()
    assert on_the_wire(decode_line(line)) == on_the_wire(log)


@given(st.integers(0, 24))
def test_levels_and_severities_go_both_ways(number: int) -> None:
    """Every severity number has a level that means it."""
    assert from_levelno(to_levelno(number)) == number


@pytest.mark.parametrize("line", ["", "plain text", "[]", "{}", '{"message": "other"}', '{"a": ' * 20_000])
def test_other_lines_are_refused(line: str) -> None:
    """What is no such line is said to be none."""
    with pytest.raises(WireError, match=r"^not a log record as runmill writes it"):
        decode_line(line)


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_only_wire_errors_escape(line: str) -> None:
    """Whatever a line says, it is read or refused."""
    with pytest.raises(WireError):
        decode_line(line)
