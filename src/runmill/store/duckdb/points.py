"""Reading every point of some runs, metric by metric, as columns: the engine gathers, Python never sees a row.

A point's place in log order is its time, then its index, then its commit. Rows nearly always lie in that order already,
so the engine gathers them as they lie, which takes half the time of sorting them, and what is out of order is put
right here.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runmill.model import Attributes, MetricKind, MetricPoints, RunId
from runmill.store.duckdb.rows import value_of
from runmill.store.duckdb.tallies import Span
from runmill.store.duckdb.texts import among, listed
from runmill.store.query import PointQuery
from runmill.store.values import decode_attributes

__all__ = ["points"]

# Nearly all values are doubles: what others there are comes apart, each with its row's number.
_READ: Final = """
    select run_id, metric, kind, "column", rank, attributes,
        list(time_unix_nano) as time, list("index") as index, list("value") as value, list(ingest_seq) as seq,
        coalesce(list({{'seq': ingest_seq, 'value_int': value_int, 'value_json': value_json}})
            filter (value_int is not null or value_json is not null), []) as others,
        {step} as step
    from points where ingest_seq between $first and $last and run_id {runs} {chosen}
    group by run_id, metric, kind, "column", rank, attributes"""
_KEYS: Final = 6
"""So many of the columns are what a group's points share; the others are lists of what each has."""
_STEP: Final = "list(step)"
_NO_STEP: Final = "[]::bigint[]"


def points(connection: duckdb.DuckDBPyConnection, query: PointQuery, span: Span) -> list[MetricPoints]:
    """Give the points, all of which lie in *span*: run by run, a run's metrics in the order of their first points."""
    values: dict[str, Any] = {"runs": listed(query.run_ids), "first": span.first, "last": span.last}
    if query.metric is not None:
        values["metric"] = query.metric
    sql = _READ.format(
        runs=among("$runs"),
        chosen="" if query.metric is None else "and metric = $metric",
        step=_STEP if "step" in query.columns else _NO_STEP,
    )
    table = connection.execute(sql, values).to_arrow_table()
    return _Gathered(table, query).metrics() if table.num_rows else []


class _Shared(NamedTuple):
    """What all points of one group have in common."""

    kind: MetricKind
    column: str | None
    rank: int | None
    attributes: Attributes


class _Integers(NamedTuple):
    """A column; a number that is not *known* says nothing."""

    numbers: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Metric:
    """Where the points of one metric are, in log order; *member* says what of *shared* each has where that differs."""

    shared: Sequence[_Shared]
    rows: slice | npt.NDArray[np.intp]
    first: int
    member: npt.NDArray[np.intp] | None = None


