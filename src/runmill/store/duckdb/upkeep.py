"""What the store does for itself: it folds tables that have grown, and when nothing comes it gives memory back."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Chores", "Upkeep"]

_log: Final = logging.getLogger(__name__)

_FEW_COMMITS: Final = 200
"""So few are not worth folding, even at rest."""

_REST_SECONDS: Final = 3.0
"""Without a commit for so long, the store is at rest."""


@dataclass(frozen=True, slots=True)
class Chores:
    """What there is to do; each may take its time, and is called by one thread at a time."""

    fold: Callable[[], object]
    rest: Callable[[], object]


class Upkeep:
    """One thread, from the first commit on, that does the chores when they are due."""

    def __init__(self, chores: Chores, *, fold_commits: int, rest_seconds: float = _REST_SECONDS) -> None:
        """Fold after so many commits, even where they never pause."""
        self._chores = chores
        self._fold_commits = fold_commits
        self._rest_seconds = rest_seconds
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._commits = 0
        self._folded = 0
        self._is_busy = False
        self._is_closed = False

    def committed(self) -> None:
        """Take note of a commit; costs its caller nothing."""
        with self._changed:
            self._commits += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="runmill-store-upkeep", daemon=True)
                self._thread.start()
            # The thread is woken for what may be due, never for each commit.
            if not self._is_busy or self._unfolded >= self._fold_commits:
                self._is_busy = True
                self._changed.notify()

    def close(self) -> None:
        """Begin nothing more, and return when what was begun is done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    @property
    def _unfolded(self) -> int:
        return self._commits - self._folded

    def _run(self) -> None:
        while chore := self._next():
            try:
                chore()
            except Exception:  # noqa: BLE001 - nobody waits for a chore; the store is right without it
                _log.exception("the run store's upkeep failed; it is tried again later")

    def _next(self) -> Callable[[], object] | None:
        """Wait until a chore is due; None: the store is closed."""
        with self._changed:
            while not self._is_closed:
                if self._unfolded >= self._fold_commits:
                    return self._fold()
                seen = self._commits
                self._changed.wait(self._rest_seconds if self._is_busy else None)
                if self._is_busy and self._commits == seen and not self._is_closed:
                    if self._unfolded >= _FEW_COMMITS:
                        return self._fold()
                    self._is_busy = False
                    return self._chores.rest
            return None

    def _fold(self) -> Callable[[], object]:
        self._folded = self._commits
        return self._chores.fold
