"""The JSON kinds on a page: each with its figure and the picture that stands there before, or without, any script."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runmill.errors import InvalidArgument, NotFound
from runmill.model import RunId
from runmill.store.interface import Store
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.figure import Figure, Plot
from runmill.views.portal.figures import figure_of
from runmill.views.portal.panels import Document

__all__ = ["DocumentView", "document_view", "figure_of_metric"]

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

    @property
    def wide(self) -> bool:
        """Whether it wants the whole width."""
        matrix = self.figure.matrix if self.figure else None
        return matrix is not None and len(matrix.labels) > _WIDE_CLASSES


def document_view(panel: Document) -> DocumentView:
    """Make the figure of a document; one that does not follow its schema is shown as it is, and says so."""
    summary = panel.summary
    try:
        figure = figure_of(summary.kind, summary.last_value)
    except InvalidArgument as error:
        return DocumentView(panel, None, str(error), None)
    drawing = _picture(figure.plots[0]) if figure and figure.plots else None
    return DocumentView(panel, figure, "", drawing)


def figure_of_metric(store: Store, run_id: RunId, metric: str) -> Figure:
    """Make the figure of the newest document of *metric*. Raises NotFound where there is none, or none can be made."""
    for summary in store.metrics([run_id]).get(run_id, []):
        if summary.metric == metric and (figure := figure_of(summary.kind, summary.last_value)):
            return figure
    raise NotFound(f"run {run_id!r}: no metric {metric!r} that has a figure.")


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
