"""Runs over a real server, and runs whose records are looked at as they were written."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recording_outlet import RecordingOutlet

from processes import DEADLINE_SECONDS, RunningServer, running
from runmill.app.runs.active import active_runs
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run
from runmill.app.runs.workspace import Workspace


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(tmp_path_factory.mktemp("runs")) as server:
        yield server


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_runs_left() -> Iterator[None]:
    yield
    active_runs().end_all(None)


@pytest.fixture
def workspace(server: RunningServer) -> Workspace:
    return Workspace(home=server.home, endpoint=server.endpoint)


@pytest.fixture
def experiment(workspace: Workspace, request: pytest.FixtureRequest) -> Experiment:
    """An experiment of the test's own."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return Experiment(workspace, f"t{name}"[:200])


@pytest.fixture
def run(experiment: Experiment) -> Run:
    return experiment.start_logging(outputs=False, snapshot_directory=None)


@pytest.fixture
def outlet(tmp_path: Path) -> RecordingOutlet:
    return RecordingOutlet(tmp_path / "recorded-home")


@pytest.fixture
def recorded_run(outlet: RecordingOutlet) -> Run:
    """A run whose records stay in `outlet`; nothing of it can be read back."""
    experiment = Experiment(Workspace(outlet=outlet), "recorded")
    return experiment.start_logging(run_id="r1", outputs=False, snapshot_directory=None)


@pytest.fixture
def script(server: RunningServer, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a script against the server in a process of its own, to its end."""

    def run_script(text: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        path = tmp_path / "train.py"
        path.write_text(text)
        return subprocess.run(
            [sys.executable, str(path)],
            env={
                **os.environ,
                "RUNMILL_HOME": str(server.home),
                "RUNMILL_ENDPOINT": server.endpoint,
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_SECONDS,
        )

    return run_script


@pytest.fixture
def stored(server: RunningServer) -> Callable[..., dict[str, Any]]:
    """Wait until the server has a run in a status, and give its state as it says it."""

    def wait(run_id: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE_SECONDS
        answer = server.get(f"/api/v1/runs/{run_id}")
        while answer.status_code != 200 or answer.json()["status"] != status:
            assert time.monotonic() < deadline, f"{run_id} is not {status}: {answer.text}"
            time.sleep(0.05)  # another process delivers: there is nothing to wait on
            answer = server.get(f"/api/v1/runs/{run_id}")
        return json.loads(answer.text)

    return wait
