"""`runmill doctor` finds what keeps records back, and says what to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import runmill
from runmill.testing import RecordingCollector

PROGRAM = """
import logging, sys, time, runmill
logging.basicConfig(level=logging.WARNING, handlers=[runmill.Handler()])
logging.getLogger("server.access").propagate = False
logging.getLogger("server.access.errors")
logging.getLogger("silenced").disabled = True
logging.warning("waiting")
while not list(__import__("pathlib").Path(sys.argv[1]).glob("journal/*/logging.json")):
    time.sleep(0.02)
print("ready", flush=True)
sys.stdin.read()
"""


def report(home: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command; give its status and what it found."""
    ended = runmill("doctor", "--json", *arguments, home=home)
    return ended.returncode, json.loads(ended.stdout)


def test_a_home_nobody_uses_has_no_journals(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits; that nobody takes records is the one thing wrong."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", "http://127.0.0.1:9")
    status, found = report(home)
    assert (status, found["journals"], found["faults"]) == (1, [], [])
    assert found["endpoint"]["is_reachable"] is False


def test_a_collector_that_answers_is_reachable(
    home: Path, recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of the environment is asked; asking sends no record."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    status, found = report(home)
    assert status == 0
    assert (found["endpoint"]["address"], found["endpoint"]["is_reachable"]) == (recording_collector.endpoint, True)
    assert recording_collector.logs == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            404,
            "something answers, and it is no OTLP receiver. Try: set RUNMILL_ENDPOINT to the receiver's base address",
        ),
        (401, "it answers, and does not let us in. Try: set its token: OTEL_EXPORTER_OTLP_HEADERS="),
        (503, "it answers, and takes nothing just now. Try: wait: what is logged stays in the journal"),
        (400, "it answers, and rejects OTLP. Try: look into its log"),
    ],
    ids=["wrong path", "no token", "busy", "rejecting"],
)
def test_what_is_wrong_with_an_endpoint_is_said_with_what_to_do(
    status: int, words: str, home: Path, recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not just that it does not work: whose fault it is, why that address is asked, and what to change."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    recording_collector.status = status
    ended = runmill("doctor", home=home)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{recording_collector.endpoint} (RUNMILL_ENDPOINT)" in ended.stdout
    assert f"- {recording_collector.endpoint}: {words}" in ended.stdout


REJECTED = """
import logging, os, runmill
logging.basicConfig(handlers=[runmill.Handler(service_name="unloved")])
logging.error("rejected")
runmill.flush(10)
os.kill(os.getpid(), 9)
"""
DROPPED = """
import logging, os, runmill
logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler(service_name="full")])
for n in range(30_000):
    logging.info("%s", "x" * 200)
os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_what_was_lost_is_said(
    home: Path, recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many records of which level found no room or were rejected, and what to do; of dead processes, too."""
    monkeypatch.setenv("RUNMILL_JOURNAL_BYTES", str(4 << 20))
    recording_collector.status = 400
    for program, endpoint in ((REJECTED, recording_collector.endpoint), (DROPPED, "http://127.0.0.1:9")):
        monkeypatch.setenv("RUNMILL_ENDPOINT", endpoint)
        subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, timeout=60)
    said = runmill("doctor", home=home).stdout
    assert re.search(r"- unloved \(\d+\): 1 ERROR records rejected: http://.*/v1/logs answered 400 ''\.", said)
    assert re.search(r"- full \(\d+\): [1-9][\d,]* INFO records dropped: the journal was full and no collector", said)
    assert "Try: look into the log of the collector that rejected them." in said
    assert "Try: run a collector (`runmill up`), or set RUNMILL_JOURNAL_BYTES higher." in said


SENT_TWICE = """
import logging, runmill, structlog, runmill.structlog
logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler(service_name="trainer")])
processors = [structlog.stdlib.add_log_level, runmill.structlog.send, structlog.stdlib.render_to_log_kwargs]
structlog.configure(processors=processors, logger_factory=structlog.stdlib.LoggerFactory())
"""


@pytest.mark.slow
def test_events_that_are_sent_twice_are_noticed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """structlog's `send` and a handler with settings of its own each send every line: the doctor says what to do."""
    (tmp_path / "their_app.py").write_text(SENT_TWICE)
    monkeypatch.chdir(tmp_path)
    _, found = report(home, "--app", "their_app")
    [fault] = [each for each in found["faults"] if each["logger"] == "structlog"]
    assert fault["problem"].startswith("its events are sent twice")


@pytest.mark.slow
def test_a_running_program_s_loggers_are_looked_at(home: Path) -> None:
    """What a program's own set-up keeps back is said from outside of it, with its backlog."""
    command = [sys.executable, "-c", PROGRAM, str(home)]
    environment = {**os.environ, "RUNMILL_ENDPOINT": "http://127.0.0.1:9"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        status, found = report(home)
        program.communicate()
    [journal] = found["journals"]
    assert (status, journal["pid"], journal["is_live"], journal["pending_count"]) == (1, program.pid, True, 1)
    assert {fault["logger"]: fault["problem"].split(":")[0] for fault in found["faults"]} == {
        "root": "its level is WARNING",
        "server.access": "it does not propagate",
        "server.access.errors": "its parent 'server.access' does not propagate",
        "silenced": "it is disabled, as dictConfig and fileConfig do",
    }
    [left] = report(home)[1]["journals"]
    assert (left["is_live"], left["pending_count"]) == (False, 1)


@pytest.mark.slow
def test_a_program_without_our_handler_is_told_the_line_to_add(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module is imported as its program would, and its loggers looked at."""
    (tmp_path / "their_app.py").write_text("import logging\nlogging.getLogger('theirs')\n")
    monkeypatch.chdir(tmp_path)
    ended = runmill("doctor", "--app", "their_app", home=home)
    assert ended.returncode == 1
    assert "none has a runmill.Handler. Try: logging.basicConfig(handlers=[runmill.Handler()])" in ended.stdout


def test_secrets_are_blanked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown to others for help holds no key."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden")
    _, found = report(home)
    assert found["environment"]["OTEL_EXPORTER_OTLP_HEADERS"] == "***"
