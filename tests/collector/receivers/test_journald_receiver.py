"""``journald`` on real journals: files made of entries, and a journald of the test's own where one can run."""

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from collector_fakes import RecordingConsumer

from runmill.collector.receivers.journald import JournaldReceiver
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused
from runmill.otlp import columns

REMOTE = Path("/lib/systemd/systemd-journal-remote")
DEADLINE_SECONDS = 30

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (REMOTE.exists() and shutil.which("journalctl")),
        reason="NO JOURNALS HERE: systemd-journal-remote or journalctl is not installed",
    ),
]

SERVICE = {"_TRANSPORT": "stdout", "_SYSTEMD_UNIT": "train.service", "_PID": "42", "PRIORITY": "6", "_STREAM_ID": "5"}
CONTAINER = {"CONTAINER_ID": "c1", "CONTAINER_ID_FULL": "c1c1", "CONTAINER_NAME": "trainer", "_PID": "7"}


class Journal:
    """A journal file that grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journals" / "a.journal"
        self.path.parent.mkdir()
        self._count = 0

    def add(self, *entries: dict[str, str | bytes]) -> None:
        """Append entries, a second apart."""
        exported = b""
        for entry in entries:
            self._count += 1
            time = 1_795_000_000_000_000 + self._count * 1_000_000
            whole = {"__REALTIME_TIMESTAMP": str(time), "_BOOT_ID": "0" * 31 + "1", "_HOSTNAME": "h1", **entry}
            exported += b"".join(_field(name, value) for name, value in whole.items()) + b"\n"
        source = self.path.with_suffix(f".{self._count}.export")
        source.write_bytes(exported)
        subprocess.run([REMOTE, "-o", self.path, source], check=True, capture_output=True)


def _field(name, value):
    raw = value.encode() if isinstance(value, str) else value
    if b"\n" in raw or not raw.isascii():
        return name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n"
    return name.encode() + b"=" + raw + b"\n"


@asynccontextmanager
async def following(journal, folder, consumer, **settings):
    given = {"directory": str(journal.path.parent), "start_at": "beginning", "force_flush_period": "100ms", **settings}
    receiver = JournaldReceiver(
        JournaldConfig(**given), {"logs": consumer}, receiver_id="journald", telemetry=Telemetry(), state_folder=folder
    )
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.shutdown()


def rows(consumer):
    """The records, as a run store has them: what comes under the same number again is known."""
    found = []
    for batch in {batch.producer: batch for batch in consumer.batches}.values():
        decoded = columns.decode_logs(batch.payload)
        resources = {one["resource_id"]: json.loads(one["attributes"]) for one in decoded.resources.to_pylist()}
        found += [{**row, "resource": resources[row["resource_id"]]} for row in decoded.logs.to_pylist()]
    return found


def bodies(consumer):
    return [row["body"] for row in rows(consumer)]


async def until(consumer, condition):
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            consumer.arrived.clear()
            await consumer.arrived.wait()


async def gathered(journal, folder, count, **settings):
    """Gather so many records."""
    consumer = RecordingConsumer()
    async with following(journal, folder, consumer, **settings):
        await until(consumer, lambda: len(rows(consumer)) >= count)
    return consumer


async def test_an_entry_is_the_record_that_was_logged(tmp_path):
    """Time, severity, logger, source code, whose it is; what the logger added is an attribute."""
    journal = Journal(tmp_path)
    said = {"MESSAGE": "disk at 91 %", "PRIORITY": "4", "DISK": "sda", "CODE_FILE": "t.py", "CODE_LINE": "3"}
    told = {"_SYSTEMD_UNIT": "train.service", "_PID": "42", "_UID": "0", "_TRANSPORT": "journal"}
    names = {"SYSLOG_IDENTIFIER": "trainer", "RUNMILL_RUN_ID": "run-1"}
    journal.add({**said, **told, **names, "_SOURCE_REALTIME_TIMESTAMP": "1795000000500000"})
    [row] = rows(await gathered(journal, tmp_path, 1, resource={"site": "a"}))
    wanted = ("time_unix_nano", "severity_number", "severity_text", "logger", "body", "run_id", "stream")
    assert tuple(row[key] for key in wanted) == (
        1_795_000_000_500_000_000, 13, "warning", "trainer", "disk at 91 %", "run-1", None,
    )  # fmt: skip
    assert json.loads(row["attributes"]) == {
        "code.file.path": "t.py", "code.line.number": 3, "process.pid": 42, "DISK": "sda",
    }  # fmt: skip
    assert row["resource"] == {
        "host.name": "h1", "systemd.unit": "train.service", "service.name": "train", "run.id": "run-1", "site": "a",
    }  # fmt: skip


async def test_lines_that_were_printed_are_understood(tmp_path):
    """A traceback of a service is one record, a line of JSON what was logged; two services do not mix."""
    journal = Journal(tmp_path)
    other = {**SERVICE, "_STREAM_ID": "6", "_SYSTEMD_UNIT": "other.service"}
    journal.add(
        {**SERVICE, "MESSAGE": "Traceback (most recent call last):"},
        {**other, "MESSAGE": "between"},
        {**SERVICE, "MESSAGE": '  File "t.py", line 1, in <module>'},
        {**SERVICE, "MESSAGE": "ValueError: bad batch"},
        {**SERVICE, "MESSAGE": '{"message": "epoch", "level": "warning"}'},
    )
    found = rows(await gathered(journal, tmp_path, 3))
    assert [(row["resource"]["service.name"], row["severity_text"], row["body"]) for row in found] == [
        ("train", "ERROR", "ValueError: bad batch"), ("other", "info", "between"), ("train", "warning", "epoch"),
    ]  # fmt: skip


async def test_lines_of_containers_are_whole_and_have_their_stream(tmp_path):
    """Pieces are joined, a newline that the engine left is taken off, and the priority is no severity."""
    journal = Journal(tmp_path)
    partial = {**CONTAINER, "PRIORITY": "6", "CONTAINER_PARTIAL_MESSAGE": "true"}
    journal.add(
        {**partial, "MESSAGE": "a" * 100},
        {**CONTAINER, "PRIORITY": "3", "MESSAGE": "oops\n"},
        {**partial, "MESSAGE": "b"},
        {**CONTAINER, "PRIORITY": "6", "MESSAGE": "c"},
    )
    found = rows(await gathered(journal, tmp_path, 2))
    assert [(row["stream"], row["severity_number"], row["body"]) for row in found] == [
        ("stderr", 0, "oops"), ("stdout", 0, "a" * 100 + "bc"),
    ]  # fmt: skip
    assert found[0]["resource"] == {
        "host.name": "h1", "container.id": "c1c1", "container.name": "trainer", "service.name": "trainer",
    }  # fmt: skip


async def test_messages_that_are_not_text_are_kept(tmp_path):
    """Bytes that are not UTF-8 are replaced, several lines and control characters stay."""
    journal = Journal(tmp_path)
    journal.add({"MESSAGE": b"caf\xe9"}, {"MESSAGE": "two\nlines"}, {"MESSAGE": "\x1b[1mäöü"}, {"PRIORITY": "6"})
    assert bodies(await gathered(journal, tmp_path, 4)) == ["caf\ufffd", "two\nlines", "\x1b[1mäöü", ""]


async def test_only_what_is_asked_for(tmp_path):
    """Units, identifiers, priorities and matches are journalctl's."""
    journal = Journal(tmp_path)
    journal.add(
        {"MESSAGE": "wanted", "_SYSTEMD_UNIT": "train.service", "PRIORITY": "4", "_UID": "0"},
        {"MESSAGE": "wanted too", "_SYSTEMD_UNIT": "train.service", "PRIORITY": "4", "_UID": "1", "A": "b"},
        {"MESSAGE": "not urgent", "_SYSTEMD_UNIT": "train.service", "PRIORITY": "6", "_UID": "0"},
        {"MESSAGE": "another unit", "_SYSTEMD_UNIT": "ssh.service", "PRIORITY": "4", "_UID": "0"},
        {"MESSAGE": "another user", "_SYSTEMD_UNIT": "train.service", "PRIORITY": "4", "_UID": "2"},
        {"MESSAGE": "the end", "_SYSTEMD_UNIT": "train.service", "PRIORITY": "0", "_UID": "0"},
    )
    matches = [{"_UID": "0", "_HOSTNAME": "h1"}, {"A": "b"}]
    consumer = await gathered(journal, tmp_path, 3, units=["train*"], priority="warning", matches=matches)
    assert bodies(consumer) == ["wanted", "wanted too", "the end"]


