"""Starts a local collector where none runs and none is configured: one per home, in the background, idle ones stop."""

import errno
import fcntl
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from runmill.app.notices import notice
from runmill.app.runs.client import Client
from runmill.home import Home, Server

__all__ = ["ensure_server", "is_server_gone"]

_READY_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.05
_IDLE_EXIT_SECONDS: Final = 900
# What the server cannot do without; of the extra `server`.
_NEEDED: Final = ("duckdb", "fastapi", "uvicorn")

_started: Final[set[int]] = set()
"""The processes of servers that this one started."""


def ensure_server(home: Home, *, say: Callable[[str], None] = notice) -> Server | None:
    """Give the home's server, started if there is none; None when there cannot be one, which is said once.

    Several processes at once start one server together. Nothing is lost without one: records wait in the journal.
    ``RUNMILL_AUTOSTART=0`` switches the start off.
    """
    if (server := _answering(home)) or _is_off():
        return server
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        say(
            f"no collector runs and none can be started here ({', '.join(missing)} not installed). What is logged is "
            f"kept in {str(home.path)!r}; to see it, pip install 'runmill[server]' and run `runmill up`."
        )
        return None
    try:
        with _only_one_starts(home):
            return _answering(home) or _start(home, say)
    except OSError as error:
        say(f"no collector could be started in {str(home.path)!r}: {error}. What is logged waits in the journal.")
        return None


def is_server_gone(home: Home) -> bool:
    """Say whether the home certainly has no server: it stopped, or was killed. Cheap to ask."""
    server = home.find_server()
    return server is None or _is_dead(server.pid)


def _is_dead(pid: int) -> bool:
    # One that was started here stays a zombie, which still has its pid, until somebody asks how it ended. No other is
    # asked: a pid that is used again may be a child that the program itself waits for.
    if pid in _started:
        with suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                return True
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def _is_off() -> bool:
    return os.environ.get("RUNMILL_AUTOSTART", "").strip().lower() in {"0", "false", "no", "off"}


def _answering(home: Home) -> Server | None:
    server = home.find_server()
    return server if server and Client(server, timeout_seconds=2.0).is_healthy() else None


@contextmanager
def _only_one_starts(home: Home) -> Iterator[None]:
    """Wait for other processes that are starting a server; they hold the lock for as long as that may take."""
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / "autostart.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(home: Home, say: Callable[[str], None]) -> Server | None:
    pid = _spawn(home)
    _started.add(pid)
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if server := _answering(home):
            say(f"started a collector; runs are shown at {server.endpoint}")
            return server
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            break
        time.sleep(_LOOK_SECONDS)
    say(f"the collector did not start; {str(home.server_log)!r} says why. What is logged waits in the journal.")
    return None


def _spawn(home: Home) -> int:
    """Start the server in a session of its own, so that Ctrl-C and the end of this program do not reach it."""
    argv = [sys.executable, "-m", "runmill", "up", "--home", str(home.path), "--idle-exit", str(_IDLE_EXIT_SECONDS)]
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not subprocess: nobody will wait for it, and a Popen that is dropped warns about that.
    return os.posix_spawn(
        sys.executable,
        argv,
        {name: value for name, value in os.environ.items() if not name.startswith("RUNMILL_RUN")},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(home.server_log), log_flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
