"""`runmill run`: a command as a run, seen from the shell."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest

from processes import DEADLINE_SECONDS
from runmill import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def start(server, source) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Start `runmill run OPTIONS -- python train.py` with the script's text; streams are pipes unless given."""

    def start(text: str, *options: str, **streams: int) -> "subprocess.Popen[bytes]":
        (source / "train.py").write_text(text)
        command = [sys.executable, "-m", "runmill", "run", *options, "--", sys.executable, "train.py"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            command, cwd=source, env={**os.environ, "RUNMILL_HOME": str(server.home)}, **{**pipes, **streams}
        )

    return start


def newest(workspace) -> Run:
    found = workspace.link.fresh_client().runs()
    return workspace.get_run(next(iter(found)).run_id)


def test_output_passes_unchanged_and_is_kept(start, workspace, lines):
    """Bytes, streams, standard input and exit code are the command's own; the run has them, with name and tags."""
    command = start(
        "import sys\nsys.stdout.buffer.write(b'\\xff out\\r\\n')\nsys.stderr.write(sys.stdin.read())\nsys.exit(7)",
        "--experiment",
        "shell",
        "--name",
        "mine",
        "--tag",
        "a=b",
        "--tag",
        "alone",
    )
    out, err = command.communicate(b"typed", timeout=DEADLINE_SECONDS)
    run = newest(workspace)
    said = f"runmill: run {run.id}: {run.get_portal_url()}\ntyped"
    assert (command.returncode, out, err.decode()) == (7, b"\xff out\r\n", said)
    assert (run.experiment.name, run.display_name, dict(run.tags)) == ("shell", "mine", {"a": "b", "alone": None})
    assert sorted(lines(run)) == [("stderr", "typed"), ("stdout", "\\xff out")]
    assert (run.status, run.get_detailed_status()["details"]["exit_code"]) == ("Failed", 7)


def test_a_command_knows_its_run(start, workspace):
    """Code that logs through runmill, or imports azureml where it is asked for, logs to the run."""
    text = "from azureml.core import Run\nrun = Run.get_context()\nrun.log('m', 1)\nopen('outputs', 'w').close()"
    command = start(text, "--azureml")
    _, err = command.communicate(timeout=DEADLINE_SECONDS)
    assert command.returncode == 0, err
    run = newest(workspace)
    assert (run.experiment.name, run.status, run.get_metrics()) == ("train", "Completed", {"m": 1})


def test_on_a_terminal_the_command_has_one(start, workspace):
    """Streams shown on a terminal are terminals for the command; line ends are not doubled."""
    ours, theirs = os.openpty()
    command = start(
        "import os, sys\nprint(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())",
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    command.communicate(timeout=DEADLINE_SECONDS)
    shown = os.read(ours, 1000)
    os.close(ours)
    assert (command.returncode, shown) == (0, b"True True False\r\n")


def test_the_command_hears_of_a_new_size(start):
    """Who draws bars and tables is told when the terminal changes, and finds the new size on its own stream."""
    ours, theirs = os.openpty()
    command = start(
        "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\nprint('ready')\n"
        "signal.sigwait({signal.SIGWINCH})\nprint(os.get_terminal_size(1).columns)",
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    )
    shown = os.read(ours, 1000)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 132, 0, 0))
    command.send_signal(signal.SIGWINCH)
    command.communicate(timeout=DEADLINE_SECONDS)
    shown += os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)
    assert (command.returncode, shown) == (0, b"ready\r\n132\r\n")


@pytest.mark.parametrize(
    ("end", "code"), [("os.kill(os.getpid(), 9)", 137), ("os.kill(os.getpid(), signal.SIGTERM)", 143)]
)
def test_a_signal_is_told_as_a_shell_does(start, end, code):
    """128 and the signal's number."""
    command = start(f"import os, signal\n{end}")
    command.communicate(timeout=DEADLINE_SECONDS)
    assert command.returncode == code


def test_a_command_that_cannot_be_started(server, workspace):
    """127, the reason in words, and a failed run."""
    done = subprocess.run(
        [sys.executable, "-m", "runmill", "run", "no-such-program", "--flag"],
        env={**os.environ, "RUNMILL_HOME": str(server.home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 127
    assert done.stderr.splitlines()[-1].startswith("runmill: cannot start 'no-such-program' in '/")
    assert newest(workspace).get_detailed_status()["details"]["code"] == "StartFailed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command(start, number):
    """The command decides what Ctrl-C means; its exit code is told."""
    command = start(
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: (print('saved', flush=True), sys.exit(5)))\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    assert command.stdout.readline() == b"ready\n"
    command.send_signal(number)
    out, _ = command.communicate(timeout=DEADLINE_SECONDS)
    assert (command.returncode, out) == (5, b"saved\n")


def test_a_reader_that_leaves_is_told_to_the_command(start):
    """Behind `| head` the command ends as it would without us, by a broken pipe."""
    command = start("while True:\n    print('line')")
    assert command.stdout.readline() == b"line\n"
    with command.stdin, command.stderr:
        command.stdout.close()
        assert command.wait(timeout=DEADLINE_SECONDS) != 0
        assert b"BrokenPipeError" in command.stderr.read()


def test_a_foreground_run_that_is_killed_has_failed(start, workspace, submit):
    """Whoever next submits or waits in this home says so, and ends the command."""
    command = start("import time\nprint('ready', flush=True)\ntime.sleep(600)")
    assert command.stdout.readline() == b"ready\n"
    run_id = command.stderr.readline().decode().split()[2].rstrip(":")
    command.kill()
    command.communicate(timeout=DEADLINE_SECONDS)
    submit("").wait_for_completion()
    assert workspace.get_run(run_id).status == "Failed"