async def test_a_receiver_that_starts_again_goes_on_where_it_ended(tmp_path):
    """What was written meanwhile comes, and nothing twice."""
    journal, consumer = Journal(tmp_path), RecordingConsumer(Refused("full", retry_after_seconds=0))
    journal.add({"MESSAGE": "a"}, {"MESSAGE": "b"})
    async with following(journal, tmp_path, consumer):
        await until(consumer, lambda: len(consumer.batches) == 2)
    assert consumer.batches[0] == consumer.batches[1]
    journal.add({"MESSAGE": "c"})
    async with following(journal, tmp_path, consumer):
        await until(consumer, lambda: len(rows(consumer)) == 3)
        journal.add({"MESSAGE": "d"})
        await until(consumer, lambda: len(rows(consumer)) == 4)
    assert bodies(consumer) == ["a", "b", "c", "d"]


async def test_what_was_not_taken_comes_again_under_its_number(tmp_path):
    """The very same batch, although the journal is gone."""
    journal, consumer = Journal(tmp_path), RecordingConsumer()
    journal.add({"MESSAGE": "a"})
    consumer.open.clear()
    async with following(journal, tmp_path, consumer):
        await consumer.arrived.wait()
    journal.path.unlink()
    consumer.open.set()
    async with following(journal, tmp_path, consumer):
        await until(consumer, lambda: len(consumer.batches) == 2)
    assert consumer.batches[0] == consumer.batches[1]


