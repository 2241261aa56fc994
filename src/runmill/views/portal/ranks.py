"""Which ranks a distributed run has, found by looking: no list of them is kept."""

from collections.abc import Callable, Sequence
from typing import Final

from runmill.errors import NotFound
from runmill.model import MetricSummary, RunId
from runmill.store.interface import Store
from runmill.store.query import LogQuery, SeriesQuery

__all__ = ["rank_count"]

_MOST: Final = 4096


def rank_count(store: Store, run_id: RunId, metrics: Sequence[MetricSummary]) -> int:
    """Count the ranks that logged; 0 where none said its rank. Launchers number them from 0 without gaps."""
    numeric = next((each for each in metrics if each.numeric_count), None)

    def is_there(rank: int) -> bool:
        return _logged(store, run_id, rank) or (numeric is not None and _measured(store, numeric, run_id, rank))

    return _first_missing(is_there)


def _first_missing(is_there: Callable[[int], bool]) -> int:
    """Give the first number that is not there, by doubling and then halving: a thousand ranks take 20 looks."""
    if not is_there(0):
        return 0
    there, missing = 0, 1
    while missing < _MOST and is_there(missing):
        there, missing = missing, missing * 2
    while missing - there > 1:
        middle = (there + missing) // 2
        there, missing = (middle, missing) if is_there(middle) else (there, middle)
    return missing


def _logged(store: Store, run_id: RunId, rank: int) -> bool:
    return bool(store.logs(LogQuery(run_id=run_id, rank=rank, limit=1)).records)


def _measured(store: Store, metric: MetricSummary, run_id: RunId, rank: int) -> bool:
    query = SeriesQuery(run_id=run_id, metric=metric.metric, column=metric.column, buckets=1, rank=rank)
    try:
        return store.series(query).count > 0
    except NotFound:
        return False
