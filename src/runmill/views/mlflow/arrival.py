"""Runs that are named before they are known.

A script that runmill started finds its run's id in the environment and may speak of it at once; the word that the run
began travels by itself, and may come later.
"""

import re
import threading
from typing import Final

from runmill.errors import NotFound
from runmill.model import RunId
from runmill.store.interface import Committed, Store

__all__ = ["Arrivals"]

_WAIT_SECONDS: Final = 5.0
_MOST_WAITING: Final = 8
"""Each holds one of the threads that answer requests; who comes then is answered at once."""

_OF_A_CLIENT: Final = re.compile(r"[0-9a-f]{32}")
"""Ids of the runs that MLflow's clients began: they are told an id when its run is stored, so these never wait."""


class Arrivals:
    """Waits for runs, for a few requests at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places = threading.BoundedSemaphore(_MOST_WAITING)

    def wait_for(self, run_id: RunId) -> None:
        """Return when the run is there, or after 5 seconds."""
        if _OF_A_CLIENT.fullmatch(run_id) or self._is_there(run_id) or not self._places.acquire(blocking=False):
            return
        try:
            self._wait(run_id)
        finally:
            self._places.release()

    def _wait(self, run_id: RunId) -> None:
        arrived = threading.Event()

        def look(committed: Committed) -> None:
            if any(event.run_id == run_id for event in committed.events):
                arrived.set()

        unsubscribe = self._store.subscribe(look)
        try:
            if not self._is_there(run_id):  # committed between the first look and the subscription
                arrived.wait(_WAIT_SECONDS)
        finally:
            unsubscribe()

    def _is_there(self, run_id: RunId) -> bool:
        try:
            self._store.run(run_id)
        except NotFound:
            return False
        return True