async def test_only_what_is_logged_from_now_on_by_default(tmp_path):
    """A first start does not fetch the past."""
    journal, consumer = Journal(tmp_path), RecordingConsumer()
    journal.add({"MESSAGE": "old"})
    now = {"__REALTIME_TIMESTAMP": "2795000000000000"}
    async with following(journal, tmp_path, consumer, start_at="end"):
        journal.add({**now, "MESSAGE": "new"})
        await until(consumer, lambda: rows(consumer))
    assert bodies(consumer) == ["new"]


async def test_a_reader_that_ends_is_started_again(tmp_path, caplog):
    """And why it ended is said."""
    journal, consumer = Journal(tmp_path), RecordingConsumer()
    journal.add({"MESSAGE": "a"})
    async with following(journal, tmp_path, consumer) as receiver:
        await until(consumer, lambda: rows(consumer))
        receiver._process.kill()
        journal.add({"MESSAGE": "b"})
        await until(consumer, lambda: len(rows(consumer)) == 2)
    assert bodies(consumer) == ["a", "b"]
    assert "journalctl ended" in caplog.text


async def test_a_pipeline_that_breaks_gets_the_same_batch_again(tmp_path, caplog):
    """A mistake in what comes after it ends no gathering, and is said."""
    journal, consumer = Journal(tmp_path), RecordingConsumer(RuntimeError("a bug"))
    journal.add({"MESSAGE": "a"})
    async with following(journal, tmp_path, consumer):
        await until(consumer, lambda: len(consumer.batches) == 2)
    assert consumer.batches[0] == consumer.batches[1]
    assert "a bug" in caplog.text


async def test_single_files_are_looked_at_again_and_again(tmp_path):
    """What is added to them comes, once."""
    journal, consumer = Journal(tmp_path), RecordingConsumer()
    journal.add({"MESSAGE": "a"})
    async with following(journal, tmp_path, consumer, directory=None, files=[str(journal.path)]):
        await until(consumer, lambda: rows(consumer))
        journal.add({"MESSAGE": "b"})
        await until(consumer, lambda: len(rows(consumer)) == 2)
    assert bodies(consumer) == ["a", "b"]


async def test_a_machine_without_journalctl_is_an_error_at_the_start(tmp_path):
    """The collector does not start without it."""
    journal = Journal(tmp_path)
    with pytest.raises(FileNotFoundError, match="/no/journalctl"):
        async with following(journal, tmp_path, RecordingConsumer(), journalctl_path="/no/journalctl"):
            pass
