"""The Store protocol over one database: one writer, any number of readers, runs in memory."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from runmill.errors import InvalidArgument, NotFound, Refused, Rejected
from runmill.model import (
    Artifact,
    Experiment,
    MetricPoints,
    MetricSummary,
    ModelVersion,
    Resource,
    Run,
    RunEvent,
    RunId,
)
from runmill.store.artifacts import ArtifactBytes
from runmill.store.catalogue import Catalogue
from runmill.store.duckdb import events, logs, pruning, schema, sightings, summaries, tallies
from runmill.store.duckdb.append import Commit, append
from runmill.store.duckdb.database import Database
from runmill.store.duckdb.folding import fold
from runmill.store.duckdb.live import Listeners, committed
from runmill.store.duckdb.points import points
from runmill.store.duckdb.series import series
from runmill.store.duckdb.sightings import Sightings
from runmill.store.duckdb.sql import select
from runmill.store.duckdb.tallies import Span
from runmill.store.duckdb.upkeep import Chores, Upkeep
from runmill.store.interface import Committed, Compacted, Delivery, StoreFacts, Unsubscribe
from runmill.store.query import (
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
from runmill.store.registry import model_versions, with_labels
from runmill.store.retention import families

__all__ = ["DuckDBStore"]

_LARGEST_LISTING: Final = 10_000
_EVERYTHING: Final = Span(0, 2**63 - 1)
_LAST_SEQ: Final = """
    select coalesce(max(seq), 0) from (
        select max(last_seq) as seq from log_summaries union all select max(last_seq) from point_summaries
        union all select max(ingest_seq) from events union all select max(ingest_seq) from artifacts
        union all select max(last_seq) from prunings)"""


class DuckDBStore:
    """A run store in the DuckDB file of *folder*; see `runmill.store.interface.Store` for what each method promises."""

    def __init__(
        self, folder: Path, *, artifacts: Path, clock: Callable[[], int], memory_limit: str, threads: int
    ) -> None:
        self._database = Database(folder, memory_limit=memory_limit, threads=threads)
        self._bytes = ArtifactBytes(artifacts)
        self._clock = clock
        self._listeners = Listeners()
        self._writing = threading.Lock()
        self._upkeep = Upkeep(Chores(fold=self._fold, rest=self._database.rest))
        try:
            self._writer = self._database.connect()
            self._load()
        except BaseException:
            self._database.close()
            raise

    def _load(self) -> None:
        """Read what is kept in memory: runs, counts, the newest number."""
        self._tallies = tallies.read(self._writer)
        [(self._last_seq,)] = self._writer.execute(_LAST_SEQ).fetchall()
        catalogue = Catalogue(self._load_events, self._clock)
        self._sightings = Sightings(catalogue)
        self._sightings.note(self._writer, sightings.read(self._writer))
        self._catalogue = catalogue

    # Writing.

    def append(self, deliveries: Sequence[Delivery], /) -> int:
        """Commit all of *deliveries* in one transaction; give how many of them were repeats and left out.

        Raises:
            Refused: it cannot commit now.
            Rejected: a value in it is none the tables can hold.
            Unavailable: the store was closed.
        """
        with self._writing:
            self._database.connect().close()  # says so when the store was closed
            try:
                commit = append(self._writer, deliveries, last_seq=self._last_seq)
            except (duckdb.DataError, duckdb.IntegrityError) as error:
                raise Rejected(f"{self._database.url}: the batch holds what no table takes: {error}") from error
            except duckdb.Error as error:
                raise Refused(f"{self._database.url}: cannot commit now: {error}") from error
            self._publish(commit)
        self._upkeep.committed()
        return commit.repeats

    def compact(self) -> Compacted:
        """Fold what grows by rows a commit, and give the space in the file back."""
        folded = self._fold()
        self._database.rest()
        return folded

    def prune(self, query: PruneQuery, /) -> Pruned:
        """Take out what has had its time: runs as a whole, with the files that no other run has."""
        with self._writing, self._database.reader() as connection:  # the reader says so when the store was closed
            models = {event.run_id for event in events.model_events(connection)}
            taken = pruning.chosen(self._writer, families(self._catalogue.all(), kept=models), query)
            if not query.dry_run:
                pruning.remove(self._writer, taken, query, last_seq=self._last_seq)
                self._load()
                for sha256 in taken.hashes:
                    self._bytes.remove(sha256)
        if not query.dry_run:
            self._database.rest()
        return Pruned(taken.run_ids, taken.log_count, taken.point_count, len(taken.hashes))

    def subscribe(self, listener: Callable[[Committed], None], /) -> Unsubscribe:
        """Call *listener* after each commit, on the committing thread."""
        return self._listeners.add(listener)

    def put_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /) -> int:
        """Keep the bytes under their hash and give their number."""
        return self._bytes.put(sha256, chunks)

    def close(self) -> None:
        """Give the store back, after a commit or a chore that is on its way."""
        self._upkeep.close()
        with self._writing:
            self._writer.close()
            self._database.close()

    # Runs.

    def runs(self, query: RunQuery, /) -> list[Run]:
        """Give the runs that fit, newest start first. Raises InvalidArgument for a limit or offset out of range."""
        if not 1 <= query.limit <= _LARGEST_LISTING:
            raise InvalidArgument(f"limit {query.limit!r}: give 1 to {_LARGEST_LISTING}.")
        if query.offset < 0:
            raise InvalidArgument(f"offset {query.offset!r}: give 0 or more.")
        parent_id, ancestor_id = self._full_id(query.parent_id), self._full_id(query.ancestor_id)
        return self._catalogue.runs(replace(query, parent_id=parent_id, ancestor_id=ancestor_id))

    def run(self, run_id: RunId, /) -> Run:
        """Give one run's state."""
        return self._catalogue.run(run_id)

    def run_events(self, run_id: RunId, /) -> list[RunEvent]:
        """Give what happened to a run in time order, heartbeats left out."""
        with self._database.reader() as connection:
            return events.run_events(connection, self._catalogue.get(run_id))

    def experiments(self) -> list[Experiment]:
        """Give all experiments, the one with the newest run first."""
        with self._database.reader() as connection:
            return with_labels(self._catalogue.experiments(), events.experiment_events(connection))

    def models(self) -> list[ModelVersion]:
        """Give every version of every model, in the order of registration."""
        with self._database.reader() as connection:
            return model_versions(events.model_events(connection))

    # Logs.

    def logs(self, query: LogQuery, /) -> LogPage:
        """Give one page of log records."""
        committed_seq = self._last_seq  # before the look: what is committed during it belongs to the next one
        query, span = self._within(query)
        with self._database.reader() as connection:
            return logs.page(connection, query, span=span, committed=committed_seq)

    def log_counts(self, query: LogQuery, /, *, slices: int) -> list[LogCount]:
        """Count the records that fit per severity range and slice of time."""
        query, span = self._within(query)
        with self._database.reader() as connection:
            return logs.counts(connection, query, span=span, slices=slices)

    def loggers(self, run_id: RunId | None, /) -> list[tuple[str, int]]:
        """Give every logger's name with its number of records, by name."""
        return self._tallies.loggers(self._full_id(run_id))

    def services(self) -> list[tuple[str, int]]:
        """Give every service that logged without a run, with its number of records."""
        return self._tallies.services()

    # Metrics.

    def metrics(self, run_ids: Sequence[RunId], /) -> dict[RunId, list[MetricSummary]]:
        """Give what is known of each (metric, column) of the runs, under the ids as they were given."""
        full = {run_id: self._catalogue.find(run_id) or run_id for run_id in run_ids}
        span = self._tallies.point_span(full.values())
        with self._database.reader() as connection:
            found = summaries.metric_summaries(connection, list(full.values()), span=span)
        return {given: found[run_id] for given, run_id in full.items()}

    def points(self, query: PointQuery, /) -> list[MetricPoints]:
        """Give every point as columns, an item a run and metric."""
        query = replace(query, run_ids=tuple(self._catalogue.get(run_id) for run_id in query.run_ids))
        with self._database.reader() as connection:
            return points(connection, query, self._tallies.point_span(query.run_ids))

    def series(self, query: SeriesQuery, /) -> Series:
        """Give one metric reduced to what a chart can show."""
        run_id = self._catalogue.get(query.run_id)
        with self._database.reader() as connection:
            return series(connection, replace(query, run_id=run_id), self._tallies.point_span([run_id]))

    # Files and resources.

    def artifacts(self, run_id: RunId, /) -> list[Artifact]:
        """Give the run's files by path; of a path put twice, the newest."""
        with self._database.reader() as connection:
            return events.artifacts(connection, self._catalogue.get(run_id))

    def artifact(self, run_id: RunId, path: str, /) -> Artifact:
        """Give one file's facts."""
        for artifact in self.artifacts(run_id):
            if artifact.path == path:
                return artifact
        raise NotFound(f"run {run_id!r}: no file {path!r}.")

    def has_artifact_bytes(self, sha256: str, /) -> bool:
        """Say whether the bytes are there already."""
        return self._bytes.has(sha256)

    def artifact_bytes(self, sha256: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from *start* up to *end* in pieces."""
        return self._bytes.get(sha256, start=start, end=end)

    def resource(self, resource_id: str, /) -> Resource:
        """Give what produced a record."""
        with self._database.reader() as connection:
            attributes = sightings.read_resource(connection, resource_id)
        if attributes is None:
            raise NotFound(f"resource {resource_id!r}: nothing in the store came from it.")
        return Resource(resource_id, attributes)

    def sql(self, text: str, /) -> pa.RecordBatchReader:
        """Answer one reading statement over the tables."""
        return select(self._database, text, self._catalogue.all())

    def facts(self) -> StoreFacts:
        """Count and measure."""
        log_count, point_count = self._tallies.counts()
        return StoreFacts(
            url=self._database.url,
            schema_version=schema.VERSION,
            log_count=log_count,
            point_count=point_count,
            run_count=len(self._catalogue),
            size_bytes=self._database.size_bytes(),
        )

    def _fold(self) -> Compacted:
        with self._writing:
            self._database.connect().close()  # says so when the store was closed
            return fold(self._writer)

    def _publish(self, commit: Commit) -> None:
        """Make a commit visible: in the counts first, last to those who wait for it."""
        self._tallies.add(commit.log_tallies(), commit.point_tallies())
        self._sightings.note(self._writer, commit.sightings())
        self._catalogue.changed(commit.changed_runs())
        self._last_seq = commit.last_seq
        self._listeners.tell(committed(commit))

    def _load_events(self, run_ids: Collection[RunId]) -> Mapping[RunId, list[RunEvent]]:
        with self._database.reader() as connection:
            return events.events_of(connection, run_ids)

    def _full_id(self, given: RunId | None) -> RunId | None:
        return None if given is None else self._catalogue.find(given) or given

    def _within(self, query: LogQuery) -> tuple[LogQuery, Span]:
        """Give *query* with the run's full id, and where its records lie."""
        if query.run_id is None:
            return query, _EVERYTHING
        run_id = self._catalogue.find(query.run_id) or query.run_id
        return replace(query, run_id=run_id), self._tallies.log_span(run_id)
