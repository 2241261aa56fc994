"""The JSON kinds as figures; their fields are those of Azure ML's schemas, as docs/run-api.md names them."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from runmill.errors import InvalidArgument
from runmill.views.portal.accuracy import accuracy_figure
from runmill.views.portal.figure import Curve, Fields, Figure, Matrix, Numbers, Plot

__all__ = ["figure_of"]


def figure_of(kind: str, document: object) -> Figure | None:
    """Give the figure of a document of *kind*; None for kinds that have none.

    Raises:
        InvalidArgument: The document does not follow its schema; the text names the field.
    """
    make = _MAKERS.get(kind)
    return make(Fields(document)) if make else None


def _confusion_matrix(fields: Fields) -> Figure:
    labels, counts = fields.labels(), fields.rows("matrix")
    if len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        raise InvalidArgument(f"data.matrix is not {len(labels)} x {len(labels)}, as data.class_labels is long")
    shares = tuple(tuple(cell / sum(row) if sum(row) else 0.0 for cell in row) for row in counts)
    return Figure(
        Numbers(("true", *labels), tuple((label, *row) for label, row in zip(labels, counts, strict=True))),
        matrix=Matrix(labels, counts, shares),
    )


def _residuals(fields: Fields) -> Figure:
    edges, counts = _bins(fields)
    rows = tuple((low, high, count) for (low, high), count in zip(pairwise(edges), counts, strict=True))
    plot = Plot("Residuals", "predicted - true", "count", edges=edges, bars=counts)
    return Figure(Numbers(("from", "to", "count"), rows), (plot,))


def _predictions(fields: Fields) -> Figure:
    edges, counts = _bins(fields)
    averages, errors = fields.numbers("bin_averages"), fields.numbers("bin_errors")
    if not len(averages) == len(errors) == len(counts):
        raise InvalidArgument("data.bin_averages, data.bin_errors and data.bin_counts are not equally long")
    middles = tuple((low + high) / 2 for low, high in pairwise(edges))
    held = [place for place, count in enumerate(counts) if count]
    line = Curve(
        "average predicted",
        tuple(middles[place] for place in held),
        tuple(averages[place] for place in held),
        spread=tuple(errors[place] for place in held),
    )
    ideal = Curve("ideal", (edges[0], edges[-1]), (edges[0], edges[-1]), role="guide")
    rows = tuple(zip(edges, edges[1:], counts, averages, errors, strict=False))
    return Figure(
        Numbers(("true from", "to", "count", "average predicted", "±"), rows),
        (
            Plot("Predicted", "true", "predicted", curves=(line, ideal)),
            Plot("Counts", "true", "count", edges=edges, bars=counts),
        ),
    )


def _bins(fields: Fields) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give edges and counts, an edge more than counts."""
    edges, counts = fields.numbers("bin_edges"), fields.numbers("bin_counts")
    if len(edges) == len(counts) >= 2:  # noqa: PLR2004 - a width needs two
        # Microsoft's own sample leaves the last edge out: the last bin is as wide as the one before.
        edges = (*edges, 2 * edges[-1] - edges[-2])
    if not counts or len(edges) != len(counts) + 1:
        raise InvalidArgument(
            f"data.bin_edges has {len(edges)} items for {len(counts)} of data.bin_counts, not one more"
        )
    return edges, counts


_MAKERS: Final[Mapping[str, Callable[[Fields], Figure]]] = {
    "confusion_matrix": _confusion_matrix,
    "accuracy_table": accuracy_figure,
    "residuals": _residuals,
    "predictions": _predictions,
}
