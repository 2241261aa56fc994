"""The examples of runs do what they say, each as a real process beside a real server."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, RunningServer, running

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running(tmp_path_factory.mktemp("examples-home")) as started:
        yield started


@pytest.fixture
def example(server: RunningServer, tmp_path: Path):
    """Run an example to its end, which must be a good one, and give the lines it printed."""

    def run(name: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / name)],
            env={**os.environ, "RUNMILL_HOME": str(server.home), "RUNMILL_ENDPOINT": server.endpoint},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


def test_a_sweep_with_child_runs(example, server):
    """Each value is a run of its own below the sweep; the best is found in one read and kept as a model."""
    assert example("sweep.py") == ["best of 4: rate 0.4, x 3.000, kept as minimum:1"]
    runs = server.get("/api/v1/runs", experiment="sweep", include_children="true").json()["runs"]
    [sweep] = [run for run in runs if run["parent_id"] is None]
    children = [run for run in runs if run["parent_id"] == sweep["run_id"]]
    assert sorted(run["display_name"] for run in children) == ["rate 0.01", "rate 0.1", "rate 0.4", "rate 0.9"]
    assert {run["status"] for run in runs} == {"Completed"}


def test_a_tour_of_what_a_run_logs(example):
    """One of each kind, read back in its shape."""
    *lines, files = example("tour.py")
    metrics = dict(line.split(": ", 1) for line in lines)
    kept = [metrics.pop(name) for name in ("square", "errors", "residuals")]
    assert [address.rsplit("/", 1)[-1] for address in kept] == ["square.svg", "errors", "residuals"]
    assert {name: ast.literal_eval(text) if text[0] in "[{" else text for name, text in metrics.items()} == {
        "samples": "442",
        "loss": [1 / step for step in range(1, 11)],
        "fibonacci": [0, 1, 1, 2, 3, 5, 8],
        "optimizer": "adam",
        "accuracy": {
            "epoch": [0, 1, 2],
            "train": [0.7 + 0.1 * epoch for epoch in range(3)],
            "test": [0.65 + 0.08 * epoch for epoch in range(3)],
        },
        "sine": {"angle": [0.0, 1.57, 3.14], "sine": [0.0, 1.0, 0.0]},
        "answers": {"question": ["2 + 2", "capital of France"], "answer": ["4", "Paris"], "right": [True, True]},
    }
    assert files == "files: outputs/notes.txt, outputs/square.svg"


def test_two_ranks_of_one_run(example):
    """Both are kept, and rank 0 is what is seen first."""
    assert example("ranks.py") == [f"rank 0: {[1 / (step + 1) for step in range(5)]}", "ranks: [0, 1]"]
