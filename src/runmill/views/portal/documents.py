"""The JSON kinds on a page: each with its figure and the picture that stands there before, or without, any script.

One that was logged several times is shown as it was logged last; the others are a step away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runmill.errors import InvalidArgument, NotFound
from runmill.model import MetricPoint, MetricSummary, RunId
from runmill.store.interface import Store
from runmill.store.query import PointQuery
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.figure import Figure, Plot
from runmill.views.portal.figures import figure_of
from runmill.views.portal.panels import Document

__all__ = ["DocumentView", "document_at", "document_view"]

_WIDE_CLASSES: Final = 8


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document with what is drawn of it."""

    panel: Document
    figure: Figure | None
    """None: it is shown as it was logged."""
    problem: str
    """Why there is no figure, of a kind that has one."""
    drawing: Drawing | None
    """The first plot."""
    place: int
    """Which one of its name it is, from 0."""
    step: int | None

    @property
    def count(self) -> int:
        """How many there are of its name."""
        return self.panel.summary.count

    @property
    def label(self) -> str:
        """Which one it is, as the images of a run say it."""
        return f"no. {self.place:,}" if self.step is None else f"step {self.step:,}"

    @property
    def wide(self) -> bool:
        """Whether it wants the whole width."""
        matrix = self.figure.matrix if self.figure else None
        return matrix is not None and len(matrix.labels) > _WIDE_CLASSES


def document_view(panel: Document, *, place: int | None = None) -> DocumentView:
    """Make the figure of a document; one that does not follow its schema is shown as it is, and says so."""
    summary = panel.summary
    at = (summary.count - 1 if place is None else place, summary.last_step)
    try:
        figure = figure_of(summary.kind, summary.last_value)
    except InvalidArgument as error:
        return DocumentView(panel, None, str(error), None, *at)
    drawing = _picture(figure.plots[0]) if figure and figure.plots else None
    return DocumentView(panel, figure, "", drawing, *at)


def document_at(store: Store, run_id: RunId, metric: str, place: int | None) -> DocumentView:
    """Give the document of *metric* that was logged at *place*, from 0; None is the newest.

    Raises NotFound where there is none.
    """
    summaries = [each for each in store.metrics([run_id]).get(run_id, []) if each.metric == metric]
    if not summaries or not isinstance(summaries[-1].last_value, Mapping):
        raise NotFound(f"run {run_id!r}: no metric {metric!r} that is a document.")
    summary = summaries[-1]
    if place is not None:
        summary = _as_of(summary, _point(store, run_id, metric, place))
    return document_view(Document(metric, summary), place=place)


def _point(store: Store, run_id: RunId, metric: str, place: int) -> MetricPoint:
    points = [point for each in store.points(PointQuery((run_id,), metric)) for point in each.points()]
    if not 0 <= place < len(points):
        raise NotFound(f"run {run_id!r}: metric {metric!r} was logged {len(points)} times; there is no number {place}.")
    return points[place]


def _as_of(summary: MetricSummary, point: MetricPoint) -> MetricSummary:
    return replace(summary, last_value=point.value, last_step=point.step, last_time_unix_nano=point.time_unix_nano)


def _picture(plot: Plot) -> Drawing | None:
    lines: list[Sequence[tuple[float, float | None]]] = [
        list(zip(curve.x, curve.y, strict=True)) for curve in plot.curves
    ]
    if plot.bars:
        lines.append(_outline(plot))
    return draw(lines, width=400, height=200)


def _outline(plot: Plot) -> list[tuple[float, float | None]]:
    ends = [(edge, 0.0) for edge in (plot.edges[0], plot.edges[-1])]
    tops = zip(plot.edges, plot.edges[1:], plot.bars, strict=False)
    return [ends[0], *((edge, bar) for low, high, bar in tops for edge in (low, high)), ends[1]]
