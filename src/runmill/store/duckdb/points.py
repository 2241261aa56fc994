"""Reading every point of some runs, metric by metric, as columns: the engine gathers, Python never sees a row.

A point's place in log order is its time, then its index, then its commit. Rows nearly always lie in that order already,
so the engine gathers them as they lie, which takes half the time of sorting them, and what is out of order is put
right here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, pairwise, repeat
from operator import lt
from typing import Any, Final, NamedTuple, TypeVar

import duckdb
import pyarrow as pa

from runmill.model import Attributes, MetricKind, MetricPoints, RunId
from runmill.store.duckdb.rows import value_of
from runmill.store.duckdb.tallies import Span
from runmill.store.duckdb.texts import among, listed
from runmill.store.query import PointQuery
from runmill.store.values import decode_attributes

__all__ = ["points"]

T = TypeVar("T")

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
    members: dict[tuple[RunId, str], list[_Group]] = defaultdict(list)
    for run_id, metric, group in _groups(connection.execute(sql, values).to_arrow_table()):
        members[run_id, metric].append(group)
    run_places = {run_id: place for place, run_id in enumerate(query.run_ids)}
    whole = [(run_id, metric, _joined(groups)) for (run_id, metric), groups in members.items()]
    whole.sort(key=lambda each: (run_places[each[0]], each[2].first))
    return [_points(run_id, metric, group, query) for run_id, metric, group in whole]


class _Shared(NamedTuple):
    """What all points of one group have in common."""

    kind: MetricKind
    column: str | None
    rank: int | None
    attributes: Attributes


@dataclass(slots=True)
class _Group:
    """Points of one metric, as columns in log order; *shared* has one item for all of them, or one a point."""

    shared: list[_Shared]
    time: list[int]
    index: Sequence[int | None]
    step: Sequence[int | None]
    value: list[Any]
    seq: Sequence[int]

    @property
    def first(self) -> tuple[int, int, int]:
        """Say where the first point stands in log order."""
        return self.time[0], _place_of(self.index[0]), self.seq[0]

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Say where each point stands in log order."""
        return zip(self.time, map(_place_of, self.index), self.seq, strict=True)


def _place_of(index: int | None) -> int:
    return -1 if index is None else index


class _Lazy:
    """A column of all groups that becomes a list when it is first read: nobody pays for what was not asked."""

    def __init__(self, column: pa.Array) -> None:
        self.column = column

    @cached_property
    def cells(self) -> list[Any]:
        cells: list[Any] = self.column.to_pylist()
        return cells


class _Part(Sequence[Any]):
    """One group's part of a column."""

    __slots__ = ("_part", "_whole")

    def __init__(self, whole: _Lazy, part: slice) -> None:
        self._whole = whole
        self._part = part

    def __len__(self) -> int:
        return len(self._whole.column[self._part])

    def __getitem__(self, place: Any) -> Any:
        return self._whole.column[self._part.start + place].as_py()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._whole.cells[self._part])


def _groups(table: pa.Table) -> Iterator[tuple[RunId, str, _Group]]:
    if not table.num_rows:
        return
    [batch] = table.combine_chunks().to_batches()
    keys = zip(*(column.to_pylist() for column in batch.columns[:_KEYS]), strict=True)
    times, indexes, values, numbers, others, steps = (column.values for column in batch.columns[_KEYS:])
    index, step, seq = _Lazy(indexes), _Lazy(steps), _Lazy(numbers)
    time, value = times.to_pylist(), _values(values, seq, others)
    parts = (slice(*ends) for ends in pairwise(batch.column("time").offsets.to_pylist()))
    for (run_id, metric, kind, column, rank, attributes), part in zip(keys, parts, strict=True):
        shared = [_Shared(kind, column, rank, decode_attributes(attributes))]
        group = _Group(shared, time[part], _Part(index, part), _Part(step, part), value[part], _Part(seq, part))
        yield run_id, metric, _in_order(group)


def _values(numbers: pa.Array, seq: _Lazy, others: pa.StructArray) -> list[Any]:
    values: list[Any] = numbers.to_pylist()
    if len(others):
        places = {number: place for place, number in enumerate(seq.cells)}
        for number, integer, document in zip(*(field.to_pylist() for field in others.flatten()), strict=True):
            values[places[number]] = value_of(None, integer, document)
    return values


def _joined(groups: list[_Group]) -> _Group:
    """Merge what was logged of one metric with several kinds, columns, ranks or attributes."""
    if len(groups) == 1:
        return groups[0]
    return _in_order(
        _Group(
            shared=[each for group in groups for each in repeat(group.shared[0], len(group.time))],
            time=_chained(group.time for group in groups),
            index=_chained(group.index for group in groups),
            step=_chained(group.step for group in groups),
            value=_chained(group.value for group in groups),
            seq=_chained(group.seq for group in groups),
        )
    )


def _chained(columns: Iterable[Sequence[T]]) -> list[T]:
    return list(chain.from_iterable(columns))


def _in_order(group: _Group) -> _Group:
    """Put the points into log order; times that only rise, as one process logs them, are in it."""
    if all(map(lt, group.time, islice(group.time, 1, None))):
        return group
    places = list(group.places())
    order = sorted(range(len(places)), key=places.__getitem__)

    def ordered(column: Sequence[T]) -> list[T]:
        cells = list(column)
        return [cells[place] for place in order] if cells else cells  # none: nobody asked for it

    return _Group(
        shared=ordered(group.shared) if len(group.shared) > 1 else group.shared,
        time=ordered(group.time),
        index=ordered(group.index),
        step=ordered(group.step),
        value=ordered(group.value),
        seq=ordered(group.seq),
    )


def _points(run_id: RunId, metric: str, group: _Group, query: PointQuery) -> MetricPoints:
    shared = group.shared[0] if len(group.shared) == 1 else map(_same_or_each, zip(*group.shared, strict=True))
    kind, column, rank, attributes = shared
    return MetricPoints(
        run_id=run_id,
        metric=metric,
        count=len(group.time),
        kind=kind,
        column=column,
        rank=rank,
        attributes=attributes,
        index=_none_or_each(group.index) if "index" in query.columns else None,
        step=_none_or_each(group.step) if "step" in query.columns else None,
        time_unix_nano=group.time if "time_unix_nano" in query.columns else None,
        value=group.value,
    )


def _same_or_each(cells: Sequence[Any]) -> Any:
    return cells[0] if all(cell == cells[0] for cell in cells) else list(cells)


def _none_or_each(column: Sequence[int | None]) -> list[int | None] | None:
    cells = list(column)
    return None if cells.count(None) == len(cells) else cells
