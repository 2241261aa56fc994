"""Who watches the commits, and what they are shown."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa

from runmill.model import MetricPoint, RunId
from runmill.store.deferred import Deferred
from runmill.store.duckdb import rows
from runmill.store.duckdb.append import Commit
from runmill.store.interface import Committed, Unsubscribe

__all__ = ["Listeners", "committed"]

_log: Final = logging.getLogger(__name__)

Listener = Callable[[Committed], None]


class Listeners:
    """The callers to tell of commits. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[object, Listener] = {}

    def add(self, listener: Listener) -> Unsubscribe:
        """Tell *listener* from the next commit on; what is returned ends it, however often it is called."""
        key = object()
        with self._lock:
            self._listeners[key] = listener
        return lambda: self._remove(key)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def tell(self, committed: Committed) -> None:
        """Call all of them. One that raises is not called again: the commit stands, and must be acknowledged."""
        with self._lock:
            listeners = list(self._listeners.items())
        for key, listener in listeners:
            try:
                listener(committed)
            except Exception:  # noqa: BLE001 - not ours, and what it raises must not undo an acknowledgement
                _log.exception("a listener to commits raised and is told of no more of them")
                self._remove(key)

    def _remove(self, key: object) -> None:
        with self._lock:
            self._listeners.pop(key, None)


def committed(commit: Commit) -> Committed:
    """Give what live views see of a commit; nothing is decoded before they look."""
    of_runs, run_events = _of_runs(commit.points), _of_runs(commit.events)
    return Committed(
        logs=Deferred(commit.logs.num_rows, lambda: rows.log_records(commit.logs)),
        points=Deferred(of_runs.num_rows, lambda: _with_runs(of_runs)),
        events=Deferred(run_events.num_rows, lambda: rows.events(run_events)),
        artifacts=Deferred(commit.artifacts.num_rows, lambda: rows.artifacts(commit.artifacts)),
    )


def _of_runs(table: pa.Table) -> pa.Table:
    # Nearly always that is all of it, and filtering loads 8 MB of Arrow's functions.
    runs = table["run_id"]
    return table.filter(runs.is_valid()) if runs.null_count else table


def _with_runs(points: pa.Table) -> Sequence[tuple[RunId, MetricPoint]]:
    return list(zip(points["run_id"].to_pylist(), rows.metric_points(points), strict=True))
