"""The file exporter: what was answered for is in the file, whole, and the file stays within its bounds."""

import asyncio
import os
import re
import resource
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from collector_fakes import batch, logs
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import strategies
from runmill.collector.component import Batch
from runmill.collector.exporters.file import FileExporter
from runmill.collector.exporters.file_config import FileConfig
from runmill.errors import Refused, Rejected
from runmill.otlp.protojson import to_protobuf
from runmill.otlp.to_json import to_json

NOW = datetime(2026, 9, 14, 5, 2, 14, 173_000, tzinfo=UTC)


async def write(path: Path, *batches: Batch, now: datetime = NOW, **settings) -> None:
    ticks = count()
    clock = lambda: now + timedelta(milliseconds=next(ticks))  # noqa: E731 - a clock that goes
    exporter = FileExporter(FileConfig(path=path, **settings), now=clock)
    await exporter.start()
    try:
        for one in batches:
            await exporter.consume(one)
    finally:
        await exporter.shutdown()


def read(path: Path) -> list[bytes]:
    """The requests of a file of lines, in protobuf."""
    return [to_protobuf("logs", line) for line in path.read_bytes().splitlines()]


def messages(path: Path) -> list[bytes]:
    """The messages of a file in which each stands behind its length."""
    raw, found = path.read_bytes(), []
    while raw:
        end = 4 + int.from_bytes(raw[:4], "big")
        found.append(raw[4:end])
        raw = raw[end:]
    return found


async def test_an_exporter_that_was_stopped_leaves_the_file_to_the_next(tmp_path):
    """At a reload two of them know the file: what comes to the first too late goes to the second, over nothing."""
    first, second = (FileExporter(FileConfig(path=tmp_path / "out.json", append=True)) for _ in range(2))
    await first.start()
    await first.consume(batch("a"))
    await first.shutdown()
    await second.start()
    with pytest.raises(Refused, match="not at work"):
        await first.consume(batch("b"))
    await second.consume(batch("b"))
    await second.shutdown()
    assert read(tmp_path / "out.json") == [logs("a"), logs("b")]


async def test_a_sender_that_goes_away_does_not_leave_the_file_to_two(tmp_path):
    """What a thread writes is written to its end before anybody else has the file."""
    exporter = FileExporter(FileConfig(path=tmp_path / "out.json"))
    await exporter.start()
    sending = asyncio.create_task(exporter.consume(batch(*["x" * 100] * 20_000)))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, exporter.consume(batch("b")), return_exceptions=True)
    await exporter.shutdown()
    assert [len(ExportLogsServiceRequest.FromString(one).resource_logs) for one in read(tmp_path / "out.json")] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("signal", "requests"),
    [
        ("logs", strategies.LOG_REQUESTS),
        ("metrics", strategies.METRIC_REQUESTS),
        ("traces", strategies.TRACE_REQUESTS),
    ],
)
def test_any_request_comes_back_whole_from_its_line(signal, requests):
    """OTLP/JSON of ours is read by our own reader as the very request it was, and is one line."""

    @given(requests)
    def check(request):
        line = to_json(signal, request.SerializeToString())
        assert b"\n" not in line
        found = type(request).FromString(to_protobuf(signal, line))
        assert MessageToDict(found) == MessageToDict(request)  # of a NaN, its bits may differ

    check()


