"""A script to be run, as it is handed to the runner: a file in a folder of its own, which the runner keeps locked.

```text
HOME/jobs/RUN_ID/
  job.json      what to do
  lock          held (flock) by the runner; free while the folder is there: the runner was killed
  child.json    the script's process, once it was started
  work/         the script's own copy of the source folder
  std_log.txt   what it wrote so far, raw
  runner.log    what the runner itself had to say; empty unless something went wrong
```
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runmill.home import Home

__all__ = ["Job", "JobFolder", "create", "dead_jobs"]

_JOB_NAME = "job.json"
_LOCK_NAME = "lock"
_CHILD_NAME = "child.json"


@dataclass(frozen=True, slots=True)
class Job:
    """What a runner does. Paths are absolute."""

    run_id: str
    experiment: str
    arguments: list[str]
    """Of the interpreter where `is_python`, else the whole command."""
    working_folder: str
    service_name: str
    """What the program is called, as ``service.name``."""
    is_python: bool = True
    interpreter: str = sys.executable
    parent_id: str | None = None
    pip_requirements: str | None = None
    """Make an environment with these, and let its Python be the interpreter."""
    pip_version: str | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    framework: str = "Python"
    communicator: str = "None"
    max_run_duration_seconds: float | None = None
    grace_seconds: float = 10.0
    """From SIGTERM to SIGKILL."""
    collects_outputs: bool = True
    watched_folders: list[str] = field(default_factory=list)
    snapshot_folder: str | None = None
    """Keep the code in this folder; None: keep none."""
    git_folder: str | None = None
    """Whose uncommitted changes are kept: a working copy is in no repository."""
    workspace_name: str = "local"
    subscription_id: str = ""
    resource_group: str = ""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """One job's folder. Its lock is this process's, and is let go of by `remove` or with the process."""

    path: Path
    lock: int

    @property
    def work(self) -> Path:
        """The script's own copy of the source folder."""
        return self.path / "work"

    @property
    def std_log(self) -> Path:
        """Both streams as they came."""
        return self.path / "std_log.txt"

    @property
    def runner_log(self) -> Path:
        """Standard output and error of the runner."""
        return self.path / "runner.log"

    def write(self, job: Job) -> None:
        """Say what is to be done; there whole or not at all."""
        _write_json(self.path / _JOB_NAME, asdict(job))

    def read(self) -> Job:
        """Give what is to be done. Raises OSError or ValueError when it was not written whole."""
        return Job(**json.loads((self.path / _JOB_NAME).read_text(encoding="utf-8")))

    def write_child(self, pid: int, started: str) -> None:
        """Remember the script's process, for whoever finds it without its runner."""
        _write_json(self.path / _CHILD_NAME, {"pid": pid, "started": started})

    def read_child(self) -> tuple[int, str] | None:
        """Give the script's pid and what tells it from a later process of that pid; None when none was started."""
        try:
            child = json.loads((self.path / _CHILD_NAME).read_text(encoding="utf-8"))
            return int(child["pid"]), str(child["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove(self) -> None:
        """Delete it with all that is in it, then let go."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def create(home: Home, run_id: str) -> JobFolder:
    """Make and lock the folder of a new job; nobody takes it for abandoned before `JobFolder.write`."""
    path = home.jobs / run_id
    path.mkdir(parents=True, mode=0o700)
    lock = os.open(path / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return JobFolder(path, lock)


def dead_jobs(home: Home) -> Iterator[tuple[JobFolder, Job]]:
    """Yield, locked, each job whose runner is gone; whoever takes it removes it."""
    if not home.jobs.is_dir():
        return
    for path in sorted(home.jobs.iterdir()):
        folder = _take(path) if (path / _JOB_NAME).exists() else None
        if folder is not None:
            yield folder, folder.read()


def _take(path: Path) -> JobFolder | None:
    try:
        lock = os.open(path / _LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (path / _JOB_NAME).exists():  # else it was removed while we opened it
            return JobFolder(path, lock)
    except OSError:  # the runner holds it
        pass
    os.close(lock)
    return None


def _write_json(path: Path, content: object) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)
