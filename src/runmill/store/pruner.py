"""What a store removes by itself: a thread that has it pruned now and then, as a setting says."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runmill.store.query import Pruned, PruneQuery

__all__ = ["Pruner", "Retention"]

_log: Final = logging.getLogger(__name__)

_NAMED_RUNS: Final = 10
"""So many of those that are gone are named; more would hide how many there are."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What stays; by default all of it. What goes is said in `runmill.store.query.PruneQuery`."""

    max_age_seconds: float | None = None
    max_size_bytes: int | None = None
    check_interval_seconds: float = 3600.0
    """How long after a look comes the next; the first is when the store was opened."""

    def __bool__(self) -> bool:
        """Say whether anything ever goes."""
        return self.max_age_seconds is not None or self.max_size_bytes is not None

    def query(self, now_unix_nano: int) -> PruneQuery:
        """Ask for what has had its time by now."""
        age = self.max_age_seconds
        return PruneQuery(None if age is None else now_unix_nano - round(age * 1e9), self.max_size_bytes)


class Pruner:
    """One thread that prunes, and says in the log what went; none where all stays."""

    def __init__(self, prune: Callable[[PruneQuery], Pruned], retention: Retention, clock: Callable[[], int]) -> None:
        self._prune = prune
        self._retention = retention
        self._clock = clock
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runmill-store-pruner", daemon=True)
        if retention:
            self._thread.start()

    def close(self) -> None:
        """Begin nothing more, and return when what was begun is done."""
        self._closed.set()
        if self._retention:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                gone = self._prune(self._retention.query(self._clock()))
            except Exception as error:  # noqa: BLE001 - nobody waits for it; whatever it was, it is tried again
                _log.warning("the run store cannot remove what has had its time; it is tried again later: %s", error)
            else:
                _tell(gone)
            self._closed.wait(self._retention.check_interval_seconds)


def _tell(gone: Pruned) -> None:
    """Say what went: it was asked for once, and perhaps by somebody else."""
    if gone.run_ids or gone.log_count:
        named = ", ".join(gone.run_ids[:_NAMED_RUNS]) + (", ..." if len(gone.run_ids) > _NAMED_RUNS else "")
        _log.warning(
            "the run store removed what has had its time: %d runs%s, %d log records, %d metric points, %d files",
            len(gone.run_ids),
            f" ({named})" if named else "",
            gone.log_count,
            gone.point_count,
            gone.file_count,
        )
