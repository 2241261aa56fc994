"""A script from its start to its verdict: the work that the runner and ``runmill run`` share."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.app.runs.kept_files import KeptFiles
from runmill.app.runs.launch.cancellation import Cancellation
from runmill.app.runs.launch.child import Child, Stop, Terminal
from runmill.app.runs.launch.output import Output
from runmill.app.runs.launch.supervised import SupervisedRun
from runmill.app.runs.launch.verdict import Ending, Verdict, judge, oom_kill_count
from runmill.app.runs.lines import Stream

__all__ = ["NOT_STARTED", "STD_LOG", "Script", "carry_out"]

NOT_STARTED: Final = 127
"""What a shell says of a command that it cannot start."""

STD_LOG: Final = "user_logs/std_log.txt"
_KEEP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Script:
    """What is run, and what is kept of it."""

    argv: Sequence[str]
    folder: Path
    variables: Mapping[str, str]
    std_log: Path
    outputs: Sequence[str] = ("outputs",)
    """Folders whose files are kept at the end."""
    watched: Sequence[str] = ("logs",)
    """Folders whose files are kept meanwhile, too."""
    limit_seconds: float | None = None
    grace_seconds: float = 10.0
    terminal: Terminal | None = None
    """What it shares of ours; None: it is in the background, and signals to us stop it."""


def carry_out(
    run: SupervisedRun,
    script: Script,
    *,
    started: Callable[[int], None] = lambda _pid: None,
    passes_on: Callable[[Stream, bytes], bool] = lambda _stream, _content: True,
) -> Verdict:
    """Run the script to its end, keep its output and its files, and say how it ended. The run goes on until told.

    Args:
        run: The run it is.
        script: What to run.
        started: Called with the script's pid.
        passes_on: Called with all output; False: nobody wants more of that stream.
    """
    oom_kills = oom_kill_count()
    began = time.time_ns()
    try:
        child = Child(
            script.argv,
            folder=script.folder,
            variables=script.variables,
            terminal=script.terminal or Terminal(),
        )
    except OSError as error:
        message = f"cannot start {script.argv[0]!r} in {str(script.folder)!r}: {error.strerror or error}"
        return Verdict("Failed", {"code": "StartFailed", "message": message}, exit_code=NOT_STARTED)
    started(child.pid)
    watched = _Watched(run, script, passes_on, KeptFiles(run, script.folder, since_unix_nano=began))
    with _signals(child, script):
        exit_code, stop = child.watch(watched, limit_seconds=script.limit_seconds, grace_seconds=script.grace_seconds)
    watched.close()
    return judge(_ending(exit_code, stop, watched.output.stderr_tail, oom_kill_count() - oom_kills))


def _signals(child: Child, script: Script) -> AbstractContextManager[None]:
    return child.given_signals() if script.terminal is not None else child.stopped_by_signals(script.grace_seconds)


def _ending(exit_code: int, stop: Stop, stderr: str, oom_kills: int) -> Ending:
    return Ending(
        exit_code,
        stderr,
        was_canceled=stop.was_canceled,
        time_limit_seconds=stop.time_limit_seconds,
        stopped_by=stop.stopped_by,
        oom_kill_count=oom_kills,
    )


class _Watched:
    """Joins what a script writes, leaves and is asked to one run."""

    def __init__(
        self, run: SupervisedRun, script: Script, passes_on: Callable[[Stream, bytes], bool], files: KeptFiles
    ) -> None:
        self._run = run
        self.output = Output(run, script.std_log)
        self._script = script
        self._passes_on = passes_on
        self._files = files
        self._cancellation = Cancellation(run.experiment.workspace.link, run.id)
        self._keep_at = time.monotonic() + _KEEP_SECONDS

    def take(self, stream: Stream, content: bytes) -> bool:
        self.output.take(stream, content)
        return self._passes_on(stream, content)

    def is_canceled(self) -> bool:
        return self._cancellation.is_asked()

    def tick(self) -> None:
        now = time.monotonic()
        if now >= self._keep_at:
            self._keep_at = now + _KEEP_SECONDS
            self._files.keep_grown(self._script.watched)
            self._files.keep_file(STD_LOG, self._script.std_log, only_if_grown=True)

    def close(self) -> None:
        """Keep all that is left; the script has ended."""
        self._cancellation.close()
        self._run.say_status("Finalizing")
        self.output.close()
        self._files.keep_all((*self._script.watched, *self._script.outputs))
        self._files.keep_file(STD_LOG, self._script.std_log)
