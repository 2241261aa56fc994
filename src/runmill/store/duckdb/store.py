"""The Store protocol over the engine's tables: one writer, any number of readers, runs in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import duckdb
import pyarrow as pa

from runmill.columns import Columns
from runmill.errors import ConfigError, InvalidArgument, NotFound
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
from runmill.store.duckdb import events, logs, pruning, schema, sightings, summaries
from runmill.store.duckdb.attachment import Attachment
from runmill.store.duckdb.export import rows_after
from runmill.store.duckdb.follower import Follower
from runmill.store.duckdb.known import Known
from runmill.store.duckdb.points import points
from runmill.store.duckdb.series import series
from runmill.store.duckdb.side_by_side import side_by_side
from runmill.store.duckdb.sql import select
from runmill.store.duckdb.tallies import Span
from runmill.store.duckdb.upkeep import Chores, Upkeep
from runmill.store.duckdb.writer import Writer
from runmill.store.interface import Committed, Compacted, Delivery, Grouping, StoreFacts, Unsubscribe
from runmill.store.pruner import Pruner, Retention
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
from runmill.store.registry import model_versions, with_labels
from runmill.store.run_condition import all_fit, asks_metrics

__all__ = ["DuckDBStore"]

_LARGEST_LISTING: Final = 10_000


class DuckDBStore:
    """A run store in the tables of *attachment*, which it closes.

    See `runmill.store.interface.Store` for what each method promises.
    """

    def __init__(
        self, attachment: Attachment, *, artifacts: ArtifactBytes, clock: Callable[[], int], retention: Retention
    ) -> None:
        self._attachment = attachment
        self._bytes = artifacts
        try:
            self._writer = Writer(attachment, clock)
        except duckdb.Error as error:
            attachment.close()
            said = attachment.said(error)
            raise ConfigError(f"{attachment.url}: cannot be opened as a run store: {said}") from None
        except BaseException:
            attachment.close()
            raise
        self._upkeep = Upkeep(Chores(self._fold_and_pack, attachment.rest), fold_commits=attachment.fold_commits)
        self._follower = Follower(self._writer.catch_up, attachment.poll_seconds)
        self._retention = retention
        self._pruner = Pruner(self.prune, retention, clock)

    @property
    def _known(self) -> Known:
        return self._writer.known

    # Writing.

    @property
    def grouping(self) -> Grouping:
        """How batches are best grouped into commits here."""
        return self._attachment.grouping

    def append(self, deliveries: Sequence[Delivery], /) -> int:
        """Commit all of *deliveries* in one transaction; give how many of them were repeats and left out.

        Raises:
            Refused: it cannot commit now.
            Rejected: a value in it is none the tables can hold.
            Unavailable: the store was closed.
        """
        repeats = self._writer.append(deliveries)
        self._upkeep.committed()
        return repeats

    def compact(self) -> Compacted:
        """Fold what grows by rows a commit, and give the space back."""
        folded = self._fold_and_pack()
        self._attachment.rest()
        return folded

    def prune(self, query: PruneQuery, /) -> Pruned:
        """Take out what has had its time: runs as a whole, with the files that no other run has."""
        taken = self._writer.prune(query)
        if not query.dry_run:
            for sha256 in taken.hashes:
                self._bytes.remove(sha256)
            self._attachment.rest()
        return Pruned(taken.run_ids, taken.log_count, taken.point_count, len(taken.hashes))

    def subscribe(self, listener: Callable[[Committed], None], /) -> Unsubscribe:
        """Call *listener* after each commit, whoever made it."""
        return self._writer.listeners.add(listener)

    def put_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /) -> int:
        """Keep the bytes under their hash and give their number."""
        return self._bytes.put(sha256, chunks)

    def upload_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /, *, start: int = 0) -> int:
        """Do as `put_artifact_bytes`, but keep what came before *chunks* raised."""
        return self._bytes.upload(sha256, chunks, start=start)

    def uploaded_artifact_bytes(self, sha256: str, /) -> int:
        """Say how many bytes are kept of an upload that broke off."""
        return self._bytes.uploaded(sha256)

    def close(self) -> None:
        """Give the store back, after a commit or a chore that is on its way."""
        self._pruner.close()
        self._follower.close()
        self._upkeep.close()
        self._writer.close()
        self._attachment.close()

    # Runs.

    def runs(self, query: RunQuery, /) -> list[Run]:
        """Give the runs that fit, newest start first. Raises InvalidArgument for a limit or offset out of range."""
        if not 1 <= query.limit <= _LARGEST_LISTING:
            raise InvalidArgument(f"limit {query.limit!r}: give 1 to {_LARGEST_LISTING}.")
        if query.offset < 0:
            raise InvalidArgument(f"offset {query.offset!r}: give 0 or more.")
        parent_id, ancestor_id = self._known.full_id(query.parent_id), self._known.full_id(query.ancestor_id)
        query = replace(query, parent_id=parent_id, ancestor_id=ancestor_id)
        return self._searched(query) if query.where else self._known.catalogue.runs(query)

    def _searched(self, query: RunQuery) -> list[Run]:
        """Give the runs that fit `query.where`; what asks for metrics is looked at last, of the runs that are left."""
        runs = self._known.catalogue.runs(replace(query, offset=0, limit=len(self._known.catalogue) + 1))
        runs = [run for run in runs if all_fit(query.where, run)]
        if any(map(asks_metrics, query.where)):
            metrics = self.metrics([run.run_id for run in runs])
            runs = [run for run in runs if all_fit(query.where, run, metrics[run.run_id])]
        return runs[query.offset : query.offset + query.limit]

    def run(self, run_id: RunId, /) -> Run:
        """Give one run's state."""
        return self._known.catalogue.run(run_id)

    def run_events(self, run_id: RunId, /) -> list[RunEvent]:
        """Give what happened to a run in time order, heartbeats left out."""
        with self._attachment.reader() as connection:
            return events.run_events(connection, self._known.catalogue.get(run_id))

    def experiments(self) -> list[Experiment]:
        """Give all experiments, the one with the newest run first."""
        with self._attachment.reader() as connection:
            return with_labels(self._known.catalogue.experiments(), events.experiment_events(connection))

    def models(self) -> list[ModelVersion]:
        """Give every version of every model, in the order of registration."""
        with self._attachment.reader() as connection:
            return model_versions(events.model_events(connection))

    # Logs.

    def logs(self, query: LogQuery, /) -> LogPage:
        """Give one page of log records."""
        committed_seq = self._known.last_seq  # before the look: what is committed during it belongs to the next one
        query, span = self._known.within(query)

        def page(asked: LogQuery, part: Span) -> LogPage:
            with self._attachment.reader() as connection:
                return logs.page(connection, asked, span=part, committed=committed_seq)

        parts = self._known.tallies.log_parts(query.run_id, span) if logs.reads_texts(query) else [span]
        return side_by_side(page, query, parts) if len(parts) > 1 else page(query, span)

    def log_counts(self, query: LogQuery, /, *, slices: int) -> list[LogCount]:
        """Count the records that fit per severity range and slice of time."""
        query, span = self._known.within(query)
        with self._attachment.reader() as connection:
            return logs.counts(connection, query, span=span, slices=slices)

    def loggers(self, run_id: RunId | None, /) -> list[tuple[str, int]]:
        """Give every logger's name with its number of records, by name."""
        return self._known.tallies.loggers(self._known.full_id(run_id))

    def attribute_keys(self, query: LogQuery, /) -> list[AttributeKey]:
        """Give the attributes' names with how many of the newest records that fit have them, the most first."""
        query, span = self._known.within(query)
        with self._attachment.reader() as connection:
            return logs.attribute_keys(connection, query, span=span)

    def services(self) -> list[tuple[str, int]]:
        """Give every service that logged without a run, with its number of records."""
        return self._known.tallies.services()

    # Metrics.

    def metrics(self, run_ids: Sequence[RunId], /) -> dict[RunId, list[MetricSummary]]:
        """Give what is known of each (metric, column) of the runs, under the ids as they were given."""
        full = {run_id: self._known.catalogue.find(run_id) or run_id for run_id in run_ids}
        span = self._known.tallies.point_span(full.values())
        with self._attachment.reader() as connection:
            found = summaries.metric_summaries(connection, list(full.values()), span=span)
        return {given: found[run_id] for given, run_id in full.items()}

    def points(self, query: PointQuery, /) -> list[MetricPoints]:
        """Give every point as columns, an item a run and metric."""
        query = replace(query, run_ids=tuple(self._known.catalogue.get(run_id) for run_id in query.run_ids))
        with self._attachment.reader() as connection:
            return points(connection, query, self._known.tallies.point_span(query.run_ids))

    def series(self, query: SeriesQuery, /) -> Series:
        """Give one metric reduced to what a chart can show."""
        run_id = self._known.catalogue.get(query.run_id)
        with self._attachment.reader() as connection:
            return series(connection, replace(query, run_id=run_id), self._known.tallies.point_span([run_id]))

    # Files and resources.

    def artifacts(self, run_id: RunId, /) -> list[Artifact]:
        """Give the run's files by path; of a path put twice, the newest."""
        with self._attachment.reader() as connection:
            return events.artifacts(connection, self._known.catalogue.get(run_id))

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
        with self._attachment.reader() as connection:
            attributes = sightings.read_resource(connection, resource_id)
        if attributes is None:
            raise NotFound(f"resource {resource_id!r}: nothing in the store came from it.")
        return Resource(resource_id, attributes)

    def sql(self, text: str, /) -> pa.RecordBatchReader:
        """Answer one reading statement over the tables."""
        return select(self._attachment, text, self._known.catalogue.all)

    def columns_after(self, ingest_seq: int, /, *, limit: int) -> tuple[Columns, int]:
        """Give rows that were committed after *ingest_seq*, as they were appended, and the number of the last."""
        last_seq = self._known.last_seq
        with self._attachment.reader() as connection:
            return rows_after(connection, ingest_seq, limit=limit, last_seq=last_seq)

    def facts(self) -> StoreFacts:
        """Count and measure."""
        log_count, point_count = self._known.tallies.counts()
        with self._attachment.reader() as connection:
            pruned = pruning.totals(connection)
        return StoreFacts(
            url=self._attachment.url,
            schema_version=schema.VERSION,
            log_count=log_count,
            point_count=point_count,
            run_count=len(self._known.catalogue),
            size_bytes=self._attachment.size_bytes(),
            retention=self._retention,
            **pruned._asdict(),
        )

    def _fold_and_pack(self) -> Compacted:
        folded = self._writer.fold()
        self._attachment.pack()
        return folded
