"""Looks now and then for what other processes committed: one thread a store, one small question to the catalog."""

import logging
import threading
from collections.abc import Callable

__all__ = ["Follower"]

_log = logging.getLogger(__name__)


class Follower:
    """Calls *catch_up* every *seconds* until it is closed; None: nobody else commits, and there is no thread."""

    def __init__(self, catch_up: Callable[[], None], seconds: float | None) -> None:
        self._catch_up = catch_up
        self._closed = threading.Event()
        self._fails = False
        self._thread: threading.Thread | None = None
        if seconds is not None:
            self._thread = threading.Thread(target=self._run, args=(seconds,), name="runmill-store-follow", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no more; returns when a look that is on its way is done."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, seconds: float) -> None:
        while not self._closed.wait(seconds):
            try:
                self._catch_up()
            except Exception as error:  # noqa: BLE001 - a thread's edge: what is away may come back
                self._say(error)
            else:
                self._fails = False

    def _say(self, error: Exception) -> None:
        if not self._fails:  # once an outage
            _log.warning("what other processes commit is not seen for now: %s", error)
        self._fails = True
