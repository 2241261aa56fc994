"""Taking runs, and old records that belong to none, out of every table; what was taken is written down."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import duckdb

from runmill.model import RunId
from runmill.store.duckdb.summaries import SUMMARISE_LOGS
from runmill.store.duckdb.texts import among, listed
from runmill.store.duckdb.transaction import transaction
from runmill.store.query import PruneQuery
from runmill.store.retention import Family

__all__ = ["Taken", "Totals", "chosen", "remove", "totals"]

_OF_RUNS = ("logs", "points", "events", "artifacts", "log_summaries", "point_summaries")

_OLD_LOGS = "from logs where run_id is null and time_unix_nano < $time"

Measure: TypeAlias = Callable[[duckdb.DuckDBPyConnection], float]
"""Gives how many bytes the rows take."""


class Taken(NamedTuple):
    """What goes."""

    run_ids: tuple[RunId, ...]
    log_count: int
    point_count: int
    hashes: tuple[str, ...]
    """Of files that no other run has."""

    def __bool__(self) -> bool:
        """Say whether anything does."""
        return bool(self.run_ids or self.log_count)


def chosen(
    connection: duckdb.DuckDBPyConnection, families: Sequence[Family], query: PruneQuery, *, used_bytes: Measure
) -> Taken:
    """Choose among *families*, oldest first, what *query* asks for."""
    run_ids = [run_id for family in _fitting(connection, families, query, used_bytes) for run_id in family.run_ids]
    old = {"time": query.older_than_unix_nano or 0}
    if not run_ids:  # nearly always, where a store is pruned every hour: no look at every row's run
        [(log_count,)] = connection.execute(f"select count(*) {_OLD_LOGS}", old).fetchall()
        return Taken((), log_count, 0, ())
    of_runs = {"runs": listed(run_ids)}
    logs = f"select count(*) from logs where run_id {among('$runs')} or (run_id is null and time_unix_nano < $time)"  # noqa: S608 - our own text
    points = f"select count(*) from points where run_id {among('$runs')}"  # noqa: S608
    hashes = f"select sha256 from artifacts group by sha256 having bool_and(run_id {among('$runs')}) order by sha256"  # noqa: S608
    [(log_count,)] = connection.execute(logs, of_runs | old).fetchall()
    [(point_count,)] = connection.execute(points, of_runs).fetchall()
    orphans = tuple(sha256 for (sha256,) in connection.execute(hashes, of_runs).fetchall())
    return Taken(tuple(run_ids), log_count, point_count, orphans)


def remove(connection: duckdb.DuckDBPyConnection, taken: Taken, query: PruneQuery, *, last_seq: int) -> None:
    """Take it out of the tables, in one transaction."""
    with transaction(connection):
        for table in _OF_RUNS:
            connection.execute(f"delete from {table} where run_id {among('$runs')}", {"runs": listed(taken.run_ids)})  # noqa: S608
        _remove_old_logs(connection, query.older_than_unix_nano or 0)
        connection.execute(
            "delete from resources where resource_id not in (select resource_id from log_summaries "
            "union all select resource_id from point_summaries union all select resource_id from events)"
        )
        # Numbers go on where they were, whatever is left: a reader's cursor stays a place in the past.
        connection.execute(
            "insert into prunings values (?, ?, ?, ?)",
            [last_seq, len(taken.run_ids), taken.log_count, taken.point_count],
        )


class Totals(NamedTuple):
    """What went, in all prunings."""

    pruned_run_count: int
    pruned_log_count: int
    pruned_point_count: int


def totals(connection: duckdb.DuckDBPyConnection) -> Totals:
    """Add up what was written down."""
    counts = ", ".join(f"coalesce(sum({name.removeprefix('pruned_')}), 0)::bigint" for name in Totals._fields)
    [row] = connection.execute(f"select {counts} from prunings").fetchall()  # noqa: S608 - our own text
    return Totals(*row)


def _fitting(
    connection: duckdb.DuckDBPyConnection, families: Sequence[Family], query: PruneQuery, used_bytes: Measure
) -> list[Family]:
    found = [family for family in families if family.last_seen_unix_nano < (query.older_than_unix_nano or 0)]
    if query.max_size_bytes is None:
        return found
    rows = _row_counts(connection)
    size = used_bytes(connection)
    row_bytes = size / max(1, sum(rows.values()))
    for number, family in enumerate(families):
        if number >= len(found):  # they are in order: the first are found already
            if size <= query.max_size_bytes:
                break
            found.append(family)
        size -= row_bytes * sum(rows.get(run_id, 0) for run_id in family.run_ids)
    return found


def _row_counts(connection: duckdb.DuckDBPyConnection) -> dict[RunId | None, int]:
    return dict(
        connection.execute(
            "select run_id, sum(count)::bigint from (select run_id, count from log_summaries "
            "union all select run_id, count from point_summaries) group by run_id"
        ).fetchall()
    )


def _remove_old_logs(connection: duckdb.DuckDBPyConnection, older_than_unix_nano: int) -> None:
    [(count,)] = connection.execute(f"delete {_OLD_LOGS}", {"time": older_than_unix_nano}).fetchall()
    if count:
        connection.execute("delete from log_summaries where run_id is null")
        left = "(select * from logs where run_id is null)"
        connection.execute(f"insert into log_summaries by name {SUMMARISE_LOGS.replace('incoming_logs', left)}")
