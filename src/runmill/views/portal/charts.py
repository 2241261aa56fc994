"""Metrics as a page draws them: panels with the picture that stands there until the script draws a better one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from runmill.errors import NotFound
from runmill.model import MetricSummary, RunId
from runmill.store.interface import Store
from runmill.store.query import Bucket, PointQuery, SeriesQuery
from runmill.views.answers import encode
from runmill.views.portal.documents import DocumentView, document_view
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.panels import Chart, Document, Panel, Picture, Table, Tile, is_system, panels_of, table_rows
from runmill.views.portal.run_head import RunHead

__all__ = ["ChartView", "MetricsView", "TableView", "metrics_view", "sparkline"]

_PICTURES: Final = 24
"""Charts beyond these are drawn when the reader comes to them: a page with 500 metrics opens as fast."""
_POINTS_READ: Final = 2_000_000
"""The same of points: a million cost some 60 ms, and the first paint has a second in all."""
_PICTURE_BUCKETS: Final = 160
_SPARK_BUCKETS: Final = 60
_ROWS: Final = 100
_SEEN_AT_ONCE: Final = 12


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart with its first picture."""

    panel: Chart
    drawing: Drawing | None
    last: float | None
    """The newest value; of a single rank it is known where the picture was read."""

    @property
    def columns_json(self) -> str:
        """The columns as the script reads them."""
        return encode(self.panel.columns).decode()


@dataclass(frozen=True, slots=True)
class TableView:
    """A table with the rows that are shown."""

    panel: Table
    rows: list[list[object]]

    @property
    def row_count(self) -> int:
        """All rows there are."""
        return max(each.count for each in self.panel.summaries)


@dataclass(frozen=True, slots=True)
class MetricsView:
    """All metrics of a run, by their form."""

    tiles: tuple[Tile, ...]
    charts: tuple[ChartView, ...]
    tables: tuple[TableView, ...]
    documents: tuple[DocumentView, ...]
    pictures: tuple[Picture, ...]

    @property
    def x_choices(self) -> list[tuple[str, str, list[str]]]:
        """What else the curves can be drawn over: how an address calls it, a heading, and the names."""
        panels = [view.panel for view in self.charts]
        metrics = [panel.metric for panel in panels if panel.columns == (None,)]
        columns = [
            name for panel in panels for name in (panel.x_column, *panel.columns) if name and panel.kind == "line"
        ]
        found = (("metric", "Metrics", metrics), ("column", "Columns", list(dict.fromkeys(columns))))
        return [(kind, title, names) for kind, title, names in found if names]

    @property
    def many(self) -> bool:
        """Whether one looks for a metric by its name rather than with the eyes."""
        return sum(map(len, (self.tiles, self.charts, self.tables, self.documents, self.pictures))) > _SEEN_AT_ONCE

    @property
    def empty(self) -> bool:
        """Whether the run logged none."""
        return not (self.tiles or self.charts or self.tables or self.documents or self.pictures)


def metrics_view(store: Store, head: RunHead, *, system: bool = False) -> MetricsView:
    """Give the metrics of what was trained, or those of the machine, and a picture of each of the first."""
    run_id = head.run.run_id
    panels: Sequence[Panel] = panels_of([each for each in head.metrics if is_system(each) is system])
    charts = [panel for panel in panels if isinstance(panel, Chart)]
    return MetricsView(
        tiles=tuple(panel for panel in panels if isinstance(panel, Tile)),
        charts=tuple(_charts(store, head, charts)),
        tables=tuple(_table(store, run_id, panel) for panel in panels if isinstance(panel, Table)),
        documents=tuple(document_view(panel) for panel in panels if isinstance(panel, Document)),
        pictures=tuple(panel for panel in panels if isinstance(panel, Picture)),
    )


def sparkline(store: Store, run_id: RunId, metric: MetricSummary) -> Drawing | None:
    """Draw a series as small as a word."""
    query = SeriesQuery(run_id=run_id, metric=metric.metric, column=metric.column, buckets=_SPARK_BUCKETS)
    return draw([_points(_buckets(store, query))], width=120, height=28)


def _charts(store: Store, head: RunHead, panels: Iterable[Chart]) -> Iterator[ChartView]:
    points_read = 0
    for place, panel in enumerate(panels):
        points_read += sum(each.count for each in panel.summaries)
        drawn = place < _PICTURES and points_read <= _POINTS_READ
        columns = _columns(store, head, panel) if drawn else []
        yield ChartView(panel, _picture(panel, columns) if drawn else None, _last(head, panel, columns))


def _columns(store: Store, head: RunHead, panel: Chart) -> list[Sequence[Bucket]]:
    run_id, over = head.run.run_id, panel.x_column
    asked = SeriesQuery(run_id, panel.metric, x_column=over, buckets=_PICTURE_BUCKETS, rank=head.rank)
    return [_buckets(store, replace(asked, column=column)) for column in panel.columns]


def _last(head: RunHead, panel: Chart, columns: Sequence[Sequence[Bucket]]) -> float | None:
    """Give the value beside the title, an integer where one was logged."""
    if head.rank is not None:  # what is known of the metric as a whole may be another rank's
        return columns[-1][-1].last if columns and columns[-1] else None
    newest = panel.last.last_value
    return newest if isinstance(newest, (int, float)) else panel.last.last


def _picture(panel: Chart, columns: Sequence[Sequence[Bucket]]) -> Drawing | None:
    if panel.kind == "xy":
        x_by_place = {bucket.x: bucket.last for bucket in columns[0]}
        pairs = [(x_by_place.get(bucket.x), bucket.last) for bucket in columns[1]]
        return draw([[(x, y) for x, y in pairs if x is not None]], width=400, height=200)
    return draw([_points(buckets) for buckets in columns], width=400, height=200)


def _buckets(store: Store, query: SeriesQuery) -> Sequence[Bucket]:
    try:
        return store.series(query).buckets
    except NotFound:
        return ()  # pruned between the summary and this, or this rank logged none


def _points(buckets: Sequence[Bucket]) -> list[tuple[float, float | None]]:
    return [(bucket.x, bucket.last) for bucket in buckets]


def _table(store: Store, run_id: RunId, panel: Table) -> TableView:
    points = chain.from_iterable(each.points() for each in store.points(PointQuery((run_id,), panel.metric)))
    return TableView(panel, table_rows(points, panel.columns, limit=_ROWS))
