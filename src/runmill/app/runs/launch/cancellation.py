"""Whether somebody asked for the end of a run: asked of the store, aside from reading the script's output."""

import threading
from typing import Final

from runmill.app.runs.link import Link
from runmill.errors import RunmillError

__all__ = ["Cancellation"]

_LOOK_SECONDS: Final = 1.0


class Cancellation:
    """Looks every second in a thread of its own, until it is closed. A store that is away asks for nothing."""

    def __init__(self, link: Link, run_id: str) -> None:
        self._link = link
        self._run_id = run_id
        self._is_asked = threading.Event()
        self._closed = threading.Event()
        threading.Thread(target=self._look, name="runmill-cancellation", daemon=True).start()

    def is_asked(self) -> bool:
        """Say whether it was; a request stays."""
        return self._is_asked.is_set()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                if self._link.client().run(self._run_id).status == "CancelRequested":
                    self._is_asked.set()
                    return
            except RunmillError:
                continue
