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

    def select(self, connection: duckdb.DuckDBPyConnection, columns: str, rest: str = "") -> list[Any]:
        sql = f"select {columns} from points where {self.sql} {rest}"  # noqa: S608 - our own text
        return connection.execute(sql, self.values).fetchall()


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many points there are, and between which x; no x where there are none."""

    count: int
    first: int
    last: int


_EXTENT: Final = "count({x}), min({x}), max({x})"
_LARGEST: Final = 2**63 - 1


def series(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span) -> Series:
    """Give the numbers of one metric and column by ascending x; of equal ones, by commit.

    Raises:
        NotFound: the run has no such metric or column.
        InvalidArgument: the number of buckets is out of range.
    """
    if not 1 <= query.buckets <= _MOST_BUCKETS:
        raise InvalidArgument(f"buckets {query.buckets!r}: give 1 to {_MOST_BUCKETS}.")
    chosen = _chosen(query, span)
    axis, extent = _axis(connection, query, chosen)
    drawn = _drawn(query, chosen, _COLUMN[axis])
    if query.x_min is not None or query.x_max is not None:
        [row] = drawn.select(connection, _EXTENT.format(x=drawn.x))
        extent = _Extent(*row)
    if extent.count <= 2 * query.buckets:
        buckets = _whole(connection, drawn)
    else:
        buckets = _reduced(connection, drawn, extent, query.buckets)
    return Series(metric=query.metric, column=query.column, x=axis, count=extent.count, buckets=buckets)


def _chosen(query: SeriesQuery, span: Span) -> _Points:
    chosen = _Points("ingest_seq between $first_seq and $last_seq", {"first_seq": span.first, "last_seq": span.last})
    chosen = chosen.where("run_id = $run_id and metric = $metric", run_id=query.run_id, metric=query.metric)
    if query.column is None:
        chosen = chosen.where('"column" is null')
    else:
        chosen = chosen.where('"column" = $column', column=query.column)
    return chosen if query.rank is None else chosen.where("rank = $rank", rank=query.rank)


def _axis(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, chosen: _Points) -> tuple[Axis, _Extent]:
    """Give the x that was asked for, else the first that tells the numbers apart; and how far they reach on it."""
    columns = ", ".join(_EXTENT.format(x=x) for x in _COLUMN.values())
    [(numbers, *reach)] = chosen.where('"value" is not null').select(connection, f"count(*), {columns}")
    if not numbers and not chosen.select(connection, "1", "limit 1"):
        column = "" if query.column is None else f", column {query.column!r}"
        rank = "" if query.rank is None else f", rank {query.rank!r}"
        raise NotFound(f"run {query.run_id!r}: no metric {query.metric!r}{column}{rank}.")
    extents = {axis: _Extent(*reach[3 * n : 3 * n + 3]) for n, axis in enumerate(_COLUMN)}
    if query.x is not None:
        return query.x, extents[query.x]
    axis: Axis = next((axis for axis, extent in extents.items() if _tells_apart(extent, numbers)), "time")
    return axis, extents[axis]


def _tells_apart(extent: _Extent, numbers: int) -> bool:
    """Say whether every number has an x. The same x for all says nothing: MLflow's step is 0 where none was given."""
    return extent.count == numbers and (extent.first != extent.last or numbers == 1)


def _drawn(query: SeriesQuery, chosen: _Points, x: str) -> _Points:
    """Keep what can be drawn: numbers at an x within the bounds."""
    drawn = replace(chosen.where(f'"value" is not null and {x} is not null'), x=x)
    if query.x_min is not None:
        drawn = drawn.where(f"{x} >= $x_min", x_min=query.x_min)
    if query.x_max is not None:
        drawn = drawn.where(f"{x} <= $x_max", x_max=query.x_max)
    return drawn


def _whole(connection: duckdb.DuckDBPyConnection, drawn: _Points) -> Sequence[Bucket]:
    found = drawn.select(connection, f'{drawn.x}::double, "value", time_unix_nano', f"order by {drawn.x}, ingest_seq")
    return tuple(_single(*row) for row in found)


def _single(x: float, value: float, time_unix_nano: int) -> Bucket:
    shown = value if isfinite(value) else None
    return Bucket(
        x,
        minimum=shown,
        maximum=shown,
        last=shown,
        count=1,
        non_finite=int(shown is None),
        time_unix_nano=time_unix_nano,
    )


_REDUCE: Final = """
    with drawn as (
        select {x} as x, if(isfinite("value"), "value", null) as finite, ingest_seq, time_unix_nano
        from points where {drawn})
    select min(x)::double, min(finite), max(finite), arg_max(finite, {place}), count(*), count(*) - count(finite),
        min(time_unix_nano)
    from drawn group by least({slice}, $count - 1) order by min(x)"""

# `last` by one number for (x, ingest_seq): comparing the two as a struct takes twice the time of the whole query.
_SLICE: Final = "(x - $first) * $count // $reach"
_PLACE: Final = "(x - $first) * $seqs + (ingest_seq - $first_seq)"
# The distance of two 64-bit integers need not be one: these take half as long again, and any x.
_WIDE_SLICE: Final = "floor((x::double - $first) / ($reach / $count))"
_WIDE_PLACE: Final = "x::hugeint * 9223372036854775808 + ingest_seq"


def _reduced(connection: duckdb.DuckDBPyConnection, drawn: _Points, extent: _Extent, count: int) -> Sequence[Bucket]:
    reach = max(1, extent.last - extent.first)
    seqs = drawn.values["last_seq"] - drawn.values["first_seq"] + 1
    slices: dict[str, int | float] = {"first": extent.first, "reach": reach, "count": count}
    if (reach + 1) * max(count, seqs) <= _LARGEST:
        sql = _REDUCE.format(x=drawn.x, drawn=drawn.sql, slice=_SLICE, place=_PLACE)
        slices["seqs"] = seqs
    else:
        sql = _REDUCE.format(x=drawn.x, drawn=drawn.sql, slice=_WIDE_SLICE, place=_WIDE_PLACE)
        slices |= {"first": float(extent.first), "reach": float(reach)}
    return tuple(Bucket(*row) for row in connection.execute(sql, drawn.values | slices).fetchall())
