"""Waits for a run to end, and prints meanwhile what it logs."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from runmill.app.notices import notice
from runmill.app.runs.client import Client
from runmill.errors import RunFailed
from runmill.model import Run

__all__ = ["wait_for_end"]

_FIRST_LOOK_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 0.5
_STREAMING: Final = "Streaming user_logs/std_log.txt"
"""The words that Azure ML v1 printed, for those who look for them; what follows is the log with all its sources."""
_PAGE_LINES: Final = 10_000
_ENDED: Final = frozenset({"Completed", "Failed", "Canceled"})


def wait_for_end(
    client: Client,
    run_id: str,
    portal: str,
    *,
    show_output: bool,
    raises: bool,
    before_look: Callable[[], None] = lambda: None,
) -> Run:
    """Return the run once it has ended; *before_look* is called each time before its state is read.

    Raises RunFailed with its error when it failed and *raises* says so. Ctrl-C ends the waiting, not the run.
    """
    output = _Output(client, run_id, portal) if show_output else None
    try:
        run = _wait(client, run_id, output, before_look)
    except KeyboardInterrupt:
        notice(f"no longer waiting for run {run_id}; it goes on. To end it: run.cancel()")
        raise
    if output:
        output.summarise(run)
    if run.status == "Failed" and raises:
        raise RunFailed(f"run {run_id} failed: {_message(run)}. See {portal}/runs/{run_id}")
    return run


def _wait(client: Client, run_id: str, output: "_Output | None", before_look: Callable[[], None]) -> Run:
    pause_seconds = _FIRST_LOOK_SECONDS
    while True:
        before_look()
        # State first, output second: what was logged before the end is printed before the loop is left.
        run = client.run(run_id)
        if output:
            output.print_new()
        if run.status in _ENDED:
            return run
        time.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * 1.5, _LOOK_SECONDS)


class _Output:
    """The run's log on stdout, line by line."""

    def __init__(self, client: Client, run_id: str, portal: str) -> None:
        self._client = client
        self._run_id = run_id
        self._page = f"{portal}/runs/{run_id}"
        self._committed: int | None = None
        self._has_begun = False
        self.say(f"RunId: {run_id}", f"Web View: {self._page}")

    def print_new(self) -> None:
        """Print all records that came since the last time, whatever their own times: some come late."""
        more = True
        while more:
            page = self._client.log_page(self._run_id, committed_after=self._committed, limit=_PAGE_LINES)
            if self._committed is None and page["more_before"]:
                self.say(f"[earlier lines are left out; the newest {_PAGE_LINES} follow]")
            if page["records"] and not self._has_begun:
                self._has_begun = True
                self.say("", _STREAMING, "=" * len(_STREAMING), "")
            self.say(*(_line(record) for record in page["records"]))
            more = bool(page["more_after"])
            self._committed = page["records"][-1]["cursor"] if more else page["committed"]

    def summarise(self, run: Run) -> None:
        """Say how it ended and where to look."""
        heading = "Execution Summary"
        self.say("", heading, "=" * len(heading), f"RunId: {run.run_id}", f"Web View: {self._page}")
        self.say(f"Status: {run.status}", *([f"Error: {_message(run)}"] if run.status == "Failed" else []))

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
