"""What can be asked of a store: filters and pages as values, no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runmill.model import AttributeValue, LogRecord, RunId, RunStatus
from runmill.store.condition import Condition
from runmill.store.run_condition import RunCondition

__all__ = [
    "POINT_COLUMNS", "AttributeKey", "Axis", "Bucket", "LogCount", "LogPage", "LogQuery", "PointColumn", "PointQuery",
    "PruneQuery", "Pruned", "RunQuery", "Series", "SeriesQuery",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log records; every part given must hold. Records come in time order, oldest first."""

    run_id: RunId | None = None
    service: str | None = None
    min_severity: int = 0
    logger: str | None = None
    """A logger's name; it and its children (``train`` also gives ``train.loop``)."""
    text: str | None = None
    """Found anywhere in the body or the attributes, in any case."""
    stream: Literal["stdout", "stderr"] | None = None
    rank: int | None = None
    where: tuple[Condition, ...] = ()
    """What else must hold; `runmill.store.search.parse` reads it off a query that a person wrote."""
    since_unix_nano: int | None = None
    """Inclusive."""
    until_unix_nano: int | None = None
    """Exclusive."""
    before: str | None = None
    """A page's ``first`` cursor: the records just before it."""
    after: str | None = None
    """A page's ``last`` cursor: the records just after it."""
    committed_after: int | None = None
    """A record's `cursor` or a page's `committed`: only what was committed later, whatever its time, in the order of
    commits, oldest first. A live reader continues with this: records may arrive late, with times it has passed already.
    Not together with `before` or `after`."""
    limit: int = 200
    """1 to 10,000. Without `before` and `after`: the newest."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Records in time order, with the cursors that continue in both directions."""

    records: tuple[LogRecord, ...]
    first: str | None
    """Give as `before` for older records; None when the page is empty."""
    last: str | None
    """Give as `after` for newer ones; None when the page is empty."""
    more_before: bool
    """False: the page's first record is the oldest one that fits."""
    more_after: bool
    committed: int = 0
    """The newest commit this page knows of: `committed_after` it there is exactly what the page could not see."""


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many records of one severity range lie in one slice of time."""

    start_unix_nano: int
    severity_number: int
    """The first number of its range: 0, 1, 5, 9, 13, 17 or 21."""
    count: int


@dataclass(frozen=True, slots=True)
class AttributeKey:
    """An attribute that log records have."""

    name: str
    count: int
    """How many of them."""
    examples: tuple[AttributeValue, ...]
    """A few of its values, those of the most records."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, newest start first."""

    experiment: str | None = None
    status: frozenset[RunStatus] | None = None
    parent_id: RunId | None = None
    """Children of this run. None gives top-level runs and, with `include_children`, all."""
    ancestor_id: RunId | None = None
    """All below this run: its children, theirs and so on."""
    include_children: bool = False
    tags: tuple[tuple[str, str | None], ...] = ()
    """(key, value); a value of None asks for the key alone."""
    text: str | None = None
    """Found in id, name, display name, experiment or a tag, in any case."""
    where: tuple[RunCondition, ...] = ()
    """What else must hold; `runmill.store.run_search.parse_runs` reads it off a query that a person wrote."""
    limit: int = 100
    offset: int = 0


PointColumn = Literal["index", "step", "time_unix_nano"]
"""What a point has beside its value."""

POINT_COLUMNS: Final[frozenset[PointColumn]] = frozenset({"index", "step", "time_unix_nano"})


@dataclass(frozen=True, slots=True)
class PointQuery:
    """Every point of some runs, or of one metric of theirs."""

    run_ids: tuple[RunId, ...]
    metric: str | None = None
    columns: frozenset[PointColumn] = POINT_COLUMNS
    """What is wanted beside the values: a hundred thousand times cost more to tell than their values."""
    packed: bool = False
    """Columns of nothing but doubles, or nothing but integers, come as arrays: for who passes their bytes on."""


Axis = Literal["step", "index", "time"]
"""What puts the points of a metric in order."""


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """One metric's numbers, reduced to at most `buckets` slices of x."""

    run_id: RunId
    metric: str
    column: str | None = None
    """Of a row or table metric; None for scalars and lists."""
    x: Axis | None = None
    """None: the step where every point has one and they differ, else the index likewise, else the time."""
    x_metric: str | None = None
    """Of the same run: its numbers are x, each for the points at its `x` in its rank, the newest where there are
    several. A point without one is left out."""
    x_column: str | None = None
    """Of `x_metric`; without that of the metric itself, whose rows then bring both numbers: `x` is the index there,
    where nothing else is asked for."""
    buckets: int = 1000
    """Series of at most 2 * buckets points come back whole, every bucket a point."""
    x_min: float | None = None
    x_max: float | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The points of one slice of x. NaN and infinities count in `count` and `non_finite`, not in the figures."""

    x: float
    """The first point's x."""
    minimum: float | None
    maximum: float | None
    last: float | None
    count: int
    non_finite: int
    time_unix_nano: int
    """The earliest point's time: where to look in the log."""


@dataclass(frozen=True, slots=True)
class Series:
    """A reduced series, by ascending x."""

    metric: str
    column: str | None
    x: Axis | Literal["metric"]
    """``metric``: the numbers that `x_metric` and `x_column` name."""
    count: int
    """Points before the reduction."""
    buckets: Sequence[Bucket]


@dataclass(frozen=True, slots=True)
class PruneQuery:
    """What has had its time: what either part asks for, the longest silent first."""

    older_than_unix_nano: int | None = None
    """Runs of which nothing arrived since, them and all below them; and log records of no run that are older."""
    max_size_bytes: int | None = None
    """So many runs that the tables take about this much, files not counted."""
    dry_run: bool = False
    """Say what would go, and leave it."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went, or would."""

    run_ids: tuple[RunId, ...]
    log_count: int
    point_count: int
    file_count: int
