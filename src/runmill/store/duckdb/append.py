"""One append is one transaction: rows, what sums them up, and which batches they came in."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES
from runmill.model import RunId
from runmill.store.duckdb.sightings import Sighting
from runmill.store.duckdb.summaries import SUMMARISE_LOGS, SUMMARISE_POINTS
from runmill.store.duckdb.tallies import LogTally, PointTally, Span
from runmill.store.duckdb.transaction import transaction
from runmill.store.fold import HEARTBEAT
from runmill.store.interface import Delivery

__all__ = ["Commit", "append"]

_DELIVERIES: Final = pa.schema(
    [pa.field("producer_id", pa.string()), pa.field("sequence", pa.int64()), pa.field("last_sequence", pa.int64())]
)


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


def append(connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], *, last_seq: int) -> Commit:
    """Commit what *deliveries* hold and was not stored before; number its rows from *last_seq* + 1."""
    with transaction(connection):
        fresh = _without_repeats(connection, deliveries)
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
            log_summaries=_summarise(connection, "log_summaries", SUMMARISE_LOGS, incoming_logs=logs),
            point_summaries=_summarise(connection, "point_summaries", SUMMARISE_POINTS, incoming_points=points),
        )


class _Numbers:
    """Gives rows their ingest_seq."""

    def __init__(self, last: int) -> None:
        self.last = last

    def numbered(self, table: pa.Table) -> pa.Table:
        first, self.last = self.last + 1, self.last + table.num_rows
        return table.append_column("ingest_seq", pa.array(range(first, self.last + 1), pa.int64()))


@contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, **tables: pa.Table) -> Iterator[None]:
    for name, table in tables.items():
        connection.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            connection.unregister(name)


def _without_repeats(connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Leave out what is stored already, and what is twice in *deliveries*; note the others as stored."""
    first_of: dict[tuple[str, int], Delivery] = {}
    for delivery in deliveries:
        if (identity := _identity(delivery)) is not None:
            first_of.setdefault(identity, delivery)
    for known in _known(connection, first_of):
        del first_of[known]
    _insert(connection, "deliveries", _identities(first_of))
    fresh = {id(delivery) for delivery in first_of.values()}
    return [delivery for delivery in deliveries if _identity(delivery) is None or _take(fresh, delivery)]


def _take(fresh: set[int], delivery: Delivery) -> bool:
    """Say whether it is a fresh one, the first time it is asked: one object may be there twice."""
    if id(delivery) not in fresh:
        return False
    fresh.remove(id(delivery))
    return True


def _identity(delivery: Delivery) -> tuple[str, int] | None:
    if delivery.producer_id is None or delivery.sequence is None:
        return None
    return delivery.producer_id, delivery.sequence


def _known(connection: duckdb.DuckDBPyConnection, identities: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    offered = _identities(identities)
    if not offered.num_rows:
        return []
    with _registered(connection, incoming_deliveries=offered):
        return connection.execute(
            "select producer_id, sequence from incoming_deliveries as incoming where exists (from deliveries as known "
            "where known.producer_id = incoming.producer_id "
            "and incoming.sequence between known.sequence and known.last_sequence)"
        ).fetchall()


def _identities(identities: Iterable[tuple[str, int]]) -> pa.Table:
    rows = [
        {"producer_id": producer_id, "sequence": sequence, "last_sequence": sequence}
        for producer_id, sequence in identities
    ]
    return pa.Table.from_pylist(rows, schema=_DELIVERIES)


def _joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *(table for table in tables if table.num_rows)])


def _insert(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    if table.num_rows:
        with _registered(connection, incoming=table):
            connection.execute(f"insert into {name} by name select * from incoming")  # noqa: S608 - our own names


def _insert_resources(connection: duckdb.DuckDBPyConnection, resources: pa.Table) -> None:
    if resources.num_rows:
        with _registered(connection, incoming=resources):
            connection.execute(
                "insert into resources by name "
                "select resource_id, any_value(attributes) as attributes from incoming "
                "where resource_id not in (select resource_id from resources) group by resource_id"
            )


def _summarise(connection: duckdb.DuckDBPyConnection, name: str, query: str, **rows: pa.Table) -> list[dict[str, Any]]:
    """Store what *query* makes of the rows, and give its plain columns."""
    if not any(table.num_rows for table in rows.values()):
        return []
    with _registered(connection, **rows):
        summaries = connection.execute(query).to_arrow_table()
    _insert(connection, name, summaries)
    plain = [field.name for field in summaries.schema if not pa.types.is_struct(field.type)]
    summed: list[dict[str, Any]] = summaries.select(plain).to_pylist()
    return summed
