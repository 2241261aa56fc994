"""From the points of a run to the dictionary ``get_metrics`` has always returned: pure functions.

A value that was logged once comes bare, several come as a list in log order; rows and tables come as columns.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from runmill.model import MetricKind, MetricPoint, MetricPoints

__all__ = ["FILE_KINDS", "MetricSeries", "is_logged", "old_shapes", "series_of"]

FILE_KINDS: Final = frozenset({"image", "confusion_matrix", "accuracy_table", "residuals", "predictions"})
"""What ``get_metrics`` gives as the address of a file, not as values."""

_ROW_KINDS: Final = frozenset({"row", "table"})
_MEASURED_KINDS: Final = frozenset({"gauge", "sum", "histogram", "exponential_histogram", "summary"})
_VALUE_KINDS: Final = ("scalar", "list")


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """Every point of one metric (of one column of it, for rows and tables of numbers), in log order."""

    metric: str
    kind: MetricKind
    column: str | None
    points: tuple[MetricPoint, ...]

    @property
    def values(self) -> list[Any]:
        """The values alone: always a list, even of one."""
        return [point.value for point in self.points]


def is_logged(columns: MetricPoints) -> bool:
    """Say whether a run logged these points; the others were measured of its machine or its process.

    By their position, where the kind does not tell: a collector on the way may have dropped the kind of a metric.
    """
    kinds = columns.kind if isinstance(columns.kind, list) else [columns.kind]
    return not _MEASURED_KINDS.issuperset(kinds) or any(index is not None for index in columns.index or ())


def series_of(columns: Iterable[MetricPoints]) -> list[MetricSeries]:
    """Group points into series, in the order of their first points; ranks stay together, each point says its own."""
    grouped: dict[tuple[str, MetricKind, str | None], list[MetricPoint]] = {}
    for point in chain.from_iterable(each.points() for each in columns):
        grouped.setdefault((point.metric, point.kind, point.column), []).append(point)
    return [MetricSeries(*key, points=tuple(members)) for key, members in grouped.items()]


def old_shapes(
    columns: Iterable[MetricPoints], to_file: Callable[[str, MetricPoint], object]
) -> dict[str, dict[str, object]]:
    """Give run id -> metric name -> value as Azure ML v1 did; a run without metrics is not there.

    Where several ranks logged a metric, the lowest one's values are given. Where one name was logged as several
    families (values, rows, files), which one process refuses but two may do, the first one's are given. Reading
    never raises: what does not fit is in ``series_of``.

    Args:
        columns: one item a run and metric.
        to_file: gives what stands for an image or a JSON document of a run.
    """
    shapes: dict[str, dict[str, object]] = {}
    for each in columns:
        shapes.setdefault(each.run_id, {})[each.metric] = _shape_of(each, to_file)
    return shapes


def _shape_of(columns: MetricPoints, to_file: Callable[[str, MetricPoint], object]) -> object:
    if columns.kind in _VALUE_KINDS and not isinstance(columns.rank, list):
        # As nearly all are: no look at the other columns, nor at each value where all are of one type.
        values = columns.value
        return _bare_if_one(values.tolist() if isinstance(values, array) else _same_type(_flat(values)))
    return _shape(_one_view(list(columns.points())), lambda point: to_file(columns.run_id, point))


def _one_view(points: list[MetricPoint]) -> list[MetricPoint]:
    """Leave the points of the first family and the lowest rank."""
    family = _family(points[0].kind)
    rank = min((point.rank or 0) for point in points)
    return [point for point in points if (point.rank or 0) == rank and _family(point.kind) is family] or points[:1]


def _family(kind: str) -> object:
    if kind in _ROW_KINDS:
        return _ROW_KINDS
    return FILE_KINDS if kind in FILE_KINDS else None


def _shape(points: list[MetricPoint], to_file: Callable[[MetricPoint], object]) -> object:
    kind = points[0].kind
    if kind in _ROW_KINDS:
        return _columns(points)
    if kind in FILE_KINDS:
        return _bare_if_one([to_file(point) for point in points])
    return _bare_if_one(_same_type(_flat([point.value for point in points])))


def _flat(logged: list[Any]) -> list[Any]:
    """Give the values, where an empty list that was logged, so that its name is there, adds none."""
    if list not in set(map(type, logged)):
        return logged
    return [value for each in logged for value in (each if isinstance(each, list) else [each])]


def _columns(points: Iterable[MetricPoint]) -> dict[str, Any]:
    """Give the rows as columns of equal length; a cell that a row does not have is None."""
    rows, names = _rows(points)
    columns = {name: _same_type([row.get(name) for row in rows]) for name in names}
    if len(rows) == 1:
        return {name: cells[0] for name, cells in columns.items()}
    return columns


def _rows(points: Iterable[MetricPoint]) -> tuple[list[dict[str, Any]], list[str]]:
    """Join cells to rows by row number; also the column names, both in the order they first appear."""
    rows: dict[tuple[int | None, int], dict[str, Any]] = {}
    names: dict[str, None] = {}
    # A forked process goes on counting where its parent was: the second cell of one place starts another row.
    seen: Counter[tuple[int | None, str]] = Counter()
    for point in points:
        cells = {point.column: point.value} if point.column is not None else point.value
        if not isinstance(cells, Mapping):
            continue
        names.update(dict.fromkeys(cells))
        for name, cell in cells.items():
            if cell != []:  # a column of no rows only brings its name
                place = (point.index, name)
                rows.setdefault((point.index, seen[place]), {})[name] = cell
                seen[place] += 1
    return list(rows.values()), list(names)


def _same_type(values: list[Any]) -> list[Any]:
    """Turn ints to floats where a float stands beside them and nothing but numbers and None does."""
    types = set(map(type, values))
    if float in types and int in types and types <= {int, float, type(None)}:
        return [float(value) if type(value) is int else value for value in values]
    return values


def _bare_if_one(values: list[Any]) -> object:
    return values[0] if len(values) == 1 else values
