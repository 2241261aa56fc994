"""What real programs print, each with the logging its author set up, comes out as the records that were logged."""

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from collector_fakes import RecordingConsumer, until

from runmill.collector.receivers.stdin import StdinReceiver
from runmill.collector.receivers.stream_config import StdinConfig
from runmill.collector.telemetry import Telemetry
from runmill.otlp import columns

SETUP = {
    "python-json-logger": """
        from pythonjsonlogger.json import JsonFormatter
        handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        """,
    "runmill.json": """
        from runmill.json import JsonFormatter
        handler.setFormatter(JsonFormatter())
        """,
    "basicConfig": """
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        """,
    "asctime": """
        handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
        """,
}
LOGS = """
import logging, sys
handler = logging.StreamHandler(sys.stdout)
logging.basicConfig(level=logging.INFO, handlers=[handler])
SETUP
log = logging.getLogger("app.train")
log.warning("loss is %s", "nan")
try:
    {}["missing"]
except KeyError:
    log.exception("failed")
log.info("done")
"""
STRUCTLOG = """
import structlog
structlog.configure(processors=[
    structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info, structlog.processors.JSONRenderer(),
])
log = structlog.get_logger()
log.warning("loss is nan", step=3)
try:
    {}["missing"]
except KeyError:
    log.exception("failed")
log.info("done")
"""
UVICORN = """
import uvicorn
async def app(scope, receive, send):
    raise RuntimeError("never asked")
server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off"))
server.should_exit = True
server.run()
"""
CRASH = """
print("epoch 1")
try:
    int("x")
except ValueError as error:
    raise RuntimeError("cannot go on") from error
"""
GROUP = """
raise ExceptionGroup("two failed", [ValueError("a"), KeyError("b")])
"""


async def gathered(program: str, tmp_path: Path, *, prefix: str = "") -> list[dict[str, object]]:
    """Run *program*, and give the records of what it printed, each line behind *prefix*."""
    script, output = tmp_path / "program.py", tmp_path / "output"
    script.write_text(program)
    command = [sys.executable, str(script)]
    printed = await asyncio.to_thread(
        subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=30
    )
    output.write_text("".join(f"{prefix}{line}\n" for line in printed.stdout.splitlines()))
    consumer = RecordingConsumer()
    with output.open("rb") as source:
        receiver = StdinReceiver(
            StdinConfig(), {"logs": consumer}, receiver_id="stdin", telemetry=Telemetry(), source=source
        )
        await receiver.start()
        await until(receiver._task.done)
        await receiver.shutdown()
    return [row for batch in consumer.batches for row in columns.decode_logs(batch.payload).logs.to_pylist()]


def told(row: dict[str, object]) -> tuple[object, object]:
    return row["body"], row["severity_number"]


@pytest.mark.parametrize("name", SETUP)
async def test_logging_in_every_common_form(name, tmp_path):
    """Three calls are three records: level, logger and message where they belong, the traceback with its record."""
    setup = textwrap.dedent(SETUP[name]).strip()
    found = await gathered(LOGS.replace("SETUP", setup), tmp_path)
    assert [told(row) for row in found] == [("loss is nan", 13), ("failed", 17), ("done", 9)]
    assert {row["logger"] for row in found} == {"app.train"}
    assert '"exception.type":"KeyError"' in str(found[1]["attributes"])


async def test_structlog_rendered_as_json(tmp_path):
    """The event is the body, what was bound are attributes."""
    found = await gathered(STRUCTLOG, tmp_path)
    assert [told(row) for row in found] == [("loss is nan", 13), ("failed", 17), ("done", 9)]
    assert '"step":3' in str(found[0]["attributes"])


async def test_uvicorn_as_it_starts_and_ends(tmp_path):
    """Its own lines, with their level and without the column they are set in."""
    found = await gathered(UVICORN, tmp_path)
    assert len(found) >= 1
    assert {row["severity_number"] for row in found} == {9}
    assert str(found[0]["body"]).startswith("Started server process")


@pytest.mark.parametrize("prefix", ["", "[rank0]: "])
async def test_a_program_that_ends_in_a_chain_of_exceptions(prefix, tmp_path):
    """The line before it, and one record for all of the traceback, behind a launcher's prefix too."""
    line, crash = await gathered(CRASH, tmp_path, prefix=prefix)
    assert line["body"] == f"{prefix}epoch 1"
    attributes = str(crash["attributes"])
    assert ('"exception.type":"RuntimeError"' in attributes, "invalid literal for int()" in attributes) == (True, True)
    assert crash["severity_number"] == 17


async def test_a_program_that_ends_in_a_group_of_exceptions(tmp_path):
    """With all that is in the group."""
    [crash] = await gathered(GROUP, tmp_path)
    attributes = str(crash["attributes"])
    assert all(part in attributes for part in ('"exception.type":"ExceptionGroup"', "ValueError: a", "KeyError: 'b'"))