async def test_a_line_is_an_export_request_in_otlp_json(tmp_path):
    """Ids in hexadecimal digits, enums and small numbers as numbers, 64 bits as text: what other tools read."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, severity_number=9)
    record.trace_id, record.body.string_value = bytes(range(16)), "hello"
    record.attributes.add(key="traceId").value.bytes_value = b"\xff"
    await write(tmp_path / "a.jsonl", Batch("logs", request.SerializeToString(), 1))
    written = {
        "timeUnixNano": "1",
        "severityNumber": 9,
        "body": {"stringValue": "hello"},
        "attributes": [{"key": "traceId", "value": {"bytesValue": "/w=="}}],
        "traceId": "000102030405060708090a0b0c0d0e0f",
    }
    assert [orjson.loads(line) for line in (tmp_path / "a.jsonl").read_bytes().splitlines()] == [
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [written]}]}]}
    ]


async def test_batches_at_once_are_lines_in_their_order(tmp_path):
    """Nothing is mixed or lost, and each is there when it was answered for."""
    exporter = FileExporter(FileConfig(path=tmp_path / "new" / "a.jsonl"))
    await exporter.start()
    names = [f"record {number}" for number in range(50)]
    await asyncio.gather(*(exporter.consume(batch(name)) for name in names))
    assert read(tmp_path / "new" / "a.jsonl") == [logs(name) for name in names]
    await exporter.shutdown()


@pytest.mark.parametrize("file_format", ["json", "proto"])
async def test_compressed_requests_stand_behind_their_lengths(tmp_path, file_format):
    """As upstream writes them: each message for itself."""
    body = "x" * 1000
    await write(tmp_path / "a", batch(body), batch("b"), format=file_format, compression="zstd")
    first, second = [
        pa.input_stream(pa.BufferReader(one), compression="zstd").read() for one in messages(tmp_path / "a")
    ]
    as_protobuf = (lambda raw: raw) if file_format == "proto" else (lambda raw: to_protobuf("logs", raw))
    assert [as_protobuf(first), as_protobuf(second)] == [logs(body), logs("b")]


async def test_protobuf_is_kept_in_the_bytes_it_came_as(tmp_path):
    """Nothing is decoded on the way."""
    await write(tmp_path / "a", batch("a"), batch("b"), format="proto")
    assert messages(tmp_path / "a") == [logs("a"), logs("b")]


@pytest.mark.parametrize(("append", "expected"), [(True, ["old", "new"]), (False, ["new"])])
async def test_a_file_that_is_there_is_continued_or_emptied(tmp_path, append, expected):
    """As `append` says."""
    await write(tmp_path / "a", batch("old"))
    await write(tmp_path / "a", batch("new"), append=append)
    assert read(tmp_path / "a") == [logs(name) for name in expected]


@pytest.mark.parametrize("file_format", ["json", "proto"])
@given(cut=st.integers(1, 30))
def test_half_a_message_that_a_kill_left_is_removed(tmp_path_factory, file_format, cut):
    """It was never answered for, and would make what follows unreadable."""
    path = tmp_path_factory.mktemp("cut") / "a"
    asyncio.run(write(path, batch("whole"), batch("torn by a kill, at some place"), format=file_format))
    os.truncate(path, path.stat().st_size - cut)
    asyncio.run(write(path, batch("next"), format=file_format, append=True))
    found = read(path) if file_format == "json" else messages(path)
    assert found == [logs("whole"), logs("next")]


async def test_full_files_are_put_aside_under_their_time_and_the_oldest_go(tmp_path):
    """Names as upstream's; `max_backups` of them stay, each below `max_megabytes`, and nothing else is touched."""
    (tmp_path / "a-notes.json").write_text("mine")
    big = [batch(str(number) * 700_000) for number in range(5)]
    await write(tmp_path / "a.json", *big, rotation={"max_megabytes": 1, "max_backups": 2})
    assert {path.name: read(path) for path in tmp_path.glob("a*.json") if path.name != "a-notes.json"} == {
        "a-2026-09-14T05-02-14.175.json": [big[2].payload],
        "a-2026-09-14T05-02-14.176.json": [big[3].payload],
        "a.json": [big[4].payload],
    }
    assert (tmp_path / "a-notes.json").read_text() == "mine"


async def test_files_put_aside_long_ago_are_deleted(tmp_path):
    """After `max_days`, at the next rotation."""
    two = [batch("a" * 700_000), batch("b" * 700_000)]
    for days in (0, 3, 4):
        await write(tmp_path / "a", *two, now=NOW + timedelta(days=days), rotation={"max_megabytes": 1, "max_days": 2})
    assert [path.name for path in sorted(tmp_path.glob("a-*"))] == [
        "a-2026-09-17T05-02-14.173", "a-2026-09-17T05-02-14.174",
        "a-2026-09-18T05-02-14.173", "a-2026-09-18T05-02-14.174",
    ]  # fmt: skip


async def test_what_is_no_otlp_is_rejected(tmp_path):
    """And nothing of it is written."""
    with pytest.raises(Rejected, match="are no OTLP logs"):
        await write(tmp_path / "a", Batch("logs", b"\xff\xff", 1))
    assert (tmp_path / "a").read_bytes() == b""


async def test_a_disk_that_is_full_refuses_and_leaves_nothing_half(tmp_path):
    """The sender keeps its data and comes again; what was written of it is taken back, so the file stays readable."""
    exporter = FileExporter(FileConfig(path=tmp_path / "a"))
    await exporter.start()
    await exporter.consume(batch("first"))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited[1]))  # a larger file fails as on a full disk, half way
    try:
        with pytest.raises(Refused, match=r"cannot be written: .* Send the same data again later"):
            await exporter.consume(batch("x" * 8192))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert read(tmp_path / "a") == [logs("first")]
    await exporter.consume(batch("x" * 8192))
    assert read(tmp_path / "a") == [logs("first"), logs("x" * 8192)]
    await exporter.shutdown()


def test_a_folder_is_no_file(tmp_path):
    """Said when the configuration is read."""
    with pytest.raises(ValueError, match=re.escape(f"path '{tmp_path}' is a folder. Give the path of a file in it")):
        FileConfig(path=tmp_path)