class _Gathered:
    """What was read: a row a group of points, with a list in each column."""

    def __init__(self, table: pa.Table, query: PointQuery) -> None:
        [batch] = table.combine_chunks().to_batches()
        times, indexes, values, numbers, others, steps = (column.values for column in batch.columns[_KEYS:])
        self._query = query
        self._keys = batch.columns[:_KEYS]
        self._ends = pairwise(batch.column("time").offsets.to_pylist())
        self._time = times.to_numpy()
        self._rises = self._time[1:] > self._time[:-1]
        self._seq = numbers.to_numpy()
        self._index = _integers(indexes)
        self._step = _integers(steps)
        self._value = values.to_numpy(zero_copy_only=False)
        self._others = _others(others)
        self._is_other = np.isin(self._seq, list(self._others))

    def metrics(self) -> list[MetricPoints]:
        """Give them run by run, a run's in the order of their first points."""
        places = {run_id: place for place, run_id in enumerate(self._query.run_ids)}
        found = [(run_id, name, self._metric(groups)) for (run_id, name), groups in self._groups().items()]
        found.sort(key=lambda each: (places[each[0]], self._place(each[2].first)))
        return [self._points(*each) for each in found]

    def _groups(self) -> dict[tuple[RunId, str], list[tuple[_Shared, slice]]]:
        """Give each metric's groups: what was logged of it with several kinds, columns, ranks or attributes."""
        groups: dict[tuple[RunId, str], list[tuple[_Shared, slice]]] = defaultdict(list)
        keys = zip(*(column.to_pylist() for column in self._keys), strict=True)
        for (run_id, metric, kind, column, rank, attributes), ends in zip(keys, self._ends, strict=True):
            shared = _Shared(kind, column, rank, decode_attributes(attributes))
            groups[run_id, metric].append((shared, slice(*ends)))
        return groups

    def _metric(self, groups: list[tuple[_Shared, slice]]) -> _Metric:
        """Merge the groups into log order; of one, times that only rise, as one process logs them, are in it."""
        [shared, *more], [rows, *_] = zip(*groups, strict=True)
        if not more and self._rises[rows.start : rows.stop - 1].all():
            return _Metric([shared], rows, rows.start)
        every = np.concatenate([np.arange(part.start, part.stop) for _, part in groups])
        index = np.where(self._index.known[every], self._index.numbers[every], -1)
        order = np.lexsort((self._seq[every], index, self._time[every]))
        member = np.repeat(np.arange(len(groups)), [part.stop - part.start for _, part in groups])[order]
        return _Metric([shared, *more], every[order], every[order[0]], member if more else None)

    def _place(self, row: int) -> tuple[int, int, int]:
        """Say where a point stands in log order."""
        index = self._index.numbers[row] if self._index.known[row] else -1
        return int(self._time[row]), int(index), int(self._seq[row])

    def _points(self, run_id: RunId, name: str, metric: _Metric) -> MetricPoints:
        rows, columns = metric.rows, self._query.columns
        time = self._time[rows]
        kind, column, rank, attributes = _shared(metric)
        return MetricPoints(
            run_id=run_id,
            metric=name,
            count=len(time),
            kind=kind,
            column=column,
            rank=rank,
            attributes=attributes,
            index=self._known(self._index, rows) if "index" in columns else None,
            step=self._known(self._step, rows) if "step" in columns else None,
            time_unix_nano=self._listed(time) if "time_unix_nano" in columns else None,
            value=self._values(rows),
        )

    def _values(self, rows: slice | npt.NDArray[np.intp]) -> "list[Any] | array[float]":
        numbers = self._value[rows]
        if not self._is_other[rows].any():
            return self._listed(numbers)
        return list(map(self._others.get, self._seq[rows].tolist(), numbers.tolist()))

    def _known(self, column: _Integers, rows: slice | npt.NDArray[np.intp]) -> "list[int | None] | array[int] | None":
        numbers, known = column.numbers[rows], column.known[rows]
        if known.all():
            return self._listed(numbers)
        if not known.any():
            return None
        return [each if is_known else None for each, is_known in zip(numbers.tolist(), known.tolist(), strict=True)]

    def _listed(self, numbers: npt.NDArray[Any]) -> "list[Any] | array[Any]":
        return array(_CODES[numbers.dtype.kind], numbers.tobytes()) if self._query.packed else list(numbers.tolist())


_CODES: Final = {"f": "d", "i": "q"}


def _integers(column: pa.Array) -> _Integers:
    return _Integers(column.fill_null(0).to_numpy(), column.is_valid().to_numpy(zero_copy_only=False))


def _others(others: pa.StructArray) -> dict[int, Any]:
    """Give the values that are no doubles by their ingest_seq."""
    cells = zip(*(field.to_pylist() for field in others.flatten()), strict=True)
    return {seq: value_of(None, integer, document) for seq, integer, document in cells}


def _shared(metric: _Metric) -> Iterable[Any]:
    if metric.member is None:
        return metric.shared[0]
    each = zip(*map(metric.shared.__getitem__, metric.member.tolist()), strict=True)
    return map(_same_or_each, each)


def _same_or_each(cells: Sequence[Any]) -> Any:
    return cells[0] if all(cell == cells[0] for cell in cells) else list(cells)
