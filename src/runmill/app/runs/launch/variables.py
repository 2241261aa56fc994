"""What a script finds in its environment: which run it is, where it logs to, and what Azure ML scripts test for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runmill.app.identity import EXPERIMENT_VARIABLE, PARENT_VARIABLE, RUN_ID_VARIABLE
from runmill.app.runs.launch.supervised import SupervisedRun
from runmill.app.runs.link import WayOut

__all__ = ["script_variables", "with_interpreter_first"]

_PYTHON: Final = {
    # Output that is not a terminal waits in a buffer of 8 KiB otherwise: nothing would be live.
    "PYTHONUNBUFFERED": "1",
    # A segmentation fault says where it happened.
    "PYTHONFAULTHANDLER": "1",
}

_LOOPBACK: Final = ("http://127.", "http://[::1]")


def script_variables(
    run: SupervisedRun, own: Mapping[str, str], *, framework: str = "Python", communicator: str = "None"
) -> dict[str, str]:
    """Give the whole environment of the script of *run*: this process's, the run's, and over both its *own*."""
    return {
        **_PYTHON,
        **_inherited(),
        **_identity(run),
        **_azureml(run, framework, communicator),
        **_mlflow(run),
        **own,
    }


def with_interpreter_first(variables: Mapping[str, str], interpreter: str) -> dict[str, str]:
    """Give *variables* with the interpreter's folder first in PATH: ``python`` and its tools are those beside it."""
    folders = [str(Path(interpreter).parent), *variables.get("PATH", os.defpath).split(os.pathsep)]
    return {**variables, "PATH": os.pathsep.join(dict.fromkeys(folders))}


def _inherited() -> dict[str, str]:
    """Give this process's own variables, without a run it was launched for itself."""
    theirs = (RUN_ID_VARIABLE, EXPERIMENT_VARIABLE, PARENT_VARIABLE)
    return {name: value for name, value in os.environ.items() if name not in theirs}


def _identity(run: SupervisedRun) -> dict[str, str]:
    outlet = run.experiment.workspace.link.outlet
    variables = {
        RUN_ID_VARIABLE: run.id,
        EXPERIMENT_VARIABLE: run.experiment.name,
        "RUNMILL_HOME": str(outlet.home.path),
    }
    if run.parent_id is not None:
        variables[PARENT_VARIABLE] = run.parent_id
    # Without one, the script asks the home for its server, and finds it after a restart on another port, too.
    if outlet.settings.endpoint is not None:
        variables["RUNMILL_ENDPOINT"] = outlet.settings.endpoint
    return variables


def _mlflow(run: SupervisedRun) -> dict[str, str]:
    """Have MLflow's client log to the run; whoever named a tracking server of their own keeps it."""
    outlet = run.experiment.workspace.link.outlet
    endpoint, token = outlet.server().endpoint, _token(outlet)
    # The endpoint itself: a script that was launched so launches another.
    if os.environ.get("MLFLOW_TRACKING_URI") not in (None, "", endpoint):
        return {}
    return {
        "MLFLOW_TRACKING_URI": endpoint,
        "MLFLOW_RUN_ID": run.id,
        # Of the runs that are nested in this one: they would go to the default experiment.
        "MLFLOW_EXPERIMENT_NAME": run.experiment.name,
        # Only where it is wanted: a script that names another tracking server would send it there.
        **({} if endpoint.startswith(_LOOPBACK) or not token else {"MLFLOW_TRACKING_TOKEN": token}),
    }


def _token(outlet: WayOut) -> str:
    scheme, _, sent = dict(outlet.settings.headers).get("Authorization", "").partition(" ")
    return sent if scheme.lower() == "bearer" else outlet.server().token


def _azureml(run: SupervisedRun, framework: str, communicator: str) -> dict[str, str]:
    workspace = run.experiment.workspace
    return {
        "AZUREML_RUN_ID": run.id,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": run.experiment.name,
        "AZUREML_EXPERIMENT_ID": run.experiment.id,
        "AZUREML_SERVICE_ENDPOINT": workspace.location,
        "AZUREML_OUTPUT_DIRECTORY": "./outputs",
        "AZUREML_LOGDIRECTORY_PATH": "logs/",
        "AZUREML_TARGET_TYPE": "local",
        "AZUREML_FRAMEWORK": framework,
        "AZUREML_COMMUNICATOR": communicator,
    }
