"""``python -m runmill.app.runs.launch.runner FOLDER LOCK``: watches over one submitted script after its submitter.

A process of its own session, so that neither Ctrl-C in the submitting terminal nor the end of a notebook kernel
reaches it. It writes through the journal like everybody: what it took is safe, whatever happens to it next.
"""

import sys
import traceback
from pathlib import Path
from typing import Final

from runmill.app import settings
from runmill.app.notices import notice
from runmill.app.outlet import outlet
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.launch.carry_out import Script, carry_out
from runmill.app.runs.launch.child import started_mark
from runmill.app.runs.launch.job import Job, JobFolder
from runmill.app.runs.launch.managed import managed_interpreter
from runmill.app.runs.launch.supervised import SupervisedRun, attach
from runmill.app.runs.launch.variables import script_variables, with_interpreter_first
from runmill.app.runs.launch.verdict import Verdict
from runmill.app.runs.workspace import Workspace
from runmill.errors import ConfigError, RunmillError

__all__ = ["main"]

_DELIVER_SECONDS: Final = 300.0
"""Nobody waits for this process: large outputs may take their time. Without a collector it ends at once."""


def main() -> None:
    """Carry out the job in the folder that the arguments name, and delete it."""
    folder = JobFolder(Path(sys.argv[1]), int(sys.argv[2]))
    job = folder.read()
    way_out = outlet(settings.resolve(service_name=job.service_name))
    workspace = Workspace(job.subscription_id, job.resource_group, job.workspace_name, outlet=way_out)
    run = attach(Experiment(workspace, job.experiment), job.run_id, parent_id=job.parent_id)
    run.activate()
    run.end_as(_verdict(run, job, folder))
    folder.remove()
    way_out.flush(_DELIVER_SECONDS)


def _verdict(run: SupervisedRun, job: Job, folder: JobFolder) -> Verdict:
    try:
        return _carry_out(run, job, folder)
    except ConfigError as error:
        return Verdict("Failed", {"code": "EnvironmentFailed", "message": str(error)})
    except Exception as error:  # noqa: BLE001 - the process's edge: a run must not stay Running for a fault of ours
        trace = traceback.format_exc()
        message = f"the runner failed: {type(error).__name__}: {error}"
        return Verdict("Failed", {"code": "RunnerError", "message": message, "debug_stack_trace": trace})


def _carry_out(run: SupervisedRun, job: Job, folder: JobFolder) -> Verdict:
    work = Path(job.working_folder)
    interpreter = job.interpreter
    if job.pip_requirements is not None:
        home = run.experiment.workspace.link.outlet.home
        interpreter = str(managed_interpreter(home, job.pip_requirements, job.pip_version))
    variables = script_variables(run, job.environment_variables, framework=job.framework, communicator=job.communicator)
    script = Script(
        argv=[interpreter, *job.arguments] if job.is_python else job.arguments,
        folder=work,
        variables=with_interpreter_first(variables, interpreter),
        std_log=folder.std_log,
        outputs=("outputs",) if job.collects_outputs else (),
        watched=tuple(job.watched_folders) if job.collects_outputs else (),
        limit_seconds=job.max_run_duration_seconds,
        grace_seconds=job.grace_seconds,
    )
    if job.collects_outputs:
        (work / "outputs").mkdir(exist_ok=True)
    _keep_code(run, job)
    run.say_status("Running")
    return carry_out(run, script, started=lambda pid: folder.write_child(pid, started_mark(pid)))


def _keep_code(run: SupervisedRun, job: Job) -> None:
    try:
        if job.snapshot_folder is not None:
            run.take_snapshot(job.snapshot_folder)
        if job.git_folder is not None:
            run.keep_uncommitted_changes(job.git_folder)
    except (OSError, RunmillError) as error:  # never a reason for a run to fail
        notice(f"run {run.id}: its code is not kept: {error}")


if __name__ == "__main__":
    main()
