"""Runs side by side on a page: what differs first, their curves on one chart, their images beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from runmill.errors import NotFound
from runmill.model import Run, RunId
from runmill.store.interface import Store
from runmill.store.query import SeriesQuery
from runmill.views.answers import encode
from runmill.views.comparison import Comparison, Curve, Row, compare_stored
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.images import ImageSeries, images_of
from runmill.views.portal.wording import run_name

__all__ = ["ComparePage", "compare_page"]

_PICTURES: Final = 24
_BUCKETS: Final = 160


@dataclass(frozen=True, slots=True)
class CurveView:
    """One metric of several runs, with the picture that stands there without script."""

    title: str
    metric: str
    lines: Sequence[Mapping[str, object]]
    drawing: Drawing | None

    @property
    def lines_json(self) -> str:
        """The lines as the script reads them."""
        return encode(self.lines).decode()


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of one group, apart by whether they differ."""

    name: str
    differing: tuple[Row, ...]
    equal: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """The images of one name; None for a run that has none."""

    metric: str
    of_runs: tuple[ImageSeries | None, ...]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """What the page shows."""

    runs: tuple[Run, ...]
    groups: tuple[RowGroup, ...]
    curves: tuple[CurveView, ...]
    images: tuple[ImageRow, ...]

    @property
    def equal_count(self) -> int:
        """How many rows are folded."""
        return sum(len(group.equal) for group in self.groups)


def compare_page(store: Store, run_ids: Sequence[str]) -> ComparePage:
    """Read it. Raises NotFound, and InvalidArgument for fewer than two runs or too many."""
    comparison = compare_stored(store, run_ids)
    return ComparePage(
        runs=comparison.runs,
        groups=tuple(_group(name, tuple(rows)) for name, rows in groupby(comparison.rows, key=lambda row: row.group)),
        curves=tuple(
            _curve(store, comparison, curve, with_picture=place < _PICTURES)
            for place, curve in enumerate(comparison.curves)
        ),
        images=tuple(_image_rows(store, comparison)),
    )


def _group(name: str, rows: Sequence[Row]) -> RowGroup:
    differing = tuple(row for row in rows if row.differs)
    return RowGroup(name, differing, tuple(row for row in rows if not row.differs))


def _curve(store: Store, comparison: Comparison, curve: Curve, *, with_picture: bool) -> CurveView:
    lines = [
        # The place is the run's, not the line's: a run has one colour on all charts.
        _line(run, curve.column, place)
        for place, run in enumerate(comparison.runs)
        if run.run_id in curve.run_ids
    ]
    title = curve.metric if curve.column is None else f"{curve.metric}.{curve.column}"
    drawing = _picture(store, curve) if with_picture else None
    return CurveView(title, curve.metric, lines, drawing)


def _line(run: Run, column: str | None, place: int) -> Mapping[str, object]:
    start = run.start_time_unix_nano
    return {"run": run.run_id, "column": column, "name": run_name(run), "place": place, "start": start}


def _picture(store: Store, curve: Curve) -> Drawing | None:
    lines = [_points(store, run_id, curve) for run_id in curve.run_ids]
    return draw(lines, width=400, height=200)


def _points(store: Store, run_id: RunId, curve: Curve) -> list[tuple[float, float | None]]:
    query = SeriesQuery(run_id=run_id, metric=curve.metric, column=curve.column, buckets=_BUCKETS)
    try:
        return [(bucket.x, bucket.last) for bucket in store.series(query).buckets]
    except NotFound:
        return []  # pruned between the summary and this


def _image_rows(store: Store, comparison: Comparison) -> list[ImageRow]:
    if not comparison.images:
        return []
    metrics = store.metrics([run.run_id for run in comparison.runs])
    of_runs = [
        {series.metric: series for series in images_of(store, run.run_id, metrics.get(run.run_id, []))}
        for run in comparison.runs
    ]
    return [ImageRow(name, tuple(of_run.get(name) for of_run in of_runs)) for name in comparison.images]
