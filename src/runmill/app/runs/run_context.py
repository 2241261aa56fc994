"""Which run the calling code belongs to, as a Run; and the one a script gets that was started by hand."""

import os
import re
import sys
from pathlib import PurePath

from runmill import model
from runmill.app import current
from runmill.app.identity import identity_from_environment
from runmill.app.runs.active import active_runs
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run
from runmill.app.runs.workspace import Workspace
from runmill.journal.records import RunIdentity

__all__ = ["find_run_of_context", "start_run_of_script"]


def find_run_of_context() -> Run | None:
    """Give the run entered here, else the process's only active one, else the one this process was launched for."""
    active = active_runs().find(current.current_run_key())
    if active is not None and isinstance(active.run, Run):
        return active.run
    identity = identity_from_environment()
    return _launched(identity) if identity else None


def start_run_of_script() -> Run:
    """Start a run in an experiment named after the script, in the workspace around the current folder."""
    script = PurePath(getattr(sys.modules.get("__main__"), "__file__", None) or "interactive").stem
    name = re.sub(r"[^A-Za-z0-9_-]", "-", script).lstrip("_-") or "script"
    return Experiment(Workspace.from_config(), name[:255]).start_logging(snapshot_directory=None)


def _launched(identity: RunIdentity) -> Run:
    """Make the Run without reading it: the launcher has started it, and a job must not wait for the network."""
    state = model.Run(
        run_id=model.RunId(identity.run_id),
        experiment=identity.experiment,
        name=identity.run_id,
        display_name=identity.run_id,
        number=0,
        status="Running",
        start_time_unix_nano=0,
        end_time_unix_nano=None,
        parent_id=model.RunId(identity.parent_id) if identity.parent_id else None,
    )
    experiment = Experiment(_workspace_of_launcher(), identity.experiment)
    run = Run(experiment, identity.run_id, state=state, sets_status=False)
    run.activate()
    return run


def _workspace_of_launcher() -> Workspace:
    """Give the workspace that the launcher named in the environment: a file near the script may name another."""
    if not any(os.environ.get(name) for name in ("RUNMILL_HOME", "RUNMILL_ENDPOINT")):
        return Workspace.from_config()
    return Workspace(
        os.environ.get("AZUREML_ARM_SUBSCRIPTION", ""),
        os.environ.get("AZUREML_ARM_RESOURCEGROUP", ""),
        os.environ.get("AZUREML_ARM_WORKSPACE_NAME") or "local",
    )
