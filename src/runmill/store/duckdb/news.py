"""What other processes committed, read back from the tables as the commit it might have been."""

from collections.abc import Collection
from typing import Any, Final

import duckdb
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS
from runmill.store.duckdb.append import Commit

__all__ = ["ROWS", "TABLES", "read"]

ROWS: Final = frozenset({"logs", "points"})
"""What only those look at who listen: if every writer read what all others write, each would work for all of them."""
TABLES: Final = ROWS | {"events", "artifacts", "log_summaries", "point_summaries"}

_NUMBER: Final = pa.field("ingest_seq", pa.int64())
_LOG_SUMS: Final = (
    "run_id, service, logger, resource_id, count, first_seq, last_seq, first_time_unix_nano, last_time_unix_nano"
)
_POINT_SUMS: Final = "run_id, resource_id, count, first_seq, last_seq, first_time_unix_nano, last_time_unix_nano"


def read(connection: duckdb.DuckDBPyConnection, *, after: int, tables: Collection[str]) -> Commit:
    """Give all that was committed to *tables* after the number *after* as one commit."""
    logs, points, events, artifacts = (
        _rows(connection, name, schema, after) if name in tables else schema.append(_NUMBER).empty_table()
        for name, schema in (("logs", LOGS), ("points", POINTS), ("events", EVENTS), ("artifacts", ARTIFACTS))
    )
    log_summaries, point_summaries = (
        _sums(connection, name, columns, after) if name in tables else []
        for name, columns in (("log_summaries", _LOG_SUMS), ("point_summaries", _POINT_SUMS))
    )
    numbers = [row["last_seq"] for row in (*log_summaries, *point_summaries)]
    for table in (events, artifacts):
        numbers += table["ingest_seq"].to_pylist()
    return Commit(
        repeats=0,
        last_seq=max(numbers, default=after),
        logs=logs,
        points=points,
        events=events,
        artifacts=artifacts,
        log_summaries=log_summaries,
        point_summaries=point_summaries,
    )


def _rows(connection: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema, after: int) -> pa.Table:
    columns = ", ".join(f'"{name}"' for name in (*schema.names, _NUMBER.name))
    sql = f"select {columns} from {table} where ingest_seq > $after order by ingest_seq"  # noqa: S608 - our own names
    return connection.execute(sql, {"after": after}).to_arrow_table()


def _sums(connection: duckdb.DuckDBPyConnection, table: str, columns: str, after: int) -> list[dict[str, Any]]:
    sql = f"select {columns} from {table} where first_seq > $after order by first_seq"  # noqa: S608 - our own names
    sums: list[dict[str, Any]] = connection.execute(sql, {"after": after}).to_arrow_table().to_pylist()
    return sums
