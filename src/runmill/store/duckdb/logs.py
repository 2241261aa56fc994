"""Reading log records: pages in time order, pages in commit order, counts over time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import duckdb
import orjson

from runmill.errors import InvalidArgument
from runmill.model import AttributeValue, LogRecord
from runmill.store import cursor
from runmill.store.condition import Level, Name, Not, Rank, Text
from runmill.store.cursor import Position
from runmill.store.duckdb import rows
from runmill.store.duckdb.conditions import Filter, narrowed_by
from runmill.store.duckdb.tallies import Span
from runmill.store.query import AttributeKey, LogCount, LogPage, LogQuery

__all__ = ["attribute_keys", "counts", "page", "paged", "reads_texts"]

_LARGEST_PAGE: Final = 10_000
_MOST_SLICES: Final = 10_000


def page(connection: duckdb.DuckDBPyConnection, query: LogQuery, *, span: Span, committed: int) -> LogPage:
    """Give one page of the records that lie in *span* and were committed up to *committed*.

    Raises:
        InvalidArgument: the limit or a cursor is none, or cursors that exclude each other are given.
    """
    _check(query)
    span = Span(span.first, min(span.last, committed))
    return replace(_page(connection, query, span), committed=committed)


def reads_texts(query: LogQuery) -> bool:
    """Say whether messages or attributes are looked through: that takes a hundred times what other columns take."""
    bare = (each.condition if isinstance(each, Not) else each for each in query.where)
    return bool(query.text) or not all(isinstance(each, (Level, Name, Rank)) for each in bare)


def counts(connection: duckdb.DuckDBPyConnection, query: LogQuery, *, span: Span, slices: int) -> list[LogCount]:
    """Count the fitting records by severity range in *slices* equal parts of the time they span."""
    if not 1 <= slices <= _MOST_SLICES:
        raise InvalidArgument(f"slices {slices!r}: give 1 to {_MOST_SLICES}.")
    fitting = _filter(replace(query, before=None, after=None, committed_after=None), span)
    # Looked through once, where that is slow; else twice, which needs no memory for what fits.
    kept = "materialized" if reads_texts(query) else "not materialized"
    sql = _COUNT.format(kept=kept, fitting=fitting.sql)
    counted = connection.execute(sql, fitting.values | {"slices": slices}).fetchall()
    return [LogCount(*row) for row in counted]


_COUNT: Final = """
    with fitting as {kept} (select time_unix_nano as t, severity_number as n from logs where {fitting}),
    extent as (select min(t) as first, (max(t) - min(t)) // $slices + 1 as width from fitting)
    select first + (t - first) // width * width as start, if(n = 0, 0, (n - 1) // 4 * 4 + 1) as severity, count(*)
    from fitting, extent group by start, severity order by start, severity"""


def attribute_keys(connection: duckdb.DuckDBPyConnection, query: LogQuery, *, span: Span) -> list[AttributeKey]:
    """Count the attributes by name in the newest records that fit."""
    fitting = _filter(replace(query, before=None, after=None, committed_after=None), span)
    [(oldest,)] = connection.execute(_OLDEST.format(fitting=fitting.sql), fitting.values).fetchall()
    newest = fitting.narrowed("ingest_seq >= $oldest", oldest=oldest)
    found = connection.execute(_KEYS.format(newest=newest.sql), newest.values).fetchall()
    return [AttributeKey(name, count, _examples(name, attributes)) for name, count, attributes in found]


def _examples(name: str, attributes: list[str]) -> tuple[AttributeValue, ...]:
    """Give what some records have by that name, each value once."""
    values = [orjson.loads(each)[name] for each in attributes]
    return tuple(value for place, value in enumerate(values) if value not in values[:place])


# Apart from what is read of them: sorted with their attributes, those of all records would be read.
_OLDEST: Final = """
    select min(ingest_seq) from (select ingest_seq from logs where {fitting} order by ingest_seq desc limit 100000)"""
_KEYS: Final = """
    with alike as (select attributes, count(*) as records from logs where {newest} group by attributes)
    select key, sum(records)::bigint, arg_max(attributes, records, 5)
    from (select unnest(json_keys(attributes)) as key, records, attributes from alike)
    group by key order by sum(records) desc, key"""


def _check(query: LogQuery) -> None:
    if not 1 <= query.limit <= _LARGEST_PAGE:
        raise InvalidArgument(f"limit {query.limit!r}: give 1 to {_LARGEST_PAGE}.")
    if query.committed_after is not None and (query.before is not None or query.after is not None):
        raise InvalidArgument("committed_after reads in the order of commits: give it without 'before' and 'after'.")


def _filter(query: LogQuery, span: Span) -> Filter:
    # Rows lie in the order of ingest_seq, so its bounds let the engine skip whole row groups.
    fitting = Filter("ingest_seq between $first_seq and $last_seq", {"first_seq": span.first, "last_seq": span.last})
    for column, wanted in (
        ("run_id", query.run_id),
        ("service", query.service),
        ("stream", query.stream),
        ("rank", query.rank),
    ):
        if wanted is not None:
            fitting = fitting.narrowed(f"{column} = ${column}", **{column: wanted})
    if query.min_severity > 0:
        fitting = fitting.narrowed("severity_number >= $severity", severity=query.min_severity)
    if query.logger is not None:
        fitting = fitting.narrowed("(logger = $logger or starts_with(logger, $logger || '.'))", logger=query.logger)
    where = (Text(query.text), *query.where) if query.text else query.where
    return narrowed_by(_with_times(fitting, query), where)


def _with_times(fitting: Filter, query: LogQuery) -> Filter:
    if query.since_unix_nano is not None:
        fitting = fitting.narrowed("time_unix_nano >= $since", since=query.since_unix_nano)
    if query.until_unix_nano is not None:
        fitting = fitting.narrowed("time_unix_nano < $until", until=query.until_unix_nano)
    return fitting


def _select(connection: duckdb.DuckDBPyConnection, fitting: Filter, order: str, limit: int) -> list[LogRecord]:
    sql = f"select {rows.LOG_COLUMNS} from logs where {fitting.sql} order by {order} limit {limit:d}"  # noqa: S608 - our own text
    return rows.log_records(connection.execute(sql, fitting.values).to_arrow_table())


def _any(connection: duckdb.DuckDBPyConnection, fitting: Filter) -> bool:
    sql = f"select 1 from logs where {fitting.sql} limit 1"  # noqa: S608 - our own text
    return bool(connection.execute(sql, fitting.values).fetchall())


# A bound on time alone beside the exact one: the engine skips row groups by plain comparisons only.


def _earlier(fitting: Filter, than: Position) -> Filter:
    return fitting.narrowed(
        "time_unix_nano <= $b_time and (time_unix_nano < $b_time or ingest_seq < $b_seq)",
        b_time=than.time_unix_nano,
        b_seq=than.ingest_seq,
    )


def _later(fitting: Filter, than: Position) -> Filter:
    return fitting.narrowed(
        "time_unix_nano >= $a_time and (time_unix_nano > $a_time or ingest_seq > $a_seq)",
        a_time=than.time_unix_nano,
        a_seq=than.ingest_seq,
    )


def _position(record: LogRecord) -> Position:
    return Position(record.time_unix_nano, record.cursor)


def _page(connection: duckdb.DuckDBPyConnection, query: LogQuery, span: Span) -> LogPage:
    if query.committed_after is not None:
        return _by_commit(connection, query, span)
    fitting = _filter(query, span)
    before = cursor.decode(query.before, argument="before") if query.before is not None else None
    if query.after is None:
        return _newest(connection, fitting, before, query.limit)
    after = cursor.decode(query.after, argument="after")
    return _oldest(connection, fitting, after, before, query.limit)


def _newest(connection: duckdb.DuckDBPyConnection, fitting: Filter, before: Position | None, limit: int) -> LogPage:
    bounded = fitting if before is None else _earlier(fitting, before)
    found = _select(connection, bounded, "time_unix_nano desc, ingest_seq desc", limit + 1)
    records = found[:limit][::-1]
    if before is None:
        more_after = False
    else:  # the record that `before` names may not fit this query, so look
        last = _position(records[-1]) if records else Position(before.time_unix_nano, before.ingest_seq - 1)
        more_after = _any(connection, _later(fitting, last))
    return paged(records, more_before=len(found) > limit, more_after=more_after)


def _oldest(
    connection: duckdb.DuckDBPyConnection, fitting: Filter, after: Position, before: Position | None, limit: int
) -> LogPage:
    bounded = _later(fitting, after) if before is None else _earlier(_later(fitting, after), before)
    found = _select(connection, bounded, "time_unix_nano, ingest_seq", limit + 1)
    records = found[:limit]
    first = _position(records[0]) if records else Position(after.time_unix_nano, after.ingest_seq + 1)
    last = _position(records[-1]) if records else after
    return paged(
        records,
        more_before=_any(connection, _earlier(fitting, first)),
        more_after=len(found) > limit or (before is not None and _any(connection, _later(fitting, last))),
    )


def _by_commit(connection: duckdb.DuckDBPyConnection, query: LogQuery, span: Span) -> LogPage:
    after = query.committed_after or 0
    later = _filter(query, Span(max(span.first, after + 1), span.last))
    found = _select(connection, later, "ingest_seq", query.limit + 1)
    more_before = _any(connection, _filter(query, Span(span.first, min(span.last, after))))
    return paged(found[: query.limit], more_before=more_before, more_after=len(found) > query.limit)


def paged(records: Sequence[LogRecord], *, more_before: bool, more_after: bool) -> LogPage:
    """Give *records*, which are in order, as a page."""
    return LogPage(
        records=tuple(records),
        first=cursor.encode(_position(records[0])) if records else None,
        last=cursor.encode(_position(records[-1])) if records else None,
        more_before=more_before,
        more_after=more_after,
    )
