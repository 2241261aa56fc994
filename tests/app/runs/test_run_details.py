"""What RunDetails shows of a run: HTML that a notebook keeps up to date, text in a terminal."""

import json
import queue
import subprocess
import sys
import threading

import pytest

from runmill.app.runs.glance_forms import as_html
from runmill.app.runs.run_details import RunDetails
from runmill.app.runs.run_glance import Glance


class FakeScreen:
    """Keeps what it is told to show."""

    def __init__(self) -> None:
        self.shown: queue.Queue[str] = queue.Queue()

    def show(self, glance: Glance):
        self.shown.put(as_html(glance))
        return lambda newer: self.shown.put(as_html(newer))


@pytest.fixture
def trained(run):
    for step in range(10):
        run.log("loss", 1 / (step + 1))
    run.log("<b>name</b>", "x & y")
    run.log_confusion_matrix("errors", {"data": {"class_labels": ["a"], "matrix": [[1]]}})
    run.tag("kind", "<i>")
    run.child_run("fold 1")
    return run


def test_a_notebook_is_kept_up_to_date_until_the_run_ends(trained):
    """show() returns at once; the last update is the run's end, and then nobody looks any more."""
    screen = FakeScreen()
    RunDetails(trained, screen=screen, refresh_seconds=0.01).show()
    first = screen.shown.get(timeout=10)
    assert "Running" in first
    trained.complete()
    [thread] = [each for each in threading.enumerate() if each.name == "runmill-widget"] or [None]
    if thread:
        thread.join(10)
        assert not thread.is_alive()
    updates = list(screen.shown.queue)
    assert "Completed" in updates[-1]
    assert not any("Completed" in update for update in updates[:-1])


def test_an_ended_run_is_shown_once(trained):
    """Nothing changes any more: no thread is left behind."""
    trained.complete()
    screen = FakeScreen()
    RunDetails(trained, screen=screen, refresh_seconds=0.01).show()
    assert screen.shown.qsize() == 1
    assert [each for each in threading.enumerate() if each.name == "runmill-widget"] == []


def test_html_needs_no_script_and_trusts_nobody(trained):
    """A curve is an SVG in the page; names and values are escaped; a link leads to the run's page."""
    html = RunDetails(trained)._repr_html_()
    assert "<script" not in html
    assert html.count("<polyline") == 1
    assert "&lt;b&gt;name&lt;/b&gt;" in html
    assert "x &amp; y" in html
    assert "kind: &lt;i&gt;" in html
    assert f'href="{trained.get_portal_url()}"' in html


def test_a_terminal_is_told_in_text(trained, capsys):
    """State, page, curves, children."""
    RunDetails(trained).show()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"Run:         {trained.display_name}"
    assert "Status:      Running" in printed
    assert f"Page:        {trained.get_portal_url()}" in printed
    [loss] = [line for line in printed if line.startswith("loss")]
    assert loss.split() == ["loss", "█▄▃▂▂▂▁▁▁▁", "0.1"]
    [errors] = [line for line in printed if line.startswith("errors")]
    assert errors.split() == ["errors", "confusion", "matrix"]
    assert "fold 1  Running" in printed


def test_the_old_data_is_there(trained):
    """Under the old keys."""
    data = RunDetails(trained).get_widget_data()
    assert list(data) == [
        "status", "workbench_run_details_uri", "run_id", "run_properties", "child_runs", "children_metrics",
        "run_metrics", "run_logs", "graph", "widget_settings",
    ]  # fmt: skip
    assert (data["status"], data["run_id"]) == ("Running", trained.id)
    loss = data["run_metrics"][0]
    assert (loss["name"], loss["categories"], len(loss["series"][0]["data"])) == ("loss", list(range(10)), 10)


NOTEBOOK = """
import json, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
seen = []
def hook(message):
    content = message["content"]
    if message["msg_type"] in ("display_data", "update_display_data"):
        forms = content["data"]
        view = "application/vnd.jupyter.widget-view+json" in forms
        seen.append((message["msg_type"], view, "Completed" in forms["text/html"]))
    elif message["msg_type"] == "comm_msg" and "glance" in content["data"].get("state", {}):
        seen.append(("glance", True, content["data"]["state"]["glance"]["has_ended"]))
try:
    cell = sys.argv[1]
    reply = client.execute_interactive(cell, output_hook=hook, timeout=30)
    assert reply["content"]["status"] == "ok", reply["content"]
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(seen))
"""

CELL = """
import threading
from runmill import Experiment, RunDetails, Workspace
run = Experiment(Workspace.from_config(), "notebook").start_logging(outputs=False, snapshot_directory=None)
RunDetails(run, refresh_seconds=0.05).show()
run.complete()
[thread.join(10) for thread in threading.enumerate() if thread.name == "runmill-widget"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("has_anywidget", [True, False])
def test_in_a_real_kernel(server, tmp_path, has_anywidget):
    """The cell's output is a widget that the kernel tells of the end, and HTML that is replaced in place with it."""
    pytest.importorskip("ipykernel")
    import os

    cell = CELL if has_anywidget else f"import sys\nsys.modules['anywidget'] = None\n{CELL}"
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, cell],
        env={**os.environ, "RUNMILL_HOME": str(server.home), "RUNMILL_ENDPOINT": server.endpoint,
             "JUPYTER_PLATFORM_DIRS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen[0] == ["display_data", has_anywidget, False]
    assert seen[-1] == ["update_display_data", has_anywidget, True]
    assert (["glance", True, True] in seen) == has_anywidget
