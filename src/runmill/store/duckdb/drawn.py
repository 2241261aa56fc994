"""Which points of a metric are drawn, and over which x: what they say of themselves, or another metric's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import duckdb
import pyarrow as pa

from runmill.errors import NotFound
from runmill.store.duckdb.tallies import Span
from runmill.store.query import Axis, SeriesQuery

__all__ = ["AXES", "Extent", "Points", "axis_of", "chosen", "over"]

AXES: Final[dict[Axis, str]] = {"step": "step", "index": '"index"', "time": "time_unix_nano"}
"""The column of each."""

_EXTENT: Final = "count({x}), min({x}), max({x})"


@dataclass(frozen=True, slots=True)
class Extent:
    """How many points there are, and between which x; no x where there are none."""

    count: int
    first: int | float
    last: int | float


@dataclass(frozen=True, slots=True)
class Points:
    """Some points: where they are, a condition with the values it names, and the column that is x."""

    sql: str
    values: dict[str, Any]
    source: str = "points"
    x: str = "ingest_seq"
    are_numbers: bool = False

    def numbers(self) -> "Points":
        """Give those that are no text or document."""
        return self if self.are_numbers else self.where('"value" is not null')

    def where(self, sql: str, **values: Any) -> "Points":
        """Give those for which *sql* holds too."""
        return replace(self, sql=f"{self.sql} and {sql}", values=self.values | values)

    def select(self, connection: duckdb.DuckDBPyConnection, columns: str, rest: str = "") -> list[Any]:
        """Give *columns* of them."""
        sql = f"select {columns} from {self.source} where {self.sql} {rest}"  # noqa: S608 - our own text
        return connection.execute(sql, self.values).fetchall()

    def read(self, connection: duckdb.DuckDBPyConnection, columns: str, *, batch: int) -> pa.RecordBatchReader:
        """Give *columns* of them as they come."""
        sql = f"select {columns} from {self.source} where {self.sql}"  # noqa: S608 - our own text
        return connection.execute(sql, self.values).to_arrow_reader(batch)

    def extent(self, connection: duckdb.DuckDBPyConnection) -> Extent:
        """Say how far they reach."""
        [row] = self.select(connection, _EXTENT.format(x=self.x))
        return Extent(*row)


def chosen(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span) -> Points:
    """Give the points of the metric and column.

    The sums tell, nearly always, that all of the metric are numbers and of one column: not to look at each row for that
    saves a quarter of the time.
    """
    of_metric = _of_run(query, span).where("metric = $metric", metric=query.metric)
    asked = {"run_id": query.run_id, "metric": query.metric, "column": query.column}
    [(is_one_column, are_numbers)] = connection.execute(_ALIKE, asked).fetchall()
    found = of_metric if is_one_column else _of_column(of_metric, query.column, name="column")
    return replace(found, are_numbers=bool(are_numbers))


_ALIKE: Final = """
    select bool_and("column" is not distinct from $column), bool_and(count = numeric_count)
    from point_summaries where run_id = $run_id and metric = $metric"""


def axis_of(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, points: Points) -> tuple[Axis, Extent]:
    """Give the x that was asked for, else the first that tells the numbers apart; and how far they reach on it.

    Raises NotFound where there are no points.
    """
    numbers, extents = _extents(connection, points, [query.x] if query.x else ["step", "index"])
    if not numbers:
        _require(connection, query, points)
    if query.x is not None:
        return query.x, extents[query.x]
    for axis, extent in extents.items():
        if _tells_apart(extent, numbers):
            return axis, extent
    return "time", _extents(connection, points, ["time"])[1]["time"]


def _extents(
    connection: duckdb.DuckDBPyConnection, points: Points, axes: Sequence[Axis]
) -> tuple[int, dict[Axis, Extent]]:
    """Count the numbers, and say how far they reach on each of *axes*."""
    columns = ", ".join(_EXTENT.format(x=AXES[axis]) for axis in axes)
    [(numbers, *reach)] = points.numbers().select(connection, f"count(*), {columns}")
    return numbers, {axis: Extent(*reach[3 * n : 3 * n + 3]) for n, axis in enumerate(axes)}


def over(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, span: Span) -> Points:
    """Give the points with the numbers that `x_metric` and `x_column` name as their x.

    Raises NotFound where there are none of either.
    """
    across = replace(query, metric=query.x_metric or query.metric, column=query.x_column)
    of_run = _of_run(query, span)
    points = _of_column(of_run.where("metric = $metric", metric=query.metric), query.column, name="column")
    numbers = _of_column(of_run.where("metric = $x_metric", x_metric=across.metric), across.column, name="x_column")
    _require(connection, query, points)
    _require(connection, across, numbers)
    if query.x_metric is None:  # the cells of a row have its number, and come from one process
        alike = [AXES[query.x or "index"], "rank", "resource_id"]
    else:
        both = replace(points, sql=f"({points.sql} or {numbers.sql})", values=points.values | numbers.values)
        alike = [AXES[axis_of(connection, query, both)[0]], "rank"]
    return Points("true", points.values | numbers.values, source=_paired(points, numbers, alike), x="x")


_PAIRED: Final = """(
    select "value", ingest_seq, time_unix_nano, x
    from points join (
        select {names}, arg_max("value", ingest_seq) as x
        from points where {numbers} and isfinite("value") and {place} is not null group by all)
    on {same} where {points} and "value" is not null)"""


def _paired(points: Points, numbers: Points, alike: Sequence[str]) -> str:
    """Give the SQL of *points*, each with the newest of *numbers* at the same place: the first column of *alike*."""
    names = [f"x_{number}" for number in range(len(alike))]
    return _PAIRED.format(
        points=points.sql,
        numbers=numbers.sql,
        place=alike[0],
        names=", ".join(f"{column} as {name}" for column, name in zip(alike, names, strict=True)),
        same=" and ".join(f"{column} is not distinct from {name}" for column, name in zip(alike, names, strict=True)),
    )


def _of_run(query: SeriesQuery, span: Span) -> Points:
    found = Points("ingest_seq between $first_seq and $last_seq", {"first_seq": span.first, "last_seq": span.last})
    found = found.where("run_id = $run_id", run_id=query.run_id)
    return found if query.rank is None else found.where("rank = $rank", rank=query.rank)


def _of_column(points: Points, column: str | None, *, name: str) -> Points:
    if column is None:
        return points.where('"column" is null')
    return points.where(f'"column" = ${name}', **{name: column})


def _require(connection: duckdb.DuckDBPyConnection, query: SeriesQuery, points: Points) -> None:
    if not points.select(connection, "1", "limit 1"):
        column = "" if query.column is None else f", column {query.column!r}"
        rank = "" if query.rank is None else f", rank {query.rank!r}"
        raise NotFound(f"run {query.run_id!r}: no metric {query.metric!r}{column}{rank}.")


def _tells_apart(extent: Extent, numbers: int) -> bool:
    """Say whether every number has an x. The same x for all says nothing: MLflow's step is 0 where none was given."""
    return extent.count == numbers and (extent.first != extent.last or numbers == 1)
