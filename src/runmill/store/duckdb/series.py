"""Reducing one metric to what a chart can show: smallest, largest and last value of each slice of x."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final, Literal

import duckdb

from runmill.errors import InvalidArgument, NotFound
from runmill.store.duckdb.tallies import Span
from runmill.store.query import Bucket, Series, SeriesQuery

__all__ = ["series"]

Axis = Literal["step", "index", "time"]

_MOST_BUCKETS: Final = 100_000
_COLUMN: Final[dict[Axis, str]] = {"step": "step", "index": '"index"', "time": "time_unix_nano"}


@dataclass(frozen=True, slots=True)
class _Points:
    """The points to draw: a condition with the values it names, and the column that is x."""

    sql: str
    values: dict[str, Any]
    x: str = "ingest_seq"

    def where(self, sql: str, **values: Any) -> "_Points":
        return replace(self, sql=f"{self.sql} and {sql}", values=self.values | values)

    def select(self, connection: duckdb.DuckDBPyConnection, columns: str, rest: str = "", **more: Any) -> list[Any]:
        sql = f"select {columns} from points where {self.sql} {rest}"  # noqa: S608 - our own text
        return connection.execute(sql, self.values | more).fetchall()


def series(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span) -> Series:
    """Give the numbers of one metric and column by ascending x; of equal ones, by commit.

    Raises:
        NotFound: the run has no such metric or column.
        InvalidArgument: the number of buckets is out of range.
    """
    if not 1 <= query.buckets <= _MOST_BUCKETS:
        raise InvalidArgument(f"buckets {query.buckets!r}: give 1 to {_MOST_BUCKETS}.")
    chosen = _chosen(query, span)
    axis = _axis(connection, query, chosen)
    drawn = _drawn(query, chosen, _COLUMN[axis])
    [(count, first, last)] = drawn.select(connection, f"count(*), min({drawn.x}), max({drawn.x})")
    if count <= 2 * query.buckets:
        buckets = _whole(connection, drawn)
    else:
        buckets = _reduced(
            connection, drawn, first=float(first), width=(last - first) / query.buckets, count=query.buckets
        )
    return Series(metric=query.metric, column=query.column, x=axis, count=count, buckets=buckets)


def _chosen(query: SeriesQuery, span: Span) -> _Points:
    chosen = _Points("ingest_seq between $first_seq and $last_seq", {"first_seq": span.first, "last_seq": span.last})
    chosen = chosen.where("run_id = $run_id and metric = $metric", run_id=query.run_id, metric=query.metric)
    if query.column is None:
        chosen = chosen.where('"column" is null')
    else:
        chosen = chosen.where('"column" = $column', column=query.column)
    return chosen if query.rank is None else chosen.where("rank = $rank", rank=query.rank)


def _axis(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, chosen: _Points) -> Axis:
    """Give the x that was asked for, else the first that every number has."""
    [(found, numbers, steps, indexes)] = chosen.select(
        connection,
        'count(*), count("value"), count(step) filter ("value" is not null), '
        'count("index") filter ("value" is not null)',
    )
    if not found:
        column = "" if query.column is None else f", column {query.column!r}"
        rank = "" if query.rank is None else f", rank {query.rank!r}"
        raise NotFound(f"run {query.run_id!r}: no metric {query.metric!r}{column}{rank}.")
    if query.x is not None:
        return query.x
    if numbers == steps:
        return "step"
    return "index" if numbers == indexes else "time"


def _drawn(query: SeriesQuery, chosen: _Points, x: str) -> _Points:
    """Keep what can be drawn: numbers at an x within the bounds."""
    drawn = replace(chosen.where(f'"value" is not null and {x} is not null'), x=x)
    if query.x_min is not None:
        drawn = drawn.where(f"{x} >= $x_min", x_min=query.x_min)
    if query.x_max is not None:
        drawn = drawn.where(f"{x} <= $x_max", x_max=query.x_max)
    return drawn


def _whole(connection: duckdb.DuckDBPyConnection, drawn: _Points) -> Sequence[Bucket]:
    found = drawn.select(connection, f'{drawn.x}::double, "value"', f"order by {drawn.x}, ingest_seq")
    return tuple(_single(x, value) for x, value in found)


def _single(x: float, value: float) -> Bucket:
    if isfinite(value):
        return Bucket(x, minimum=value, maximum=value, last=value, count=1, non_finite=0)
    return Bucket(x, minimum=None, maximum=None, last=None, count=1, non_finite=1)


# One number for (x, ingest_seq): comparing two as a struct takes twice the time of the whole query.
_REDUCE: Final = """min({x})::double, min("value") filter (isfinite("value")), max("value") filter (isfinite("value")),
    arg_max("value", {x}::hugeint * 9223372036854775808 + ingest_seq) filter (isfinite("value")),
    count(*), count(*) filter (not isfinite("value"))"""
# In floating point: the distance of two 64-bit integers need not be one.
_SLICE: Final = "group by least(floor(({x}::double - $first) / $width), $count - 1) order by min({x})"


def _reduced(
    connection: duckdb.DuckDBPyConnection, drawn: _Points, *, first: float, width: float, count: int
) -> Sequence[Bucket]:
    found = drawn.select(
        connection,
        _REDUCE.format(x=drawn.x),
        _SLICE.format(x=drawn.x),
        first=first,
        width=width or 1.0,
        count=count,
    )
    return tuple(Bucket(*row) for row in found)
