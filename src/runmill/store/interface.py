"""What a run store is: appended to by one caller, read by many, told of every commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from runmill.columns import Columns
from runmill.model import (
    Artifact,
    Experiment,
    LogRecord,
    MetricPoint,
    MetricPoints,
    MetricSummary,
    ModelVersion,
    Resource,
    Run,
    RunEvent,
    RunId,
)
from runmill.store.pruner import Retention
from runmill.store.query import (
    AttributeKey,
    LogCount,
    LogPage,
    LogQuery,
    PointQuery,
    Pruned,
    PruneQuery,
    RunQuery,
    Series,
    SeriesQuery,
)

__all__ = ["Committed", "Compacted", "Delivery", "Grouping", "Store", "StoreFacts", "Unsubscribe"]

Unsubscribe = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch to be stored; with a producer, it is stored once however often it is delivered."""

    columns: Columns
    producer_id: str | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit added, for live views; repeats are not in it.

    Sequences, not tuples: an engine makes their items when someone looks, so a commit nobody watches costs nothing.
    """

    logs: Sequence[LogRecord]
    points: Sequence[tuple[RunId, MetricPoint]]
    """Points of runs; what was measured without a run is not shown live."""
    events: Sequence[RunEvent]
    artifacts: Sequence[Artifact]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How a store likes its batches grouped into commits, where nobody says otherwise."""

    interval_seconds: float
    """The longest pause between two commits where they go on and on."""
    records: int
    """So many waiting records are committed without a pause."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What ``runmill store info`` prints."""

    url: str
    schema_version: int
    log_count: int
    point_count: int
    run_count: int
    size_bytes: int
    retention: Retention
    """What it removes by itself, as long as it is open so."""
    pruned_run_count: int
    """Taken out since it was made, by hand or by itself."""
    pruned_log_count: int
    pruned_point_count: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many rows the tables that grow by commits had before, and have now."""

    before: int
    after: int


class Store(Protocol):
    """Every method may be called from any thread; each returns when its answer is complete."""

    @property
    def grouping(self) -> Grouping:
        """How batches are best grouped into commits here."""

    def append(self, deliveries: Sequence[Delivery], /) -> int:
        """Commit all of *deliveries* in one transaction; give how many of them were repeats and left out.

        Safe on disk when it returns. Raises Refused when it cannot commit now: nothing of it is stored.
        """

    def compact(self) -> Compacted:
        """Fold what grows by rows a commit, and give space back; no answer changes. Commits wait for it."""

    def prune(self, query: PruneQuery, /) -> Pruned:
        """Take out runs as a whole, with all below them and with the files that no other run has; commits wait for it.

        Never one that is at work, or that a model was registered from.
        """

    def columns_after(self, ingest_seq: int, /, *, limit: int) -> tuple[Columns, int]:
        """Give at most *limit* rows that were committed after *ingest_seq*, in their order, as they were appended.

        With the resources they name, and the number of the last of them: *ingest_seq* itself when there are no more.
        """

    def subscribe(self, listener: Callable[[Committed], None], /) -> Unsubscribe:
        """Call *listener* after each commit, whoever made it: it must return at once and never raise."""

    def runs(self, query: RunQuery, /) -> list[Run]:
        """Give the runs that fit, newest start first."""

    def run(self, run_id: RunId, /) -> Run:
        """Give one run's state. Raises NotFound. A unique prefix of at least 6 characters of an id will do."""

    def run_events(self, run_id: RunId, /) -> list[RunEvent]:
        """Give what happened to a run in time order, heartbeats left out. Raises NotFound."""

    def experiments(self) -> list[Experiment]:
        """Give all experiments, the one with the newest run first, those that are only named last."""

    def models(self) -> list[ModelVersion]:
        """Give every version of every model, in the order of registration: a name's versions count from 1."""

    def logs(self, query: LogQuery, /) -> LogPage:
        """Give one page of log records. Raises InvalidArgument for a cursor that is none."""

    def log_counts(self, query: LogQuery, /, *, slices: int) -> list[LogCount]:
        """Count the records that fit per severity range in *slices* equal parts of their time; cursors and limit
        of *query* are left aside.
        """

    def loggers(self, run_id: RunId | None, /) -> list[tuple[str, int]]:
        """Give every logger's name with its number of records, by name."""

    def attribute_keys(self, query: LogQuery, /) -> list[AttributeKey]:
        """Give the attributes of the newest 100,000 records that fit, those of the most records first; cursors and
        limit of *query* are left aside.
        """

    def services(self) -> list[tuple[str, int]]:
        """Give every service that logged without a run, with its number of records."""

    def metrics(self, run_ids: Sequence[RunId], /) -> dict[RunId, list[MetricSummary]]:
        """Give what is known of each (metric, column) of the runs, in the order of their first point."""

    def points(self, query: PointQuery, /) -> list[MetricPoints]:
        """Give every point as columns: an item a run and metric, run by run, a run's by their first points.

        Raises NotFound for a run that is not there; a metric that is not there has no item.
        """

    def series(self, query: SeriesQuery, /) -> Series:
        """Give one metric reduced to what a chart can show. Raises NotFound for a run or metric that is not there."""

    def artifacts(self, run_id: RunId, /) -> list[Artifact]:
        """Give the run's files by path; of a path put twice, the newest. Raises NotFound."""

    def artifact(self, run_id: RunId, path: str, /) -> Artifact:
        """Give one file's facts. Raises NotFound naming the path."""

    def has_artifact_bytes(self, sha256: str, /) -> bool:
        """Say whether the bytes are there already."""

    def put_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /) -> int:
        """Keep the bytes under their hash and give their number. Raises InvalidArgument when they do not have it."""

    def upload_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /, *, start: int = 0) -> int:
        """Do as `put_artifact_bytes`, but keep what came before *chunks* raised, for a week: *start* goes on after it.

        Raises Conflict when *start* is not what `uploaded_artifact_bytes` says, nor 0.
        """

    def uploaded_artifact_bytes(self, sha256: str, /) -> int:
        """Say how many bytes are kept of an upload that broke off."""

    def artifact_bytes(self, sha256: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from *start* up to *end* in pieces, never all in memory. Raises NotFound."""

    def resource(self, resource_id: str, /) -> Resource:
        """Give what produced a record. Raises NotFound."""

    def sql(self, text: str, /) -> pa.RecordBatchReader:
        """Answer one reading statement over the tables of docs/store.md; what it holds is given back at its end.

        Raises InvalidArgument for any other statement, and Unavailable when it takes too long.
        """

    def facts(self) -> StoreFacts:
        """Count and measure."""

    def close(self) -> None:
        """Give the store back. Safe to call twice."""
