"""Reducing one metric to what a chart can show: smallest, largest and last value of each slice of x."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Final, Literal

import duckdb

from runmill.errors import InvalidArgument
from runmill.store.duckdb.drawn import AXES, Extent, Points, axis_of, chosen, over
from runmill.store.duckdb.slices import Slices
from runmill.store.duckdb.tallies import Span
from runmill.store.query import Axis, Bucket, Series, SeriesQuery

__all__ = ["series"]

_MOST_BUCKETS: Final = 100_000


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
    points = chosen(connection, query, span)
    axis, extent = axis_of(connection, query, points)
    x = AXES[axis]
    drawn = _within(replace(points.numbers().where(f"{x} is not null"), x=x), query)
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


_BATCH: Final = 30_000
"""Points at a time: more of them leave the processor's cache between the engine and numpy."""


def _reduced(connection: duckdb.DuckDBPyConnection, drawn: Points, extent: Extent, count: int) -> Sequence[Bucket]:
    slices = Slices(extent.first, extent.last, count)
    columns = f'{drawn.x} as x, "value", time_unix_nano, ingest_seq'
    for batch in drawn.read(connection, columns, batch=_BATCH):
        slices.take(*(column.to_numpy() for column in batch.columns))
    return slices.buckets()
