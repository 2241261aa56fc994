"""What the end of a script's process says about its run."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runmill.model import RunStatus

__all__ = ["Ending", "Verdict", "judge", "oom_kill_count"]

_UNCAUGHT: Final = 1
"""Python's exit code for an exception that nobody caught."""
_SHELL_SIGNAL: Final = 128
"""A shell says that its command was killed by exiting with this and the signal's number."""
_NATIVE_CRASHES: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})


@dataclass(frozen=True, slots=True)
class Ending:
    """What was seen of the end."""

    exit_code: int
    """As `subprocess` gives it: negative for a signal."""
    stderr: str
    """The end of what was written there."""
    was_canceled: bool = False
    time_limit_seconds: float | None = None
    """The limit, when it was reached."""
    stopped_by: str | None = None
    """The signal that ended the runner, and the script with it."""
    oom_kill_count: int = 0
    """How many processes the kernel killed for memory while the script ran."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the run ended."""

    status: RunStatus
    error: dict[str, Any] | None = None
    exit_code: int = 0
    """The script's; negative for a signal."""


def judge(ending: Ending) -> Verdict:
    """Say how the run ended, and of a failed one all that is known of why."""
    if ending.was_canceled:
        return Verdict("Canceled", exit_code=ending.exit_code)
    if ending.time_limit_seconds is not None:
        limit = f"{ending.time_limit_seconds:g} s"
        return _failed("TimeLimit", f"the time limit of {limit} (max_run_duration_seconds) was reached", ending)
    if ending.stopped_by is not None:
        return _failed("Stopped", f"{ending.stopped_by} stopped the runner, and the script with it", ending)
    if ending.exit_code == 0:
        return Verdict("Completed")
    number = _signal_of(ending.exit_code)
    return _by_exit_code(ending) if number is None else _by_signal(ending, number)


def oom_kill_count() -> int:
    """Count the processes that the kernel killed for memory since it started; 0 where it does not tell.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst, memory.events. ``/proc/vmstat`` counts the same for the
    whole machine; in a container only the control group is ours.
    """
    for path in (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")):
        try:
            counted = re.search(r"^oom_kill (\d+)$", path.read_text(encoding="ascii"), re.MULTILINE)
        except OSError:
            continue
        if counted:
            return int(counted[1])
    return 0


def _by_exit_code(ending: Ending) -> Verdict:
    trace = _traceback(ending.stderr) if ending.exit_code == _UNCAUGHT else None
    if trace is None:
        return _failed("UserError", f"the script ended with exit code {ending.exit_code}", ending)
    kind, message = _last_exception(trace)
    text = f"{kind}: {message}" if message else kind
    return _failed("UserError", text, ending, debug_type=kind, debug_message=message, debug_stack_trace=trace)


def _by_signal(ending: Ending, number: signal.Signals) -> Verdict:
    said = f"the script was ended by {number.name}"
    if number == signal.SIGKILL:
        return _failed(*_killed(said, ending.oom_kill_count), ending)
    if number in _NATIVE_CRASHES:
        return _failed(
            "Crash", f"{said}: a crash in native code", ending, debug_stack_trace=_fatal_error(ending.stderr)
        )
    return _failed("Signal", said, ending, debug_stack_trace=_traceback(ending.stderr))


def _killed(said: str, oom_kills: int) -> tuple[str, str]:
    if oom_kills:
        return "OutOfMemory", f"{said}: the kernel counted {oom_kills} kill(s) for want of memory meanwhile"
    # Nothing proves it, and it is the usual reason: the one who reads this should look there first.
    return "Killed", f"{said}; nobody says why. Often it is the kernel, out of memory: its log (dmesg) would tell"


def _failed(code: str, message: str, ending: Ending, **found: str | None) -> Verdict:
    known = {name: fact for name, fact in found.items() if fact is not None}
    error = {"code": code, "message": message, "exit_code": ending.exit_code, **known}
    return Verdict("Failed", error, exit_code=ending.exit_code)


def _signal_of(exit_code: int) -> signal.Signals | None:
    number = -exit_code if exit_code < 0 else exit_code - _SHELL_SIGNAL
    try:
        return signal.Signals(number)
    except ValueError:
        return None


def _traceback(stderr: str) -> str | None:
    """Give the last traceback with the exceptions it came from; None where there is none."""
    starts = [found.start() for found in _TRACEBACK.finditer(stderr)]
    if not starts:
        unreadable = _SYNTAX_ERROR.search(stderr)
        return unreadable[0] if unreadable else None
    start = starts.pop()
    while starts and _CHAINED.search(stderr[starts[-1] : start]):
        start = starts.pop()
    return stderr[start:].rstrip()


def _last_exception(trace: str) -> tuple[str, str]:
    """Give type and message of the exception that a traceback ends with; a message may have several lines."""
    heads = list(_TRACEBACK.finditer(trace))
    lines = trace[heads[-1].end() + 1 if heads else 0 :].splitlines()
    if heads and heads[-1][0] != _PLAIN_HEAD:  # the lines of an exception group stand behind a bar
        lines = [line[4:] for line in lines if line.startswith("  | ")]
    last = next((at for at, line in enumerate(lines) if line and not line[0].isspace()), None)
    if last is None:
        return "Exception", ""
    kind, _, message = "\n".join(lines[last:])[:_MOST_MESSAGE].partition(": ")
    return kind.strip(), message.strip()


def _fatal_error(stderr: str) -> str | None:
    """Give what faulthandler wrote of a crash."""
    start = stderr.rfind("Fatal Python error:")
    return None if start < 0 else stderr[start:].rstrip()


_PLAIN_HEAD: Final = "Traceback (most recent call last):"
_TRACEBACK: Final = re.compile(rf"^(?:  \+ Exception Group )?{re.escape(_PLAIN_HEAD)}$", re.MULTILINE)
_CHAINED: Final = re.compile(
    r"\n\n(?:The above exception was the direct cause of the following exception|"
    r"During handling of the above exception, another exception occurred):\n\n\Z"
)
# Of a script that Python could not read: it has no traceback.
_SYNTAX_ERROR: Final = re.compile(
    r'^  File ".*", line \d+\n(?:.*\n){0,6}?(?:Syntax|Indentation|Tab)Error: .*', re.MULTILINE
)
_MOST_MESSAGE: Final = 4000
