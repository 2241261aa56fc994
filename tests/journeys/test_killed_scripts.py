"""A submitted script killed at any moment: what it had written and logged by then is in its run, and nothing else."""

import os
import random
import signal
import textwrap
import time
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, running
from runmill import Experiment, Run, ScriptRunConfig, Workspace

MOMENTS = 10

# Each round says what it has done in a file that the test can read, after the calls have returned.
SCRIPT = """
import os
from pathlib import Path
from runmill import Run
Path("outputs/pid").write_text(str(os.getpid()))
run = Run.get_context()
done = os.open(os.environ["DONE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for step in range(1_000_000):
    os.write(1, b"line %d\\n" % step)
    run.log("step", step)
    run.log_row("row", step=step, text=str(step))
    os.write(done, b".")
"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_script_is_killed_at_random_moments(tmp_path: Path):
    """SIGKILL, ten times: the run has failed as killed; lines, values and rows go on without a gap up to the last."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(textwrap.dedent(SCRIPT))
    chance = random.Random(0)
    with running(tmp_path / "home") as server:
        experiment = Experiment(Workspace(home=server.home, endpoint=server.endpoint), "killed")
        for moment in range(MOMENTS):
            done = tmp_path / f"done-{moment}"
            config = ScriptRunConfig(source, "train.py")
            config.run_config.environment_variables = {"DONE": str(done)}
            run = experiment.submit(config)
            _kill_after(run, done, server.home, rounds=chance.randrange(1, 3_000))
            assert run.wait_for_completion(raise_on_error=False)["error"]["error"]["code"] == "Killed"
            _check(run, at_least=done.stat().st_size)


def _kill_after(run: Run, done: Path, home: Path, *, rounds: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done.exists() or done.stat().st_size < rounds:
        assert time.monotonic() < deadline, "the script does not go on"
        time.sleep(0.001)  # a file grows: there is nothing to wait on
    os.kill(int((home / "jobs" / run.id / "work" / "outputs" / "pid").read_text()), signal.SIGKILL)


def _check(run: Run, *, at_least: int) -> None:
    metrics = run.get_metrics()
    steps, rows = metrics["step"], metrics["row"]
    assert steps == list(range(len(steps)))
    assert rows == {"step": list(range(len(rows["step"]))), "text": [str(step) for step in rows["step"]]}
    lines = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].splitlines()
    assert lines == [f"line {step}" for step in range(len(lines))]
    # Each round does the three in this order, and was killed somewhere in its last one.
    assert at_least <= len(rows["step"]) <= len(steps) <= len(lines) <= at_least + 1
