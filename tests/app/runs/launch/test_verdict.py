"""What the end of a process says about its run."""

import subprocess
import sys

import pytest

from runmill.app.runs.launch.verdict import Ending, Verdict, judge

OFTEN = "Often it is the kernel, out of memory: its log (dmesg) would tell"


def error_of(ending: Ending) -> dict:
    verdict = judge(ending)
    assert verdict.status == "Failed"
    return verdict.error


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending(0, "Traceback (most recent call last):\nValueError"), Verdict("Completed")),
        (Ending(-15, "", was_canceled=True), Verdict("Canceled", exit_code=-15)),
        (Ending(0, "", was_canceled=True), Verdict("Canceled")),
    ],
)
def test_an_end_without_an_error(ending, verdict):
    """Exit code 0 is success whatever was printed; a request to end counts more than how it ended."""
    assert judge(ending) == verdict


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        (Ending(2, ""), "UserError", "the script ended with exit code 2"),
        (Ending(255, ""), "UserError", "the script ended with exit code 255"),
        (Ending(-15, ""), "Signal", "the script was ended by SIGTERM"),
        (Ending(143, ""), "Signal", "the script was ended by SIGTERM"),
        (Ending(-11, ""), "Crash", "the script was ended by SIGSEGV: a crash in native code"),
        (
            Ending(-9, "", oom_kill_count=1),
            "OutOfMemory",
            "the script was ended by SIGKILL: the kernel counted 1 kill(s) for want of memory meanwhile",
        ),
        (
            Ending(-9, ""),
            "Killed",
            f"the script was ended by SIGKILL; nobody says why. {OFTEN}",
        ),
        (
            Ending(-15, "", time_limit_seconds=60),
            "TimeLimit",
            "the time limit of 60 s (max_run_duration_seconds) was reached",
        ),
        (Ending(-15, "", stopped_by="SIGHUP"), "Stopped", "SIGHUP stopped the runner, and the script with it"),
    ],
)
def test_an_error_is_named(ending, code, message):
    """A word for programs, a sentence for people, the exit code for both."""
    assert error_of(ending) == {"code": code, "message": message, "exit_code": ending.exit_code}


def stderr_of(code: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("raise ValueError('a: b')", "ValueError", "a: b"),
        ("raise ValueError", "ValueError", ""),
        ("raise ValueError('one\\ntwo')", "ValueError", "one\ntwo"),
        ("import json\njson.loads('{')", "json.decoder.JSONDecodeError", "Expecting property name enclosed in double"),
        ("try:\n  1/0\nfinally:\n  raise KeyError('k')", "KeyError", "'k'"),
        ("def f(: pass", "SyntaxError", "invalid syntax"),
        ("raise ExceptionGroup('both', [ValueError(1), OSError(2)])", "ExceptionGroup", "both (2 sub-exceptions)"),
        (
            "import logging\ntry:\n  1/0\nexcept Exception: logging.exception('x')\nraise OSError('last')",
            "OSError",
            "last",
        ),
        ("import sys\nsys.stderr.write('noise\\n')\nimport absent_module", "ModuleNotFoundError", "No module named"),
    ],
)
@pytest.mark.slow
def test_a_traceback_gives_type_and_message(code, kind, message):
    """As Python itself writes it: chained, grouped, of several lines, or of a script it cannot read."""
    error = error_of(Ending(*stderr_of(code)))
    assert (error["debug_type"], error["debug_message"].startswith(message)) == (kind, True)
    assert error["message"] == (f"{kind}: {error['debug_message']}" if message else kind)
    assert error["debug_stack_trace"].rstrip() in stderr_of(code)[1]


def test_an_exit_code_beside_a_handled_exception_is_what_counts():
    """A traceback that was only logged is not why the script ended with 3."""
    code, stderr = stderr_of("import logging, sys\ntry:\n  1/0\nexcept Exception: logging.exception('x')\nsys.exit(3)")
    assert error_of(Ending(code, stderr))["message"] == "the script ended with exit code 3"
