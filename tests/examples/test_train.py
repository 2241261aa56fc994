"""The training examples run as they are printed: by a submitted script, and in a notebook's cells."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import pytest

from processes import RunningServer, running

EXAMPLES = Path(__file__).parents[2] / "examples"
BEST = "the best alpha is 0.40, with an mse of 3295.71"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(tmp_path_factory.mktemp("examples")) as server:
        yield server


@pytest.fixture
def run_command(server: RunningServer, tmp_path: Path) -> Callable[..., str]:
    """Run Python in an empty folder, with nothing said but where the home is; give its output."""

    # Where a run takes long, its machine would be measured: not what is looked at here.
    settings = {"RUNMILL_HOME": str(server.home), "RUNMILL_SYSTEM_METRICS": "0", "PYTHONDONTWRITEBYTECODE": "1"}

    def run_command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert [line for line in done.stderr.splitlines() if not line.startswith("runmill: run ")] == []
        return done.stdout

    return run_command


@pytest.fixture
def run_example(run_command: Callable[..., str]) -> Callable[[str], str]:
    return lambda name: run_command("-W", "error", str(EXAMPLES / name))


def newest_run(server: RunningServer, experiment: str) -> dict:
    return server.get("/api/v1/runs", experiment=experiment).json()["runs"][0]


def test_a_script_is_submitted_with_its_folder(run_example, server, tmp_path):
    """Twenty alphas are trained, streamed and kept; the best model comes back; the folder's other module was there."""
    said = run_example("train_on_local/submit.py").splitlines()
    run = newest_run(server, "train-on-local")
    files = [file["path"] for file in server.get(f"/api/v1/runs/{run['run_id']}/files").json()["files"]]
    assert (run["status"], run["type"]) == ("Completed", "azureml.scriptrun")
    assert BEST in said
    assert sum(line.startswith("alpha is") for line in said) == 20
    assert [name for name in files if name.startswith("outputs/")] == [
        f"outputs/ridge_{step * 0.05:.2f}.pkl" for step in range(20)
    ]
    assert {"snapshot/train.py", "snapshot/mylib.py", "user_logs/std_log.txt"} <= set(files)
    assert joblib.load(tmp_path / "best_model.pkl").alpha == pytest.approx(0.4)


def test_a_notebook_logs_its_run(run_example, server):
    """Its cells, one after the other, log a value, an error, a tag and a model."""
    said = run_example("train_within_notebook.py")
    run = newest_run(server, "train-within-notebook")
    assert "{'alpha': 0.03, 'mse': 3424.85" in said
    assert (run["status"], run["tags"], run["type"]) == ("Completed", {"data": "diabetes"}, None)
    assert "['outputs/model.pkl']" in said


def test_a_script_for_azure_ml_runs_as_it_is(run_command, server):
    """`runmill run --azureml` gives it what it imports; its values, files and lines are the run's."""
    said = run_command(
        "-m", "runmill", "run", "--azureml", "--", sys.executable, str(EXAMPLES / "azureml_unmodified.py")
    )
    run = newest_run(server, "azureml_unmodified")
    files = [file["path"] for file in server.get(f"/api/v1/runs/{run['run_id']}/files").json()["files"]]
    metrics = server.get(f"/api/v1/runs/{run['run_id']}/metrics").json()["metrics"]
    assert said.splitlines()[-1] == "alpha is 0.95, and mse is 3369.12"
    assert (run["status"], run["type"]) == ("Completed", "azureml.scriptrun")
    assert [(metric["metric"], metric["count"]) for metric in metrics] == [("alpha", 20), ("mse", 20)]
    assert files == [*(f"outputs/ridge_{step * 0.05:.2f}.pkl" for step in range(20)), "user_logs/std_log.txt"]
