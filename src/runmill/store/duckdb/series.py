"""Reducing one metric to what a chart can show: smallest, largest and last value of each slice of x."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Final, Literal

import duckdb

from runmill.errors import InvalidArgument
from runmill.store.duckdb.drawn import AXES, Extent, Points, axis_of, chosen, over
from runmill.store.duckdb.tallies import Span
from runmill.store.query import Axis, Bucket, Series, SeriesQuery

__all__ = ["series"]

_MOST_BUCKETS: Final = 100_000
_LARGEST: Final = 2**63 - 1


def series(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span) -> Series:
    """Give the numbers of one metric and column by ascending x; of equal ones, by commit.

    Raises:
        NotFound: the run has no such metric or column.
        InvalidArgument: the number of buckets is out of range.
    """
    if not 1 <= query.buckets <= _MOST_BUCKETS:
        raise InvalidArgument(f"buckets {query.buckets!r}: give 1 to {_MOST_BUCKETS}.")
    axis, drawn, extent = _drawn(connection, query, span)
    if extent.count <= 2 * query.buckets:
        buckets = _whole(connection, drawn)
    else:
        buckets = _reduced(connection, drawn, extent, query.buckets)
    return Series(metric=query.metric, column=query.column, x=axis, count=extent.count, buckets=buckets)


def _drawn(
    connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span
) -> tuple[Axis | Literal["metric"], Points, Extent]:
    """Give what can be drawn: numbers at an x within the bounds."""
    if query.x_metric is not None or query.x_column is not None:
        drawn = _within(over(connection, query, span), query)
        return "metric", drawn, drawn.extent(connection)
    points = chosen(query, span)
    axis, extent = axis_of(connection, query, points)
    x = AXES[axis]
    drawn = _within(replace(points.where(f'"value" is not null and {x} is not null'), x=x), query)
    is_bounded = query.x_min is not None or query.x_max is not None
    return axis, drawn, drawn.extent(connection) if is_bounded else extent


def _within(drawn: Points, query: SeriesQuery) -> Points:
    if query.x_min is not None:
        drawn = drawn.where(f"{drawn.x} >= $x_min", x_min=query.x_min)
    if query.x_max is not None:
        drawn = drawn.where(f"{drawn.x} <= $x_max", x_max=query.x_max)
    return drawn


def _whole(connection: duckdb.DuckDBPyConnection, drawn: Points) -> Sequence[Bucket]:
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
        from {source} where {drawn})
    select min(x)::double, min(finite), max(finite), arg_max(finite, {place}), count(*), count(*) - count(finite),
        min(time_unix_nano)
    from drawn group by least({slice}, $count - 1) order by min(x)"""

# `last` by one number for (x, ingest_seq): comparing the two as a struct takes twice the time of the whole query.
_SLICE: Final = "(x - $first) * $count // $reach"
_PLACE: Final = "(x - $first) * $seqs + (ingest_seq - $first_seq)"
# The distance of two 64-bit integers need not be one, and other numbers have fractions: these take any x.
_WIDE_SLICE: Final = "floor((x::double - $first) / ($reach / $count))"
_WIDE_PLACE: Final = "row(x, ingest_seq)"


def _reduced(connection: duckdb.DuckDBPyConnection, drawn: Points, extent: Extent, count: int) -> Sequence[Bucket]:
    reach = extent.last - extent.first or 1
    seqs = drawn.values["last_seq"] - drawn.values["first_seq"] + 1
    slices: dict[str, int | float] = {"first": extent.first, "reach": reach, "count": count}
    if isinstance(reach, int) and (reach + 1) * max(count, seqs) <= _LARGEST:
        sql = _REDUCE.format(x=drawn.x, source=drawn.source, drawn=drawn.sql, slice=_SLICE, place=_PLACE)
        slices["seqs"] = seqs
    else:
        sql = _REDUCE.format(x=drawn.x, source=drawn.source, drawn=drawn.sql, slice=_WIDE_SLICE, place=_WIDE_PLACE)
        slices |= {"first": float(extent.first), "reach": float(reach)}
    return tuple(Bucket(*row) for row in connection.execute(sql, drawn.values | slices).fetchall())
