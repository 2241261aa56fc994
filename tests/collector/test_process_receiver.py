"""``process`` and ``stdin``: what a program prints, as it prints it."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import pytest
from collector_fakes import RecordingConsumer, until

from runmill.collector.receivers.process import ProcessReceiver
from runmill.collector.receivers.stdin import StdinReceiver
from runmill.collector.receivers.stream_config import ProcessConfig, StdinConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused
from runmill.otlp import columns


def rows(consumer):
    return [row for batch in consumer.batches for row in columns.decode_logs(batch.payload).logs.to_pylist()]


def printed(consumer):
    """(stream, body) of what the program printed."""
    return [(row["stream"], row["body"]) for row in rows(consumer) if row["logger"] != "runmill"]


@asynccontextmanager
async def running(consumer, program, **settings):
    config = ProcessConfig(command=[sys.executable, "-u", "-c", program], **settings)
    receiver = ProcessReceiver(config, {"logs": consumer}, receiver_id="process", telemetry=Telemetry())
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.shutdown()


async def run(program, consumer=None, **settings):
    """Run a program to its end; give the consumer."""
    consumer = consumer or RecordingConsumer()
    async with running(consumer, program, **settings) as receiver:
        await receiver._task
    return consumer


@pytest.mark.slow
async def test_streams_are_gathered_apart_and_the_end_is_told(tmp_path):
    """Each line with its stream; then how the program ended, as a record of runmill's own."""
    program = "import os, sys; print(os.getcwd(), os.environ['A']); print('oops', file=sys.stderr); sys.exit(3)"
    consumer = await run(program, cwd=str(tmp_path), env={"A": "b", "RUNMILL_RUN_ID": "run-1"})
    assert sorted(printed(consumer)) == [("stderr", "oops"), ("stdout", f"{tmp_path} b")]
    *_, end = rows(consumer)
    assert (end["severity_text"], end["body"][-12:], end["attributes"]) == (
        "ERROR", " exit code 3", '{"process.exit.code":3}',
    )  # fmt: skip
    assert {row["run_id"] for row in rows(consumer)} == {"run-1"}


@pytest.mark.slow
async def test_progress_bars_are_what_they_showed_last():
    """However often they are drawn."""
    program = "for n in range(100): print(f'\\r{n}%', end='')\nprint('\\rdone')\nprint('next')"
    assert printed(await run(program)) == [("stdout", "done"), ("stdout", "next")]


@pytest.mark.slow
async def test_a_traceback_is_one_record():
    """A script that fails tells it on stderr."""
    [row] = [row for row in rows(await run("print('a')\n1/0")) if row["stream"] == "stderr"]
    assert (row["body"], row["severity_text"]) == ("ZeroDivisionError: division by zero", "ERROR")


@pytest.mark.slow
async def test_a_prompt_without_an_end_is_given_after_a_while():
    """Its newline is no record of its own when it comes."""
    consumer = RecordingConsumer()
    program = "import time; print('sure? ', end=''); time.sleep(0.3); print(); print('yes')"
    await run(program, consumer, force_flush_period="50ms")
    assert printed(consumer) == [("stdout", "sure? "), ("stdout", "yes")]


@pytest.mark.slow
async def test_a_pipeline_that_refuses_makes_the_program_wait():
    """Its pipe fills; nothing is lost, and memory stays bounded."""
    refusals = [Refused("full", retry_after_seconds=0)] * 20
    consumer = RecordingConsumer(*refusals)
    program = "for n in range(200000): print(n)"
    await run(program, consumer)
    taken = consumer.batches[20:]
    bodies = [row["body"] for batch in taken for row in columns.decode_logs(batch.payload).logs.to_pylist()]
    assert bodies[:-1] == [str(n) for n in range(200_000)]
    assert max(len(batch.payload) for batch in consumer.batches) < 64 << 20


@pytest.mark.slow
async def test_shutdown_ends_the_program_and_hands_on_its_last_words():
    """SIGTERM to it and its children; what it says then is gathered."""
    program = (
        "import signal, sys, time\ndef end(*_): print('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready')\nwhile True: time.sleep(1)"
    )
    consumer = RecordingConsumer()
    async with running(consumer, program):
        await until(lambda: printed(consumer))
    assert printed(consumer) == [("stdout", "ready"), ("stdout", "saved")]


@pytest.mark.slow
async def test_a_program_that_will_not_end_is_killed():
    """After its time is up."""
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    consumer = RecordingConsumer()
    async with running(consumer, program, shutdown_timeout="100ms") as receiver:
        await until(lambda: printed(consumer))
        pid = receiver._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_program_that_is_not_there_is_an_error_at_the_start():
    """The collector does not start without it."""
    receiver = ProcessReceiver(
        ProcessConfig(command=["/no/such/program"]),
        {"logs": RecordingConsumer()},
        receiver_id="process",
        telemetry=Telemetry(),
    )
    with pytest.raises(FileNotFoundError, match="/no/such/program"):
        await receiver.start()
    await receiver.shutdown()


@pytest.mark.parametrize("kind", ["pipe", "file"])
async def test_standard_input_is_read_to_its_end(tmp_path, kind):
    """A pipe or a file; the last line needs no end."""
    consumer = RecordingConsumer()
    if kind == "pipe":
        end, write = os.pipe()
        os.write(write, b"a\n\nWARNING:app:b\nc")
        os.close(write)
        source = os.fdopen(end, "rb")
    else:
        (tmp_path / "input").write_bytes(b"a\n\nWARNING:app:b\nc")
        source = (tmp_path / "input").open("rb")
    receiver = StdinReceiver(
        StdinConfig(), {"logs": consumer}, receiver_id="stdin", telemetry=Telemetry(), source=source
    )
    with source:
        await receiver.start()
        await asyncio.wait_for(receiver._task, 10)
        await receiver.shutdown()
    assert [(row["body"], row["logger"]) for row in rows(consumer)] == [("a", ""), ("", ""), ("b", "app"), ("c", "")]
