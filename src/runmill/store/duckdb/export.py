"""Rows as they were appended, in the order of their commits: what another store is filled with."""

from typing import Final

import duckdb
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.store.duckdb.texts import among, listed

__all__ = ["rows_after"]

_TABLES: Final = {"logs": LOGS, "points": POINTS, "events": EVENTS, "artifacts": ARTIFACTS}
_NUMBERS: Final = " union all ".join(
    f"select min(ingest_seq) as seq from {table} where ingest_seq > $after"  # noqa: S608 - our own names
    for table in _TABLES
)
_NEXT: Final = f"select min(seq) from ({_NUMBERS})"  # noqa: S608


def rows_after(connection: duckdb.DuckDBPyConnection, after: int, *, limit: int, last_seq: int) -> tuple[Columns, int]:
    """Give the rows of the next *limit* numbers after *after*, up to *last_seq*, and the last of these numbers."""
    [(first,)] = connection.execute(_NEXT, {"after": after}).fetchall()
    last = after if first is None else min(first + limit - 1, last_seq)
    found = {name: _rows(connection, name, schema, after, last) for name, schema in _TABLES.items()}
    named = {
        each
        for name in ("logs", "points", "events")
        for each in found[name]["resource_id"].unique().to_pylist()
        if each
    }
    return Columns(**found, resources=_resources(connection, named)), last


def _rows(connection: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema, after: int, last: int) -> pa.Table:
    columns = ", ".join(f'"{name}"' for name in schema.names)
    sql = f"select {columns} from {table} where ingest_seq > $after and ingest_seq <= $last order by ingest_seq"  # noqa: S608 - our own names
    return connection.execute(sql, {"after": after, "last": last}).to_arrow_table().cast(schema)


def _resources(connection: duckdb.DuckDBPyConnection, resource_ids: set[str]) -> pa.Table:
    sql = f"select distinct resource_id, attributes from resources where resource_id {among('$ids')}"  # noqa: S608 - our own names
    return connection.execute(sql, {"ids": listed(sorted(resource_ids))}).to_arrow_table().cast(RESOURCES)
