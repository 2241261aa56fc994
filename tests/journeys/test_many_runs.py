"""Fifty runs at once from eight processes into one store: each keeps its own, whole and in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from processes import RunningServer, running
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.workspace import Workspace

PROCESSES = 8
RUNS = 50
POINTS = 40

# Each process has several runs open at the same time and goes round them.
PROGRAM = """
import sys
from runmill import Experiment, Workspace
experiment = Experiment(Workspace.from_config(), "crowd")
runs = [experiment.start_logging(run_id=f"crowd-{n}", outputs=False, snapshot_directory=None)
        for n in map(int, sys.argv[2:])]
for step in range(int(sys.argv[1])):
    for run in runs:
        run.log("step", step)
        run.log_row("row", step=step, text=run.id)
for run in runs:
    run.tag("last", step)
    run.complete()
"""


@pytest.fixture
def server(tmp_path: Path):
    with running(tmp_path / "home") as started:
        yield started


@pytest.mark.slow
def test_many_runs_of_many_processes(server: RunningServer):
    """No value is lost, doubled or in another run, and each run has a number of its own."""
    environment = {**os.environ, "RUNMILL_HOME": str(server.home), "RUNMILL_ENDPOINT": server.endpoint}
    shares = [[str(run) for run in range(first, RUNS, PROCESSES)] for first in range(PROCESSES)]
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(POINTS), *share], env=environment) for share in shares
    ]
    assert [process.wait(60) for process in started] == [0] * PROCESSES
    experiment = Experiment(Workspace(home=server.home, endpoint=server.endpoint), "crowd")
    runs = list(experiment.get_runs(tags={"last": str(POINTS - 1)}))
    assert sorted(run.number for run in runs) == list(range(1, RUNS + 1))
    assert {run.status for run in runs} == {"Completed"}
    steps = list(range(POINTS))
    assert {run.id: run.get_metrics() for run in runs} == {
        f"crowd-{n}": {"step": steps, "row": {"step": steps, "text": [f"crowd-{n}"] * POINTS}} for n in range(RUNS)
    }
