"""Waits for a run to end, and prints meanwhile what it logs."""

import sys
import time
from typing import Any, Final

from runmill.app.client import Client
from runmill.errors import RunFailed
from runmill.model import Run

__all__ = ["wait_for_end"]

_LOOK_SECONDS: Final = 0.5
_PAGE_LINES: Final = 10_000
_ENDED: Final = frozenset({"Completed", "Failed", "Canceled"})


def wait_for_end(client: Client, run_id: str, portal: str, *, show_output: bool, raises: bool) -> Run:
    """Return the run once it has ended. Raises RunFailed with its error when it failed and *raises* says so."""
    output = _Output(client, run_id) if show_output else None
    if output:
        output.say(f"RunId: {run_id}", f"Web View: {portal}/runs/{run_id}", "")
    while True:
        # State first, output second: what was logged before the end is printed before the loop is left.
        run = client.run(run_id)
        if output:
            output.print_new()
        if run.status in _ENDED:
            break
        time.sleep(_LOOK_SECONDS)
    if output:
        output.say(
            "", "Execution Summary", "=================", f"RunId: {run_id}", f"Status: {run.status}", *_said(run)
        )
    if run.status == "Failed" and raises:
        raise RunFailed(f"run {run_id} failed: {_message(run)}. See {portal}/runs/{run_id}")
    return run


class _Output:
    """The run's log on stdout, line by line."""

    def __init__(self, client: Client, run_id: str) -> None:
        self._client = client
        self._run_id = run_id
        self._after: str | None = None

    def print_new(self) -> None:
        """Print all records that came since the last time."""
        more = True
        while more:
            page = self._client.log_page(self._run_id, after=self._after, limit=_PAGE_LINES)
            if self._after is None and page["more_before"]:
                self.say(f"[earlier lines are left out; the newest {_PAGE_LINES} follow]")
            self.say(*(_line(record) for record in page["records"]))
            self._after = page["last"] or self._after
            more = bool(page["more_after"])

    def say(self, *lines: str) -> None:
        """Print lines as they are."""
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _line(record: dict[str, Any]) -> str:
    body = record["body"]
    text = body if isinstance(body, str) else str(body)
    return text if record.get("stream") else f"{record['severity_text'] or '-'} {record['logger']}: {text}"


def _message(run: Run) -> str:
    error = run.error or {}
    return str(error.get("message") or error.get("code") or "no reason was given")


def _said(run: Run) -> list[str]:
    return [f"Error: {_message(run)}"] if run.status == "Failed" else []
