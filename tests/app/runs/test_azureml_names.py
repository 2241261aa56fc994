"""Unmodified code that imports Azure ML's packages runs on runmill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from processes import RunningServer
from runmill.azureml import with_azureml

TRAIN = """
import sys
from azureml.core import Experiment, Workspace, VERSION
from azureml.core.run import Run
from azureml.core.workspace import Workspace as SameWorkspace
from azureml.exceptions import AzureMLException, UserErrorException
import azureml.core, azureml.widgets

assert SameWorkspace is Workspace
run = Run.get_context()
run.log("alpha", 0.5)
for attempt, call in [
    ("list", lambda: run.log("alpha", [1])),
    ("file", lambda: run.download_file("not there")),
    ("name", lambda: Experiment(run.experiment.workspace, "no blanks")),
]:
    try:
        call()
    except UserErrorException as error:
        assert error.message and isinstance(error, AzureMLException)
        print("caught", attempt)
print(run.get_metrics(), VERSION, sys.argv[1:], __name__)
"""

SAID = "caught list\ncaught file\ncaught name\n{'alpha': 0.5} 1.61.0 ['--alpha', '1'] __main__\n"


@pytest.fixture
def azureml(tmp_path: Path, server: RunningServer):
    """Run Python in a process of its own, to its end, and give it back."""

    def run_python(*arguments: str, environment=os.environ) -> "subprocess.CompletedProcess[str]":
        settings = {"RUNMILL_HOME": str(server.home), "RUNMILL_ENDPOINT": server.endpoint}
        return subprocess.run(
            [sys.executable, *arguments],
            env={**environment, **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run_python


@pytest.fixture
def train(tmp_path: Path) -> str:
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    return str(path)


def test_an_unmodified_script_runs_by_its_environment(azureml, train):
    """A folder on PYTHONPATH is all it takes, so it holds for the processes a script starts as well."""
    done = azureml(train, "--alpha", "1", environment=with_azureml())
    assert (done.stdout, done.stderr) == (SAID, "")


def test_an_unmodified_script_runs_as_an_argument(azureml, train):
    """`python -m runmill.azureml train.py` gives it its own name, folder and arguments."""
    done = azureml("-m", "runmill.azureml", train, "--alpha", "1")
    assert (done.stdout, done.stderr) == (SAID, "")


def test_installed_in_a_running_process(azureml):
    """One call, harmless when repeated; what libraries ask to find out whether Azure ML is there says yes."""
    done = azureml(
        "-c",
        "import runmill.azureml, importlib.util as u\n"
        "runmill.azureml.install()\nrunmill.azureml.install()\n"
        "print([u.find_spec(n) is not None for n in ('azureml', 'azureml.core', 'azureml.core.run')])\n"
        "import azureml.core.run as r, azureml.core, runmill\n"
        "print(r.Run is azureml.core.Run is runmill.Run)",
    )
    assert (done.stdout, done.stderr) == ("[True, True, True]\nTrue\n", "")


def test_the_pattern_of_a_training_library(azureml):
    """Its callback logs every number under its own name as the description."""
    done = azureml(
        "-c",
        "import runmill.azureml\nrunmill.azureml.install()\n"
        "from azureml.core.run import Run\nrun = Run.get_context()\n"
        "for k, v in {'loss': 0.5, 'epoch': 1.0}.items(): run.log(k, v, description=k)\n"
        "print(run.get_metrics())",
    )
    assert (done.stdout, done.stderr) == ("{'loss': 0.5, 'epoch': 1.0}\n", "")


INSTEAD = {
    "from azureml.core import Dataset": "azureml.core.Dataset is not in runmill: runmill keeps no data sets",
    "from azureml.core import Keyvault": "azureml.core.Keyvault is not in runmill: runmill keeps no secrets",
    "import azureml.core.compute": "azureml.core.compute is not in runmill: scripts run on this machine",
    "import azureml.core.conda_dependencies": "azureml.core.conda_dependencies is not in runmill: conda environments",
    "import azureml.core.authentication": "azureml.core.authentication is not in runmill: there are no accounts",
    "from azureml.core.runconfig import MpiConfiguration": "azureml.core.runconfig.MpiConfiguration is not in runmill: "
    "start a launcher as the script's command",
    "from azureml.train.hyperdrive import BanditPolicy": "azureml.train is not in runmill: write the loop",
    "import azureml.automl": "azureml.automl is not in runmill: it has Azure ML's run logging, and no cloud",
}
"""An import -> how the error begins: what it is, and what to do instead."""

TRY_EACH = f"""
for statement in {list(INSTEAD)}:
    try:
        exec(statement)
    except ImportError as error:
        print(error)
"""


def test_what_is_not_there_is_said_in_words(azureml):
    """An import of what runmill does not have says what there is instead, and where to read on."""
    said = azureml("-c", TRY_EACH, environment=with_azureml()).stdout.splitlines()
    begins = list(INSTEAD.values())
    assert [line[: len(begin)] for line, begin in zip(said, begins, strict=True)] == begins
    assert {line.rpartition(". ")[2] for line in said} == {"See docs/migrate-from-azureml.md."}


def test_no_run_is_an_offline_run(azureml):
    """Scripts that look for one to know whether they have a workspace find that they have."""
    done = azureml(
        "-c",
        "from azureml.core.run import Run, _OfflineRun\n"
        "run = Run.get_context()\n"
        "print(isinstance(run, _OfflineRun), run.id.startswith('OfflineRun'), run.experiment.workspace.name)",
        environment=with_azureml(),
    )
    assert (done.stdout, done.stderr) == ("False False local\n", "")


def test_an_installed_azureml_is_not_hidden_unasked(azureml, tmp_path):
    """Where the real package is, install() refuses until it is told to replace it."""
    package = tmp_path / "azureml"
    (package / "core").mkdir(parents=True)
    for folder in (package, package / "core"):
        (folder / "__init__.py").write_text("REAL = True\n")
    install = (
        "import runmill.azureml\ntry:\n runmill.azureml.install()\nexcept runmill.Conflict as error:\n print(error)\n"
    )
    done = azureml("-c", install + "import azureml.core\nprint(azureml.core.REAL)")
    refused = (
        "runmill.azureml.install: Azure ML's own package is installed. Call install(replace=True) to have its names "
        "mean runmill's objects in this process.\n"
    )
    assert (done.stdout, done.stderr) == (f"{refused}True\n", "")
    done = azureml("-c", "import azureml.core\nimport runmill.azureml\nrunmill.azureml.install(replace=True)\n"
                   "import azureml.core\nprint(azureml.core.VERSION)")  # fmt: skip
    assert (done.stdout, done.stderr) == ("1.61.0\n", "")
