"""`runmill doctor` finds what keeps records back, and says what to do."""

import json
import os
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
    assert "none has a runmill.Handler. Try logging.basicConfig(handlers=[runmill.Handler()])" in ended.stderr


def test_secrets_are_blanked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown to others for help holds no key."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden")
    _, found = report(home)
    assert found["environment"]["OTEL_EXPORTER_OTLP_HEADERS"] == "***"
