"""What one commit adds to the tables: rows, and what sums them up."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES
from runmill.model import RunId
from runmill.store.duckdb import sightings
from runmill.store.duckdb.sequences import Sequences
from runmill.store.duckdb.sightings import Sighting
from runmill.store.duckdb.summaries import SUMMARISE_POINTS, summarise_logs
from runmill.store.duckdb.tallies import LogTally, PointTally, Span
from runmill.store.fold import HEARTBEAT
from runmill.store.interface import Delivery

__all__ = ["Commit", "append"]


@dataclass(frozen=True, slots=True)
class Commit:
    """What an append added: the rows as they are stored now, and what they come to."""

    repeats: int
    last_seq: int
    """Of its last row, or of the commit before when it had none."""
    logs: pa.Table
    points: pa.Table
    events: pa.Table
    artifacts: pa.Table
    log_summaries: list[dict[str, Any]]
    point_summaries: list[dict[str, Any]]

    def log_tallies(self) -> Iterator[LogTally]:
        """Say what to add to the sums of logs."""
        for row in self.log_summaries:
            span = Span(row["first_seq"], row["last_seq"])
            yield LogTally(row["run_id"], row["service"], row["logger"], row["count"], span)

    def point_tallies(self) -> Iterator[PointTally]:
        """Say what to add to the sums of points."""
        for row in self.point_summaries:
            yield PointTally(row["run_id"], row["count"], Span(row["first_seq"], row["last_seq"]))

    def changed_runs(self) -> set[RunId]:
        """Say which runs have a new state: those of events that are more than a sign of life."""
        names = zip(self.events["run_id"].to_pylist(), self.events["name"].to_pylist(), strict=True)
        return {run_id for run_id, name in names if run_id is not None and name != HEARTBEAT}

    def sightings(self) -> Iterator[Sighting]:
        """Say of which runs something came."""
        for row in (*self.log_summaries, *self.point_summaries):
            if row["run_id"] is not None:
                yield Sighting(*(row[name] for name in Sighting._fields))
        for event in self.events.select(["run_id", "resource_id", "time_unix_nano"]).to_pylist():
            if event["run_id"] is not None:
                yield Sighting(event["run_id"], event["resource_id"], event["time_unix_nano"], event["time_unix_nano"])
        for artifact in self.artifacts.select(["run_id", "time_unix_nano"]).to_pylist():
            yield Sighting(artifact["run_id"], "", artifact["time_unix_nano"], artifact["time_unix_nano"])


def append(
    connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], *, last_seq: int, sequences: Sequences
) -> Commit:
    """Add what *deliveries* hold and is not stored, as *sequences* tells; number its rows from *last_seq* + 1.

    It is all or nothing, so the caller has a transaction open and commits it.
    """
    fresh = sequences.without_repeats(connection, deliveries)
    numbers = _Numbers(last_seq)
    columns = [delivery.columns for delivery in fresh]
    logs = numbers.numbered(_joined((c.logs for c in columns), LOGS))
    points = numbers.numbered(_joined((c.points for c in columns), POINTS))
    events = numbers.numbered(_joined((c.events for c in columns), EVENTS))
    artifacts = numbers.numbered(_joined((c.artifacts for c in columns), ARTIFACTS))
    _insert_resources(connection, _joined((c.resources for c in columns), RESOURCES))
    for name, table in (("logs", logs), ("points", points), ("events", events), ("artifacts", artifacts)):
        _insert(connection, name, table)
    return Commit(
        repeats=len(deliveries) - len(fresh),
        last_seq=numbers.last,
        logs=logs,
        points=points,
        events=events,
        artifacts=artifacts,
        log_summaries=_summarise_logs(connection, logs),
        point_summaries=_summarise_points(connection, points),
    )


class _Numbers:
    """Gives rows their ingest_seq."""

    def __init__(self, last: int) -> None:
        self.last = last

    def numbered(self, table: pa.Table) -> pa.Table:
        first, self.last = self.last + 1, self.last + table.num_rows
        return table.append_column("ingest_seq", pa.array(np.arange(first, self.last + 1)))


def _joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    filled = [table for table in tables if table.num_rows]
    return filled[0] if len(filled) == 1 else pa.concat_tables([schema.empty_table(), *filled])


def _insert(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Insert rows whose columns stand as in the tables of `schema`.

    As a relation: to give them a name for an SQL statement first takes as long as inserting a thousand.
    """
    if table.num_rows:
        connection.from_arrow(table).insert_into(name)


def _insert_resources(connection: duckdb.DuckDBPyConnection, resources: pa.Table) -> None:
    if resources.num_rows:
        attributes = dict(zip(*(column.to_pylist() for column in resources.columns), strict=True))
        for known in sightings.stored_resources(connection, attributes):
            del attributes[known]
        new = [list(attributes), list(attributes.values())]
        _insert(connection, "resources", pa.table(new, schema=RESOURCES))


def _summarise_logs(connection: duckdb.DuckDBPyConnection, logs: pa.Table) -> list[dict[str, Any]]:
    """Store what the rows come to, and give it."""
    return _stored(connection, "log_summaries", summarise_logs(logs)) if logs.num_rows else []


def _summarise_points(connection: duckdb.DuckDBPyConnection, points: pa.Table) -> list[dict[str, Any]]:
    """Store what the rows come to, and give it."""
    if not points.num_rows:
        return []
    summaries = connection.from_arrow(points).query("incoming_points", SUMMARISE_POINTS).to_arrow_table()
    return _stored(connection, "point_summaries", summaries)


def _stored(connection: duckdb.DuckDBPyConnection, name: str, summaries: pa.Table) -> list[dict[str, Any]]:
    """Store the summaries, and give their plain columns."""
    _insert(connection, name, summaries)
    plain = [field.name for field in summaries.schema if not pa.types.is_struct(field.type)]
    summed: list[dict[str, Any]] = summaries.select(plain).to_pylist()
    return summed
