"""A server alone picks up what a killed process could not deliver."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, running

PROGRAM = """
    import os
    from runmill import Experiment, Workspace
    run = Experiment(Workspace.from_config(), "behind").start_logging(snapshot_directory=None)
    run.log("loss", 0.5)
    run.upload_file("notes.txt", __file__)
    print(run.id, flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_a_killed_run_is_picked_up_with_its_files_by_a_server_that_runs(home: Path, tmp_path: Path):
    """No other process of the program has to start: metric and file are in the store after a moment."""
    program = tmp_path / "train.py"
    program.write_text(textwrap.dedent(PROGRAM))
    nobody = {**os.environ, "RUNMILL_HOME": str(home), "RUNMILL_ENDPOINT": "http://127.0.0.1:9"}
    killed = subprocess.run([sys.executable, program], env=nobody, stdout=subprocess.PIPE, text=True, check=False)
    assert killed.returncode == -9
    with running(home) as server:
        run = f"/api/v1/runs/{killed.stdout.strip()}"
        deadline = time.monotonic() + DEADLINE_SECONDS
        while server.get(run).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.05)  # the server says nowhere that it has delivered a journal
        assert server.get(run).json()["experiment"] == "behind"
        assert server.get(f"{run}/files/notes.txt").content == program.read_bytes()
