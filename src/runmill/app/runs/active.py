"""The runs this process started and has not ended: kept alive by a heartbeat, ended with the process.

How a run ends that nobody ended, when its process ends:

* the program came to its end, or to ``sys.exit`` with 0 or None: Completed;
* an exception nobody caught, Ctrl-C included: Failed, with the exception;
* ``sys.exit`` (or ``exit``, ``quit``) with anything else: Failed, with the exit code;
* killed, or crashed: Failed, by the will that whoever delivers its journal finds there. Until somebody on its host
  does, the heartbeat stays away and readers see NotResponding.
"""

import atexit
import builtins
import functools
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NoReturn

from runmill.app import current
from runmill.app.runs.recorder import Recorder
from runmill.journal.records import parse_run_key
from runmill.journal.wills import Will
from runmill.otlp import runs

__all__ = ["HEARTBEAT_SECONDS", "ActiveRun", "ActiveRuns", "active_runs"]

HEARTBEAT_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """What is to be done for a run while it is active and when its process ends."""

    recorder: Recorder
    run: object
    """The Run itself, for ``Run.get_context``."""
    end: Callable[[BaseException | None], None]
    """Called with what ended the process, None for a normal end."""
    keep: Callable[[], None]
    """Called now and then: keeps what the program writes meanwhile."""
    owner_pid: int
    will: Will | None = None
    """Says that the run failed, should the process die."""

    def confirm(self) -> None:
        """Say that the run is alive, and keep what it wrote since."""
        self.recorder.event(runs.HEARTBEAT, {})
        if self.will is not None:
            self.will.confirm()
        self.keep()


class ActiveRuns:
    """The registry of one process. A forked child finds its parent's runs here but neither beats nor ends them."""

    def __init__(self, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._heartbeat_seconds = heartbeat_seconds
        self._runs: dict[str, ActiveRun] = {}
        self._beating_pid: int | None = None
        self._closed = threading.Event()

    def add(self, run: ActiveRun) -> None:
        """Count *run* as active; the first one of a process starts the heartbeat thread."""
        self._runs[run.recorder.key] = run
        current.run_started(run.recorder.key)
        self._start_beating()

    def remove(self, key: str) -> None:
        """Count it no longer; nothing happens when it was not."""
        run = self._runs.pop(key, None)
        current.run_ended(key)
        if run is not None and run.will is not None and run.owner_pid == os.getpid():
            run.will.revoke()

    def find(self, key: str | None) -> ActiveRun | None:
        """Give the active run of that key."""
        return self._runs.get(key) if key else None

    def outermost(self) -> "list[ActiveRun]":
        """Give this process's runs that are not below another one of its runs."""
        owned = self._owned()
        ids = {parse_run_key(run.recorder.key).run_id for run in owned}
        return [run for run in owned if parse_run_key(run.recorder.key).parent_id not in ids]

    def end_all(self, error: BaseException | None) -> None:
        """End this process's runs, the newest first, so that children end before their parents."""
        for run in reversed(self._owned()):
            run.end(error)

    def close(self) -> None:
        """Stop beating. The process's own registry is never closed."""
        self._closed.set()

    def _owned(self) -> list[ActiveRun]:
        pid = os.getpid()
        return [run for run in tuple(self._runs.values()) if run.owner_pid == pid]

    def _start_beating(self) -> None:
        # One thread for the life of the process; a forked child has none until it starts a run of its own.
        if self._beating_pid != os.getpid():
            self._beating_pid = os.getpid()
            self._closed = threading.Event()
            threading.Thread(target=self._beat, args=(self._closed,), name="runmill-heartbeat", daemon=True).start()

    def _beat(self, closed: threading.Event) -> None:
        while not closed.wait(self._heartbeat_seconds):
            for run in self._owned():
                run.confirm()


class _Ending:
    """Remembers what ended the process, since atexit is not told."""

    def __init__(self, runs: ActiveRuns) -> None:
        self._runs = runs
        self._error: BaseException | None = None
        self._excepthook = sys.excepthook
        self._exit: Callable[[Any], NoReturn] = sys.exit

    def watch(self) -> None:
        """Stand in front of the hooks that are there; both go on to what they did before."""
        sys.excepthook = self._uncaught
        # SystemExit never reaches excepthook, so the call that raises it is the only place to see the code.
        sys.exit = self._exiting
        self._watch_quitters()
        atexit.register(self._end)

    def _watch_quitters(self) -> None:
        """Have ``exit`` and ``quit``, which raise SystemExit themselves, say their code as well; -S leaves them out."""
        for kind in {type(getattr(builtins, name)) for name in ("exit", "quit") if hasattr(builtins, name)}:
            if kind.__module__ == "_sitebuiltins":  # a shell of its own may have others
                kind.__call__ = self._noting(kind.__call__)

    def _noting(self, quit_: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
        @functools.wraps(quit_)
        def quit_and_note(quitter: object, code: Any = None) -> NoReturn:
            self._note(code)
            quit_(quitter, code)

        return quit_and_note

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._error = error
        self._excepthook(kind, error, trace)

    def _exiting(self, code: Any = None, /) -> NoReturn:
        self._note(code)
        self._exit(code)

    def _note(self, code: object) -> None:
        if threading.current_thread() is threading.main_thread():
            self._error = SystemExit(code) if code not in (None, 0) else None

    def _end(self) -> None:
        self._runs.end_all(self._error)


_process_runs: ActiveRuns | None = None


def active_runs() -> ActiveRuns:
    """Give this process's registry; the first call sets up what happens when the process ends."""
    global _process_runs  # noqa: PLW0603 - made once, when the first run starts, not on import
    if _process_runs is None:
        _process_runs = ActiveRuns()
        _Ending(_process_runs).watch()
    return _process_runs
