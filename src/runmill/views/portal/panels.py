"""Which form a metric takes on a page: a chart, a value, a table or a document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, TypeAlias

from runmill.model import MetricPoint, MetricSummary

__all__ = [
    "Chart",
    "Document",
    "Panel",
    "Picture",
    "Table",
    "Tile",
    "is_system",
    "main_metric",
    "main_name",
    "panels_of",
    "table_rows",
]

_DOCUMENT_KINDS: Final = frozenset({"confusion_matrix", "accuracy_table", "residuals", "predictions"})
_DRAWN_COLUMNS: Final = 2
_COUNTING: Final = frozenset({"epoch", "epochs", "step", "steps", "global_step", "iteration", "iter"})
_SYSTEM: Final = ("system.", "process.", "container.", "hw.")
# Of several metrics these are what a run is usually judged by.
_JUDGED_BY: Final = ("val_loss", "loss", "mse", "rmse", "mae", "accuracy", "acc", "auc", "f1", "score", "reward")


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers that repeat: a line a column; with *kind* ``xy`` the first column is the x of the second.

    A column that counts (``epoch``) is the x of the others.
    """

    metric: str
    kind: Literal["line", "xy"]
    columns: tuple[str | None, ...]
    summaries: tuple[MetricSummary, ...]
    x_column: str | None = None

    @property
    def last(self) -> MetricSummary:
        """The summary whose last value stands in the title."""
        return self.summaries[-1]


@dataclass(frozen=True, slots=True)
class Tile:
    """A value that was logged once, or one that cannot be drawn, never being finite: the newest of them."""

    metric: str
    summary: MetricSummary


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with cells that cannot be drawn, or a single row."""

    metric: str
    columns: tuple[str | None, ...]
    summaries: tuple[MetricSummary, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One of the JSON kinds, or a histogram: shown as it is."""

    metric: str
    summary: MetricSummary


@dataclass(frozen=True, slots=True)
class Picture:
    """An image: the newest, found among the run's files by its path."""

    metric: str
    path: str


Panel: TypeAlias = Chart | Tile | Table | Document | Picture


def panels_of(summaries: Sequence[MetricSummary]) -> list[Panel]:
    """Give a panel a metric, in the order of their first points."""
    names = list(dict.fromkeys(summary.metric for summary in summaries))
    return [_panel(name, tuple(each for each in summaries if each.metric == name)) for name in names]


def main_metric(summaries: Sequence[MetricSummary]) -> MetricSummary | None:
    """Give the series by which to judge a run at a glance, or None when nothing repeats."""
    drawn = [each for each in summaries if each.column is None and each.numeric_count > 1 and not is_system(each)]
    return min(drawn, key=lambda each: _judged_by(each.metric), default=None)


def main_name(names: Iterable[str]) -> str | None:
    """Give the metric by which to judge several runs, by the names alone; of equals the first."""
    return min(names, key=_judged_by, default=None)


def is_system(summary: MetricSummary) -> bool:
    """Say whether it is of the machine or the process rather than of what was trained, by OTel's names."""
    return summary.metric.startswith(_SYSTEM)


def table_rows(points: Iterable[MetricPoint], columns: Sequence[str | None], *, limit: int) -> list[list[object]]:
    """Put points of a table or row metric back into at most *limit* rows; a cell nobody logged is the empty text."""
    rows: list[list[object]] = []
    for _, row in groupby(points, key=lambda point: (point.rank, point.index)):
        cells = {point.column: point.value for point in row}
        rows.append([cells.get(column, "") for column in columns])
        if len(rows) == limit:
            break
    return rows


def _panel(metric: str, summaries: tuple[MetricSummary, ...]) -> Panel:
    newest = summaries[-1]
    if newest.kind == "image" and isinstance(newest.last_value, Mapping):
        return Picture(metric, str(newest.last_value.get("path", "")))
    if newest.kind in _DOCUMENT_KINDS or (isinstance(newest.last_value, Mapping) and not newest.numeric_count):
        return Document(metric, newest)
    columns = tuple(each.column for each in summaries)
    if columns == (None,):
        return _single(metric, newest)
    numeric = all(each.numeric_count == each.count for each in summaries)
    if not numeric or all(each.count == 1 for each in summaries):
        return Table(metric, columns, summaries)
    return _chart(metric, summaries)


def _chart(metric: str, summaries: tuple[MetricSummary, ...]) -> Chart:
    counting = next((each.column for each in summaries if (each.column or "").lower() in _COUNTING), None)
    drawn = tuple(each for each in summaries if each.column != counting)
    if counting is not None and drawn:
        return Chart(metric, "line", tuple(each.column for each in drawn), drawn, counting)
    kind: Literal["line", "xy"] = "xy" if len(summaries) == _DRAWN_COLUMNS else "line"
    return Chart(metric, kind, tuple(each.column for each in summaries), summaries)


def _single(metric: str, summary: MetricSummary) -> Panel:
    if summary.numeric_count > 1 and summary.minimum is not None:
        return Chart(metric, "line", (None,), (summary,))
    if summary.count in (1, summary.numeric_count):
        return Tile(metric, summary)
    return Table(metric, (None,), (summary,))


def _judged_by(metric: str) -> int:
    name = metric.lower()
    return next((place for place, word in enumerate(_JUDGED_BY) if word in name), len(_JUDGED_BY))
