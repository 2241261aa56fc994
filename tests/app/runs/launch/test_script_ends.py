"""How scripts end: by themselves, by a signal, by a request, by the clock; and with their runner or without."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from processes import DEADLINE_SECONDS
from runmill import NotFound, Run, RunFailed

pytestmark = pytest.mark.slow

FOREVER = """
import os, time
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def first_line(lines) -> Callable[[Run], str]:
    """Wait for the first line that a run's script writes."""

    def first_line(run: Run) -> str:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (said := lines(run)):
            assert time.monotonic() < deadline, "the script said nothing"
            time.sleep(0.05)  # another process delivers: there is nothing to wait on
        return said[0][1]

    return first_line


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)  # no child of ours: there is nothing to wait on


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        ("sys.exit(3)", "UserError", r"the script ended with exit code 3"),
        ("raise MemoryError('no room')", "UserError", r"MemoryError: no room"),
        ("this is no Python", "UserError", r"SyntaxError: invalid syntax"),
        ("raise KeyboardInterrupt", "Signal", r"the script was ended by SIGINT"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "Signal", r"the script was ended by SIGTERM"),
        ("os.abort()", "Crash", r"the script was ended by SIGABRT: a crash in native code"),
        ("import faulthandler; faulthandler._sigsegv()", "Crash", r"the script was ended by SIGSEGV: a crash in .*"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "Killed",
            r"the script was ended by SIGKILL; nobody says why\. .*dmesg.*",
        ),
        ("os._exit(9)", "UserError", r"the script ended with exit code 9"),
    ],
)
def test_an_end_that_is_no_success_is_told(submit, end, code, message):
    """The run has failed, with the kind of end and what is known of it."""
    run = submit(f"import os, signal, sys\n{end}")
    with pytest.raises(RunFailed, match=message):
        run.wait_for_completion()
    assert run.get_detailed_status()["details"]["code"] == code


def test_a_traceback_is_the_runs_error(submit):
    """Type, message and the whole chain, as Python wrote it to stderr."""
    run = submit("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise OSError('a\\nb') from error")
    run.wait_for_completion(raise_on_error=False)
    error = run.get_detailed_status()["details"]
    assert (error["debug_type"], error["debug_message"], error["exit_code"]) == ("OSError", "a\nb", 1)
    trace = error["debug_stack_trace"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: division by zero\n\nThe above exception was the direct cause" in trace
    assert trace.endswith("OSError: a\nb")


def test_a_crash_says_where_it_happened(submit):
    """Python's fault handler is on in a submitted script."""
    run = submit("import faulthandler\ndef deep():\n    faulthandler._sigsegv()\ndeep()")
    run.wait_for_completion(raise_on_error=False)
    trace = run.get_detailed_status()["details"]["debug_stack_trace"]
    assert trace.startswith("Fatal Python error: Segmentation fault")
    assert "in deep" in trace


@pytest.mark.parametrize(("count", "metrics"), [(0, {}), (1, {"m": 0}), (100, {"m": list(range(100))})])
def test_what_a_killed_script_wrote_and_logged_is_kept(submit, lines, count, metrics):
    """kill -9 at any moment: every line and every metric before it is there, outputs included."""
    run = submit(
        f"""
        import os
        from runmill import Run
        run = Run.get_context()
        for i in range({count}):
            print("line", i)
            run.log("m", i)
        open("outputs/checkpoint", "w").write("half")
        os.kill(os.getpid(), 9)
        """
    )
    run.wait_for_completion(raise_on_error=False)
    assert lines(run) == [("stdout", f"line {i}") for i in range(count)]
    assert run.get_metrics() == metrics
    assert "outputs/checkpoint" in run.get_file_names()


def test_the_end_of_the_submitter_is_not_the_runs(server, source, workspace):
    """A notebook kernel that is killed right after submit() loses nothing: the run goes on to its own end."""
    (source / "train.py").write_text("import time\ntime.sleep(1)\nprint('done')")
    program = (
        "import os\nfrom runmill import *\n"
        f"ws = Workspace(home={str(server.home)!r})\n"
        f"run = Experiment(ws, 'scripts').submit(ScriptRunConfig({str(source)!r}, 'train.py'))\n"
        "print(run.id, flush=True)\nos.killpg(0, 9)"
    )
    submitter = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    run_id, _ = submitter.communicate(timeout=DEADLINE_SECONDS)
    assert submitter.returncode == -signal.SIGKILL
    run = wait_for_run(workspace, run_id.strip())
    assert run.wait_for_completion()["status"] == "Completed"


def wait_for_run(workspace, run_id: str) -> Run:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            return workspace.get_run(run_id)
        except NotFound:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # the runner delivers: there is nothing to wait on


def test_a_run_whose_runner_was_killed_has_failed(submit, first_line, server):
    """Who waits hears of it at once; the script, which nobody watches any more, is ended."""
    run = submit(FOREVER)
    script = int(first_line(run))
    os.kill(psutil.Process(script).ppid(), signal.SIGKILL)
    with pytest.raises(RunFailed, match=r"the process that watched over|the run's process died"):
        run.wait_for_completion()
    wait_until_gone(script)
    assert not (server.home / "jobs" / run.id).exists()


def test_a_runner_that_is_told_to_end_ends_its_script(submit, first_line):
    """As when the machine shuts down: the script gets SIGTERM, and the run says who ended it."""
    run = submit(FOREVER)
    script = int(first_line(run))
    os.kill(psutil.Process(script).ppid(), signal.SIGTERM)
    with pytest.raises(RunFailed, match=r"SIGTERM stopped the runner, and the script with it"):
        run.wait_for_completion()
    wait_until_gone(script)


def test_a_script_is_cancelled_from_anywhere(submit, first_line, workspace):
    """Another Run object asks; the script gets SIGTERM and may still write; waiting for it raises nothing."""
    run = submit(
        """
        import os, signal, sys, time
        def end(*_):
            print("saving", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        print(os.getpid(), flush=True)
        time.sleep(600)
        """
    )
    first_line(run)
    other = workspace.get_run(run.id)
    other.cancel()
    assert other.status == "CancelRequested"
    assert run.wait_for_completion()["status"] == "Canceled"
    assert run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].endswith("saving\n")


