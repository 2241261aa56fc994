"""Ends the runs whose runner was killed: whoever notices first says so, so that none of them stays Running."""

import os
import signal
import time
from contextlib import suppress
from typing import Final

from runmill.app.runs.experiment import Experiment
from runmill.app.runs.launch.carry_out import STD_LOG
from runmill.app.runs.launch.child import started_mark
from runmill.app.runs.launch.job import Job, JobFolder, dead_jobs
from runmill.app.runs.launch.supervised import attach
from runmill.app.runs.launch.verdict import Verdict
from runmill.app.runs.workspace import Workspace

__all__ = ["end_dead_jobs"]

_LOOK_SECONDS: Final = 0.05


def end_dead_jobs(workspace: Workspace) -> None:
    """End the home's runs that lost their runner as Failed, with the output they had; their scripts are ended, too.

    A script without its runner is no longer seen: its output goes nowhere, and nobody would hear how it ends.
    """
    for folder, job in dead_jobs(workspace.link.outlet.home):
        _end_script(folder, job)
        run = attach(Experiment(workspace, job.experiment), job.run_id, parent_id=job.parent_id)
        if folder.std_log.exists():
            run.keep_file(STD_LOG, folder.std_log)
        message = "the process that watched over the script was killed; the script was ended with it"
        run.end_as(Verdict("Failed", {"code": "RunnerLost", "message": message}))
        folder.remove()


def _end_script(folder: JobFolder, job: Job) -> None:
    child = folder.read_child()
    if child is None or started_mark(child[0]) != child[1]:
        return
    deadline = time.monotonic() + job.grace_seconds
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child[0], signal.SIGTERM)
        while time.monotonic() < deadline and _is_alive(*child):
            time.sleep(_LOOK_SECONDS)
        os.killpg(child[0], signal.SIGKILL)


def _is_alive(pid: int, started: str) -> bool:
    return started_mark(pid) == started
