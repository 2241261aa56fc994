"""``file_log`` in a running collector: acknowledged end to end, whoever refuses and whatever is killed."""

import sqlite3
from contextlib import asynccontextmanager

import pytest
from collector_fakes import RecordingConsumer, until

from runmill.collector.receivers.file_log import FileLogReceiver
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected
from runmill.otlp import columns


@asynccontextmanager
async def following(tmp_path, consumer, *, telemetry=None, **settings):
    config = FileLogConfig(
        **{"include": [f"{tmp_path}/*.log"], "start_at": "beginning", "poll_interval": "5ms", **settings}
    )
    receiver = FileLogReceiver(
        config,
        {"logs": consumer},
        receiver_id="file_log",
        telemetry=telemetry or Telemetry(),
        state_folder=tmp_path / "state",
    )
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.shutdown()


def bodies(consumer):
    return [body for batch in consumer.batches for body in columns.decode_logs(batch.payload).logs["body"].to_pylist()]


async def test_lines_are_handed_on_while_they_are_written(tmp_path):
    """No restart, no flush: a line that ended is there after a look or two."""
    consumer, telemetry = RecordingConsumer(), Telemetry()
    async with following(tmp_path, consumer, telemetry=telemetry):
        for n in range(3):
            with (tmp_path / "a.log").open("a") as file:
                file.write(f"{n}\n")
            await until(lambda n=n: bodies(consumer) == [str(m) for m in range(n + 1)])
        await until(telemetry.snapshot)
    assert telemetry.snapshot() == {'otelcol_fileconsumer_open_files{receiver="file_log"}': 1}


async def test_a_pipeline_that_refuses_gets_the_same_batch_until_it_takes_it(tmp_path):
    """The reader pauses: nothing further is read, nothing is lost."""
    (tmp_path / "a.log").write_text("a\n")
    consumer = RecordingConsumer(Refused("full", retry_after_seconds=0), Refused("full", retry_after_seconds=0))
    async with following(tmp_path, consumer):
        await until(lambda: len(consumer.batches) == 3)
        (tmp_path / "b.log").write_text("b\n")
        await until(lambda: len(consumer.batches) == 4)
    first, second, third, _ = consumer.batches
    assert first == second == third
    assert bodies(consumer) == ["a", "a", "a", "b"]


async def test_files_that_are_rotated_away_while_the_pipeline_waits_are_read(tmp_path):
    """Looking for files goes on: what was seen once stays open."""
    consumer = RecordingConsumer()
    consumer.open.clear()
    (tmp_path / "a.log").write_text("a\n")
    async with following(tmp_path, consumer) as receiver:
        await consumer.arrived.wait()
        (tmp_path / "b.log").write_text("b\n")
        await until(lambda: receiver._harvest.open_file_count == 2)
        (tmp_path / "b.log").unlink()
        consumer.open.set()
        await until(lambda: len(consumer.batches) == 2)
    assert bodies(consumer) == ["a", "b"]


async def test_rejected_lines_are_left_behind(tmp_path):
    """What will never be taken (its pipeline counted it) does not hold up the rest."""
    (tmp_path / "a.log").write_text("a\n")
    consumer = RecordingConsumer(Rejected("no"))
    async with following(tmp_path, consumer):
        await consumer.arrived.wait()
        (tmp_path / "b.log").write_text("b\n")
        await until(lambda: len(consumer.batches) == 2)
    assert bodies(consumer) == ["a", "b"]


async def test_what_was_not_taken_before_the_end_comes_again_under_its_number(tmp_path):
    """Stopping while a batch is under way loses nothing."""
    (tmp_path / "a.log").write_text("a\n")
    consumer = RecordingConsumer()
    consumer.open.clear()
    async with following(tmp_path, consumer):
        await consumer.arrived.wait()
    consumer.open.set()
    consumer.arrived.clear()
    async with following(tmp_path, consumer):
        await consumer.arrived.wait()
    assert [batch.producer for batch in consumer.batches] == [consumer.batches[0].producer] * 2
    assert bodies(consumer) == ["a", "a"]


async def test_a_disk_that_is_full_stops_reading_until_it_is_not(tmp_path, caplog):
    """Nothing is handed on that could not be written down before: it could not be recognised afterwards."""
    consumer = RecordingConsumer()
    async with following(tmp_path, consumer) as receiver:
        connection = receiver._harvest._cursors._connection
        connection.execute("pragma max_page_count = 1")
        (tmp_path / "a.log").write_text("a\n" * 10)
        for n in range(200):  # many files: their cursors need room
            (tmp_path / f"{n}.log").write_text(f"{n}\n")
        await until(lambda: "full" in caplog.text)
        assert consumer.batches == []
        connection.execute("pragma max_page_count = 100000")
        await until(lambda: len(bodies(consumer)) == 210)


async def test_cursors_that_cannot_be_kept_are_an_error_at_the_start(tmp_path):
    """Better than a collector that reads everything again after each start."""
    (tmp_path / "state").write_text("a file, where a folder must be made")
    with pytest.raises((OSError, sqlite3.Error)):
        async with following(tmp_path, RecordingConsumer()):
            pass
