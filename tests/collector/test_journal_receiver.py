"""``journal``: what dead processes left is delivered, once, and nothing of the living is touched."""

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest
from collector_fakes import RecordingConsumer, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill import home as homes
from runmill.collector.component import Producer
from runmill.collector.receivers.journal import JournalConfig, JournalReceiver
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError, Refused, Rejected
from runmill.journal import folder as folders
from runmill.journal.reader import read_own
from runmill.journal.records import EVENT, LOG, POINT, Event, Log, Point, RunIdentity, run_key
from runmill.journal.writer import Bounds, Journal

RUN = run_key(RunIdentity("run-1", "experiment", None, 3))


def log(body):
    return tuple(Log(LOG, 1, None, "app", 20, "INFO", body, None, "", 0, "", 0, "", None, None, 0, 0))


def point(value):
    return tuple(Point(POINT, 1, RUN, "loss", "scalar", value, 0, None, None, ""))


def artifact(sha256):
    body = {"path": "model", "sha256": sha256, "size_bytes": 5, "media_type": "text/plain"}
    return tuple(Event(EVENT, 1, RUN, "run.artifact", body, None))


def journal(home, *records):
    """A journal of a process that lives."""
    folder = folders.create(homes.find(home), {"service.name": "app"}, notice=pytest.fail)
    made = Journal(folder, bounds=Bounds(), notice=pytest.fail)
    for record in records:
        made.append(record)
    return made


def dead_journal(home, *records):
    """A journal as a killed process leaves it; give its id."""
    made = journal(home, *records)
    made.close()
    return made.folder.journal_id


@asynccontextmanager
async def receiving(home, logs, metrics=None, *, put_artifact=None, telemetry=None):
    receiver = JournalReceiver(
        JournalConfig(poll_interval="10ms"),
        {"logs": logs, "metrics": metrics or RecordingConsumer()},
        receiver_id="journal",
        telemetry=telemetry or Telemetry(),
        home=homes.find(home),
        put_artifact=put_artifact,
        sleep=lambda _: asyncio.sleep(0),
    )
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.shutdown()


def bodies(batch):
    request = ExportLogsServiceRequest.FromString(batch.payload)
    return [
        record.body.string_value
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def journals(home):
    return [path for root in folders.roots(homes.find(home)) if root.exists() for path in root.iterdir()]


async def test_logs_and_points_of_a_dead_process_are_handed_on(home):
    """Each signal goes to its pipeline under the numbers its process would have used; then the journal is gone."""
    journal_id = dead_journal(home, log("a"), point(0.5), log("b"))
    logs, metrics = RecordingConsumer(), RecordingConsumer()
    async with receiving(home, logs, metrics):
        await until(lambda: not journals(home))
    [sent], [points] = logs.batches, metrics.batches
    assert (bodies(sent), sent.record_count, sent.producer) == (["a", "b"], 2, Producer(f"{journal_id}.logs", 0))
    assert (points.signal, points.record_count, points.producer) == ("metrics", 1, Producer(f"{journal_id}.metrics", 0))


async def test_a_process_that_dies_later_is_noticed(home):
    """As long as it lives its journal is its own; once it is gone, what it had not delivered is."""
    living, logs = journal(home, log("mine")), RecordingConsumer()
    async with receiving(home, logs):
        await asyncio.sleep(0.05)
        assert logs.batches == []
        living.close()
        await until(lambda: not journals(home))
    assert [bodies(batch) for batch in logs.batches] == [["mine"]]


async def test_a_batch_that_was_under_way_comes_again_under_its_number(home):
    """What the process may have delivered just before it died is recognised by the store."""
    made = journal(home, log("sent"))
    sent = read_own(made).next_batch()
    made.append(log("more"))
    made.close()
    logs = RecordingConsumer()
    async with receiving(home, logs):
        await until(lambda: not journals(home))
    assert [(batch.producer.sequence, bodies(batch)) for batch in logs.batches] == [
        (sent.sequence, ["sent"]),
        (sent.sequence + 1, ["more"]),
    ]


async def test_refused_batches_wait_and_come_again(home):
    """A pipeline that cannot take it now gets the same batch until it can."""
    dead_journal(home, log("a"))
    logs = RecordingConsumer(Refused("full"), Refused("full", retry_after_seconds=3))
    async with receiving(home, logs):
        await until(lambda: not journals(home))
    assert logs.batches == [logs.batches[0]] * 3


async def test_rejected_logs_do_not_cost_the_points(home):
    """What will never be taken is left behind (its pipeline counted it); the rest of the journal goes on."""
    dead_journal(home, log("bad"), point(1.0))
    logs, metrics = RecordingConsumer(Rejected("no")), RecordingConsumer()
    async with receiving(home, logs, metrics):
        await until(lambda: not journals(home))
    assert [batch.record_count for batch in metrics.batches] == [1]


async def test_shutdown_while_refused_leaves_the_journal_to_the_next(home):
    """Nothing is taken for delivered that was not."""
    dead_journal(home, log("a"))
    logs = RecordingConsumer()
    logs.open.clear()
    async with receiving(home, logs):
        await logs.arrived.wait()
    logs.open.set()
    async with receiving(home, logs):
        await until(lambda: not journals(home))
    first, again = logs.batches
    assert first == again


async def test_bytes_of_files_go_before_their_event(home):
    """The store has a file when it reads of it; its copy in the spool is gone afterwards."""
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    spooled = homes.find(home).spool / sha256
    spooled.parent.mkdir(parents=True)
    spooled.write_bytes(b"bytes")
    dead_journal(home, artifact(sha256))
    logs, put = RecordingConsumer(), []
    async with receiving(
        home, logs, put_artifact=lambda name, path: put.append((name, path.read_bytes(), len(logs.batches)))
    ):
        await until(lambda: not journals(home))
    assert (put, spooled.exists(), len(logs.batches)) == ([(sha256, b"bytes", 0)], False, 1)


async def test_a_file_that_cannot_be_kept_now_holds_its_event_back(home):
    """The journal is tried again later, and the crash is counted."""
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    spooled = homes.find(home).spool / sha256
    spooled.parent.mkdir(parents=True)
    spooled.write_bytes(b"bytes")
    dead_journal(home, artifact(sha256))
    errors, telemetry, logs = [OSError("disk full")], Telemetry(), RecordingConsumer()

    def put(name, path):
        if errors:
            raise errors.pop()

    async with receiving(home, logs, put_artifact=put, telemetry=telemetry):
        await until(lambda: not journals(home))
    assert len(logs.batches) == 1
    assert telemetry.snapshot() == {'runmill_receiver_crashes_total{receiver="journal"}': 1}


async def test_a_pipeline_for_each_signal_is_asked_for():
    """Journals hold logs and metrics: a configuration that drops one of them does not start."""
    from runmill.collector import config, pipeline
    from runmill.collector.settings import Settings

    text = (
        "receivers: {journal: }\nexporters: {debug: }\nservice: {pipelines: {logs: {receivers: [journal], exporters: "
    )
    text += "[debug]}}}"
    with pytest.raises(
        ConfigError, match=r"^FILE: receivers\.journal: .* no pipeline takes its metrics\. Name 'journal'"
    ):
        pipeline.build(config.loads(text, source="FILE", environment={}), Settings(open_store=pytest.fail))
