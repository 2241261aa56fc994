"""The folder everything lives in, and where its server is.

```text
HOME/
  server.json   address, pid and token of the server that owns this home; gone when it stopped
  server.lock   held by that server
  server.log    what a server that started by itself prints
  store/        the run store
  artifacts/    files of runs, by content hash
  journal/      a folder per process: what it logged and nobody acknowledged yet
  spool/        files that were uploaded and not delivered yet
  jobs/         a folder per submitted script that runs
  environments/ Python environments that were made for scripts
```
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = ["Home", "Server", "find"]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: ``endpoint`` is its base address (``http://127.0.0.1:4318``)."""

    endpoint: str
    pid: int
    token: str
    """Wanted as ``Authorization: Bearer`` where the server listens wider than loopback."""


@dataclass(frozen=True, slots=True)
class Home:
    """A home directory by its absolute path; nothing is made until something is written."""

    path: Path

    @property
    def server_file(self) -> Path:
        """Where the running server says how to reach it."""
        return self.path / "server.json"

    @property
    def server_lock(self) -> Path:
        """Locked (flock) by the one server of this home."""
        return self.path / "server.lock"

    @property
    def server_log(self) -> Path:
        """Output of a server that was started in the background."""
        return self.path / "server.log"

    @property
    def store(self) -> Path:
        """The embedded run store."""
        return self.path / "store"

    @property
    def artifacts(self) -> Path:
        """Bytes of runs' files."""
        return self.path / "artifacts"

    @property
    def journal(self) -> Path:
        """One folder a process."""
        return self.path / "journal"

    @property
    def spool(self) -> Path:
        """Files waiting to be delivered, named by their hash."""
        return self.path / "spool"

    @property
    def environments(self) -> Path:
        """Python environments made for scripts, by what is in them."""
        return self.path / "environments"

    @property
    def jobs(self) -> Path:
        """One folder a submitted script, as long as it runs."""
        return self.path / "jobs"

    def find_server(self) -> Server | None:
        """Read ``server.json``; None when no server says it runs here (it may have been killed: try it)."""
        try:
            entry = json.loads(self.server_file.read_text(encoding="utf-8"))
            return Server(endpoint=entry["endpoint"], pid=entry["pid"], token=entry["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_server(self, server: Server) -> None:
        """Say where the server is, readable by this user only; replaced in one step, so never half written."""
        self.path.mkdir(parents=True, exist_ok=True)
        draft = self.server_file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"endpoint": server.endpoint, "pid": server.pid, "token": server.token}, file)
        draft.replace(self.server_file)

    def remove_server(self) -> None:
        """Take the entry away; nothing happens when there is none."""
        self.server_file.unlink(missing_ok=True)


def find(path: str | os.PathLike[str] | None = None) -> Home:
    """Give the home: *path*, else ``RUNMILL_HOME``, else the platform's state directory."""
    chosen = path or os.environ.get("RUNMILL_HOME") or platformdirs.user_state_dir("runmill", appauthor=False)
    return Home(Path(chosen).expanduser().absolute())
