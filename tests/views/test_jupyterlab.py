"""The widget in a real JupyterLab: it follows a run while the cell that trains keeps the kernel busy."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from processes import DEADLINE_SECONDS, running

pytestmark = [pytest.mark.browser, pytest.mark.long]
pytest.importorskip("jupyterlab", reason="pip install jupyterlab")

# The kernel is busy from its first line to its last, and waits for the browser to have seen the middle.
CELL = """
import pathlib, time
from runmill import Experiment, RunDetails, Workspace
run = Experiment(Workspace.from_config(), "lab").start_logging(outputs=False, snapshot_directory=None)
RunDetails(run).show()
for step in range(3):
    run.log("loss", 1 / (step + 1))
while not pathlib.Path("seen").exists():
    time.sleep(0.1)
run.complete()
"""


@pytest.fixture
def lab(tmp_path: Path):
    """Give the address of a JupyterLab in a folder with one notebook, whose runs go to a server of their own."""
    folder, runtime = tmp_path / "notebooks", tmp_path / "runtime"
    folder.mkdir()
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": CELL}
    notebook = {"cells": [cell], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
                "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    (folder / "train.ipynb").write_text(json.dumps(notebook))
    with running(tmp_path / "home") as server:
        environment = {
            **os.environ,
            "RUNMILL_HOME": str(server.home),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
            "IPYTHONDIR": str(tmp_path / "ipython"),
        }
        options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--IdentityProvider.token="]
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as jupyter:
            try:
                yield _address(runtime), folder
            finally:
                jupyter.terminate()


def _address(runtime: Path) -> str:
    deadline = time.monotonic() + 3 * DEADLINE_SECONDS
    while not (found := list(runtime.glob("jpserver-*.json"))):
        assert time.monotonic() < deadline, "JupyterLab did not start"
        time.sleep(0.1)  # a file appears: there is nothing to wait on
    address: str = json.loads(found[0].read_text())["url"]
    return re.sub("localhost", "127.0.0.1", address)


def test_a_run_is_followed_while_the_kernel_is_busy(lab, browser):
    """The third point is seen although the cell has not ended; then the end."""
    address, folder = lab
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}lab/tree/train.ipynb")
    page.get_by_text("RunDetails(run).show()").first.click()
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", state="attached")
    page.keyboard.press("Shift+Enter")
    shown = page.locator(".jp-OutputArea .runmill-run")
    expect(shown.get_by_role("row", name="loss")).to_contain_text("0.333333", timeout=60_000)
    expect(shown.get_by_role("row", name="Status")).to_contain_text("Running")
    (folder / "seen").touch()
    expect(shown.get_by_role("row", name="Status")).to_contain_text("Completed", timeout=60_000)
    page.close()