def test_a_script_that_will_not_end_is_killed_with_its_children(submit, first_line):
    """One that ignores SIGTERM gets SIGKILL after the grace, and so do the processes it started."""
    run = submit(
        """
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        time.sleep(600)
        """,
        grace_seconds=0.2,
    )
    child = int(first_line(run))
    run.cancel()
    assert run.wait_for_completion()["status"] == "Canceled"
    wait_until_gone(child)


def test_a_run_may_cancel_itself_from_its_script(submit):
    """`Run.get_context().cancel()` in the script is a request like any other."""
    run = submit("import time\nfrom runmill import Run\nRun.get_context().cancel()\ntime.sleep(600)")
    assert run.wait_for_completion()["status"] == "Canceled"


def test_a_time_limit_ends_the_script(submit):
    """The run has failed, and says which limit it was."""
    run = submit(FOREVER, max_run_duration_seconds=0.5)
    with pytest.raises(RunFailed, match=r"the time limit of 0\.5 s \(max_run_duration_seconds\) was reached"):
        run.wait_for_completion()


def test_a_script_that_forks_is_one_run(submit, lines):
    """Workers' lines and metrics are the run's; the run ends with the script, not with a process it left behind."""
    run = submit(
        """
        import os, subprocess, sys
        from runmill import Run
        left = "import time; time.sleep(30)"
        subprocess.Popen([sys.executable, "-c", left], start_new_session=True)
        if os.fork() == 0:
            Run.get_context().log("m", 1)
            print("worker")
            sys.exit(5)
        os.wait()
        print("parent")
        """
    )
    began = time.monotonic()
    assert run.wait_for_completion()["status"] == "Completed"
    assert time.monotonic() - began < 20
    assert (lines(run), run.get_metrics()) == ([("stdout", "worker"), ("stdout", "parent")], {"m": 1})


def test_whatever_a_script_writes_is_kept(submit, lines, server):
    """Bytes that are no UTF-8, a progress bar, ten megabytes without an end: lines of text, and a raw file."""
    run = submit(
        r"""
        import sys
        out = sys.stdout.buffer
        out.write(b"\xff\xfe caf\xc3\xa9\r\n")
        for i in range(101):
            out.write(b"\r%3d%%" % i)
        out.write(b"\n\x1b[31mred\x1b[0m\n\n")
        out.write(b"x" * 10_000_000)
        """
    )
    run.wait_for_completion()
    said = [body for _, body in lines(run)]
    assert said[:4] == ["\\xff\\xfe café", "100%", "red", ""]
    assert "".join(said[4:]) == "x" * 10_000_000
    raw = server.get(f"/api/v1/runs/{run.id}/files/user_logs/std_log.txt").content
    bar = b"".join(b"\r%3d%%" % i for i in range(101))
    assert raw == b"\xff\xfe caf\xc3\xa9\r\n" + bar + b"\n\x1b[31mred\x1b[0m\n\n" + b"x" * 10_000_000
