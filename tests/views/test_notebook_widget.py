"""The notebook's widget in a browser: it reads the run by itself, or shows what the kernel tells it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from training import RUN

import runmill.app.runs.run_widget

pytestmark = pytest.mark.browser

SCRIPT = Path(runmill.app.runs.run_widget.__file__).with_suffix(".js")
# What anywidget gives a script: a model whose fields the kernel sees, and an element to fill.
MODEL = """
const fields = new Map(Object.entries(%s));
const listeners = [];
window.model = {
  get: (name) => fields.get(name),
  set: (name, value) => { fields.set(name, value); listeners.forEach((tell) => tell()); },
  on: (_, tell) => listeners.push(tell),
  save_changes: () => {},
};
"""
TOLD = {
    "facts": {"Run": "told", "Status": "Running"},
    "status": "Running",
    "has_ended": False,
    "address": "http://kernel.example/runs/1",
    "curves": [{"name": "<b>loss</b>", "last": "0.5", "count": 2, "shape": [1, 0.5]}],
    "lines": ["10:00:00 INFO <i>begin</i>"],
    "children": [{"name": "fold 1", "status": "Failed"}],
}


class Cell(BaseHTTPRequestHandler):
    """Answers with an empty output cell."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<p id=cell></p>")

    def log_message(self, *_):
        pass


@pytest.fixture
def notebook(browser):
    """A page of another origin on this machine, as a notebook server's is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Cell) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/lab")
        yield page
        page.close()
        server.shutdown()


def show(page: Page, **fields: object) -> None:
    script = SCRIPT.read_text().replace("export default { render };", "")
    start = "render({ model, el: document.querySelector('#cell') });"
    content = MODEL % json.dumps({"is_fetching": False, "glance": {}, **fields}) + script + start
    page.add_script_tag(content=content, type="module")


def test_it_reads_the_run_by_itself(notebook, trained, address):
    """State, curves and the newest lines, from the server alone; the kernel hears that it need not tell more."""
    show(notebook, server=address, run_id=RUN)
    cell = notebook.locator("#cell")
    expect(cell.locator("svg polyline").first).to_be_visible()
    expect(cell.get_by_role("link")).to_have_attribute("href", f"{address}/runs/{RUN}")
    expect(cell.locator("pre")).not_to_be_empty()
    assert notebook.evaluate("model.get('is_fetching')") is True


def test_it_shows_what_the_kernel_tells_where_no_server_is_reached(notebook):
    """Names and lines are text, whatever is in them; later glances replace the first."""
    show(notebook, server="http://localhost:2", run_id=RUN, glance=TOLD)
    cell = notebook.locator("#cell")
    expect(cell.get_by_role("row", name="<b>loss</b>")).to_be_visible()
    expect(cell.locator("pre")).to_have_text("10:00:00 INFO <i>begin</i>")
    expect(cell.locator("svg polyline")).to_have_attribute("points", "0.0,2.0 160.0,26.0")
    notebook.evaluate("model.set('glance', {...model.get('glance'), facts: {Status: 'Completed'}})")
    expect(cell.get_by_role("row", name="Status Completed")).to_be_visible()


@pytest.mark.parametrize(("origin", "may_read"), [
    ("http://localhost:8888", True),
    ("https://127.0.0.1", True),
    ("http://evil.example", False),
    ("http://localhost.evil.example", False),
    ("null", False),
])  # fmt: skip
def test_only_pages_of_this_machine_may_read(client, trained, origin, may_read):
    """A page of any other site gets an answer that its browser keeps from it."""
    answer = client.get(f"/api/v1/runs/{RUN}", headers={"Origin": origin})
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if may_read else None)
    assert "Access-Control-Allow-Origin" not in client.get(f"/runs/{RUN}", headers={"Origin": origin}).headers
