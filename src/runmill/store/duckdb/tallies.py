"""How many rows of what there are and between which commits they lie, in memory, summed from the summaries."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import duckdb

from runmill.model import RunId

__all__ = ["NOWHERE", "LogTally", "PointTally", "Span", "Tallies", "read"]


class Span(NamedTuple):
    """The ingest_seq of the first and the last row: the engine skips what was written before and after."""

    first: int
    last: int

    def joined(self, other: "Span") -> "Span":
        """Give the span over both."""
        return Span(min(self.first, other.first), max(self.last, other.last))


NOWHERE: Final = Span(2**63 - 1, -1)
"""The span of no rows."""


_MANY_RECORDS: Final = 200_000
"""So few are looked through in less time than it is worth to divide them for."""

_PARTS: Final = 4
"""More than there are threads to look through them: parts that turn out unequal even out."""


class LogTally(NamedTuple):
    """Some log records of one logger."""

    run_id: RunId | None
    service: str
    logger: str
    row_count: int
    span: Span


class PointTally(NamedTuple):
    """Some points of one run."""

    run_id: RunId | None
    row_count: int
    span: Span


class Tallies:
    """Sums of all that was committed. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[RunId | None, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        self._log_spans: dict[RunId | None, Span] = {}
        self._point_spans: dict[RunId | None, Span] = {}
        self._log_count = 0
        self._point_count = 0

    def add(self, logs: Iterable[LogTally], points: Iterable[PointTally]) -> None:
        """Count more rows."""
        with self._lock:
            for log in logs:
                self._logs[log.run_id][log.service, log.logger] += log.row_count
                self._log_spans[log.run_id] = self._log_spans.get(log.run_id, NOWHERE).joined(log.span)
                self._log_count += log.row_count
            for point in points:
                self._point_spans[point.run_id] = self._point_spans.get(point.run_id, NOWHERE).joined(point.span)
                self._point_count += point.row_count

    def log_span(self, run_id: RunId | None) -> Span:
        """Say where a run's logs lie."""
        with self._lock:
            return self._log_spans.get(run_id, NOWHERE)

    def log_parts(self, run_id: RunId | None, span: Span) -> list[Span]:
        """Divide a run's logs, or all, which lie in *span*, into parts of about as many; one where they are few.

        A guess, which takes each run's records to lie evenly between its first and its last.
        """
        with self._lock:
            known = self._log_spans if run_id is None else self._log_spans.keys() & {run_id}
            counted = [(self._log_spans[run], sum(self._logs[run].values())) for run in known]
        total = sum(count for _, count in counted)
        if total < _MANY_RECORDS:
            return [span]
        places = sorted((at, count / _PARTS) for (first, last), count in counted for at in _spread(first, last))
        sums = list(accumulate(count for _, count in places))
        cuts = [places[bisect_left(sums, total * number / _PARTS)][0] for number in range(1, _PARTS)]
        bounds = [span.first - 1, *sorted(cuts), span.last]
        return [Span(before + 1, last) for before, last in pairwise(bounds)]

    def point_span(self, run_ids: Iterable[RunId]) -> Span:
        """Say where the points of some runs lie."""
        span = NOWHERE
        with self._lock:
            for run_id in run_ids:
                span = span.joined(self._point_spans.get(run_id, NOWHERE))
        return span

    def loggers(self, run_id: RunId | None) -> list[tuple[str, int]]:
        """Give the loggers of a run, or all with None, by name."""
        with self._lock:
            tallies = [self._logs.get(run_id, {})] if run_id is not None else list(self._logs.values())
            counts = _summed((logger, count) for tally in tallies for (_, logger), count in tally.items())
        return sorted(counts.items())

    def services(self) -> list[tuple[str, int]]:
        """Give the services that logged without a run, by name."""
        with self._lock:
            counts = _summed((service, count) for (service, _), count in self._logs.get(None, {}).items())
        return sorted(counts.items())

    def counts(self) -> tuple[int, int]:
        """Give the number of log records and of points."""
        with self._lock:
            return self._log_count, self._point_count


def read(connection: duckdb.DuckDBPyConnection) -> Tallies:
    """Sum up what is stored."""
    logs = connection.execute(
        "select run_id, service, logger, sum(count)::bigint, min(first_seq), max(last_seq) from log_summaries "
        "group by run_id, service, logger"
    ).fetchall()
    points = connection.execute(
        "select run_id, sum(count)::bigint, min(first_seq), max(last_seq) from point_summaries group by run_id"
    ).fetchall()
    tallies = Tallies()
    tallies.add(
        (LogTally(run_id, service, logger, count, Span(*ends)) for run_id, service, logger, count, *ends in logs),
        (PointTally(run_id, count, Span(*ends)) for run_id, count, *ends in points),
    )
    return tallies


def _spread(first: int, last: int) -> Iterator[int]:
    """Give the middles of so many equal parts."""
    return (first + (last - first) * (2 * number + 1) // (2 * _PARTS) for number in range(_PARTS))


def _summed(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for name, count in counted:
        sums[name] += count
    return sums
