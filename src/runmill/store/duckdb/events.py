"""Reading what happened to runs, and which files they have."""

from collections import defaultdict
from collections.abc import Collection

import duckdb
import pyarrow as pa

from runmill.model import Artifact, RunEvent, RunId
from runmill.store.duckdb import rows
from runmill.store.duckdb.texts import among, listed
from runmill.store.fold import HEARTBEAT
from runmill.store.registry import EXPERIMENT_UPDATED, MODEL, ExperimentEvent

__all__ = ["artifacts", "events_of", "experiment_events", "model_events", "run_events"]


def events_of(connection: duckdb.DuckDBPyConnection, run_ids: Collection[RunId]) -> dict[RunId, list[RunEvent]]:
    """Give the events of the runs in the order they arrived, heartbeats left out."""
    found: dict[RunId, list[RunEvent]] = defaultdict(list)
    table = connection.execute(
        f"select {rows.EVENT_COLUMNS} from events where name <> $heartbeat and run_id {among('$runs')} "  # noqa: S608 - our own text
        "order by ingest_seq",
        {"heartbeat": HEARTBEAT, "runs": listed(run_ids)},
    ).to_arrow_table()
    for event in rows.events(table):
        found[event.run_id].append(event)
    return found


def run_events(connection: duckdb.DuckDBPyConnection, run_id: RunId) -> list[RunEvent]:
    """Give the events of one run in time order, heartbeats left out."""
    arrived = events_of(connection, [run_id]).get(run_id, [])
    return sorted(arrived, key=lambda event: event.time_unix_nano)


def model_events(connection: duckdb.DuckDBPyConnection) -> list[RunEvent]:
    """Give every registration of a model, in the order they arrived."""
    return rows.events(_named(connection, MODEL))


def experiment_events(connection: duckdb.DuckDBPyConnection) -> list[ExperimentEvent]:
    """Give what happened to experiments, in the order it arrived."""
    return [
        ExperimentEvent(event.time_unix_nano, event.body)
        for event in rows.events(_named(connection, EXPERIMENT_UPDATED))
    ]


def _named(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    return connection.execute(
        f"select {rows.EVENT_COLUMNS} from events where name = $name order by ingest_seq",  # noqa: S608 - our own text
        {"name": name},
    ).to_arrow_table()


def artifacts(connection: duckdb.DuckDBPyConnection, run_id: RunId) -> list[Artifact]:
    """Give the files of one run by path; of a path put twice, the newest."""
    table = connection.execute(
        f"select {rows.ARTIFACT_COLUMNS} from artifacts where run_id = $run_id "  # noqa: S608 - our own text
        "qualify row_number() over (partition by path order by time_unix_nano desc, ingest_seq desc) = 1 order by path",
        {"run_id": run_id},
    ).to_arrow_table()
    return rows.artifacts(table)
