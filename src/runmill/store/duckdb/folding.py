"""Tables that grow by rows a commit, brought back to a row a thing: what readers add up is added up once and kept.

Every such table holds sums, so a fold changes no answer; it is done in one transaction, beside readers.
"""

from typing import Final

import duckdb

from runmill.store.interface import Compacted

__all__ = ["fold"]


_FOLDED: Final = {
    "log_summaries": """
        select run_id, service, logger, resource_id, sum(count)::bigint as count, min(first_seq) as first_seq,
            max(last_seq) as last_seq, min(first_time_unix_nano) as first_time_unix_nano,
            max(last_time_unix_nano) as last_time_unix_nano
        from log_summaries group by run_id, service, logger, resource_id""",
    "point_summaries": """
        select run_id, metric, "column", resource_id, sum(count)::bigint as count,
            sum(numeric_count)::bigint as numeric_count, min(minimum) as minimum, max(maximum) as maximum,
            min(first_number) as first_number, max(last_number) as last_number, min(first_point) as first_point,
            max(last_point) as last_point, max(described) as described, min(first_seq) as first_seq,
            max(last_seq) as last_seq, min(first_time_unix_nano) as first_time_unix_nano,
            max(last_time_unix_nano) as last_time_unix_nano
        from point_summaries group by run_id, metric, "column", resource_id""",
    # A producer counts its batches up: those that follow each other become one row, from the first to the last.
    "deliveries": """
        with marked as (
            select *, max(last_sequence) over (
                partition by producer_id order by sequence rows between unbounded preceding and 1 preceding) as reached
            from deliveries),
        numbered as (
            select *, count(*) filter (reached is null or sequence > reached + 1) over (
                partition by producer_id order by sequence rows unbounded preceding) as stretch
            from marked)
        select producer_id, min(sequence) as sequence, max(last_sequence) as last_sequence
        from numbered group by producer_id, stretch""",
}


def fold(connection: duckdb.DuckDBPyConnection) -> Compacted:
    """Fold all of them. The caller has a transaction open, and keeps other writers away."""
    before = _count(connection)
    for table, folded in _FOLDED.items():
        connection.execute(f"create temp table folded as {folded}")
        connection.execute(f"delete from {table}")  # noqa: S608 - our own names
        connection.execute(f"insert into {table} by name select * from folded")  # noqa: S608
        connection.execute("drop table folded")
    return Compacted(before, _count(connection))


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    counts = " union all ".join(f"select count(*) as n from {table}" for table in _FOLDED)  # noqa: S608 - our own names
    [(count,)] = connection.execute(f"select sum(n)::bigint from ({counts})").fetchall()  # noqa: S608
    return int(count)
