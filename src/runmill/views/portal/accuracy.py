"""An accuracy table as curves: ROC, precision-recall, gain, lift and calibration, of each class and averaged.

Each cell of the table is (TP, FP, TN, FN) of one class against the rest at one threshold.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from runmill.errors import InvalidArgument
from runmill.views.portal.figure import Curve, Fields, Figure, Numbers, Plot, Role

__all__ = ["accuracy_figure"]

_Cell: TypeAlias = tuple[float, ...]
_Table: TypeAlias = Sequence[_Cell]
"""A cell a threshold."""
_Point: TypeAlias = tuple[float, float]

_CELL: Final = 4
_MICRO: Final = "micro average"
_MACRO: Final = "macro average"


def accuracy_figure(fields: Fields) -> Figure:
    """Give the figure. Raises InvalidArgument for what is no accuracy table."""
    labels = fields.labels()
    by_probability = _tables(fields, "probability_tables", labels)
    by_percentile = _tables(fields, "percentile_tables", labels)
    thresholds = fields.numbers("probability_thresholds")
    if any(len(table) != len(thresholds) for table in by_probability.values()):
        raise InvalidArgument(
            f"data.probability_tables has not the {len(thresholds)} rows of data.probability_thresholds"
        )
    return Figure(
        _summary(by_probability, thresholds),
        (
            _ROC.plot(by_probability),
            _PRECISION_RECALL.plot(by_probability),
            _GAIN.plot(by_percentile),
            _LIFT.plot(by_percentile),
            _calibration(by_probability, thresholds),
        ),
    )


def _tables(fields: Fields, name: str, labels: Sequence[str]) -> dict[str, _Table]:
    tables = fields.tables(name)
    if len(tables) != len(labels):
        raise InvalidArgument(f"data.{name} has {len(tables)} tables for {len(labels)} of data.class_labels")
    if any(len(cell) != _CELL for table in tables for cell in table):
        raise InvalidArgument(f"data.{name} has a cell that is not [TP, FP, TN, FN]")
    return dict(zip(labels, tables, strict=True))


def _micro(tables: Iterable[_Table]) -> _Table:
    """Count the classes together at each threshold."""
    return [tuple(map(sum, zip(*cells, strict=True))) for cells in zip(*tables, strict=False)]


@dataclass(frozen=True, slots=True)
class _View:
    """One way to draw an accuracy table: where a cell's point lies, and between which ends every curve runs."""

    title: str
    x_title: str
    y_title: str
    point_of: Callable[[_Cell], _Point | None]
    ends: tuple[_Point, ...] = ()
    measure: str = ""
    measured: Callable[[Sequence[_Point]], float] | None = None
    guide: Curve | None = None

    def plot(self, tables: dict[str, _Table]) -> Plot:
        """Draw each class, then the averages."""
        curves = [self._curve(label, self.points(table), "class") for label, table in tables.items()]
        curves.append(self._curve(_MICRO, self.points(_micro(tables.values())), "average"))
        curves.append(self._curve(_MACRO, self._macro(tables.values()), "average"))
        return Plot(self.title, self.x_title, self.y_title, (*curves, *([self.guide] if self.guide else [])))

    def points(self, table: _Table) -> list[_Point]:
        """Give the points of one class from left to right."""
        found = [point for cell in table if (point := self.point_of(cell)) is not None]
        return sorted([*found, *self.ends]) if found else []

    def _macro(self, tables: Iterable[_Table]) -> list[_Point]:
        """Give each threshold the mean of the classes' points there; none where a class has no point."""
        means: list[_Point] = []
        for cells in zip(*tables, strict=False):
            found = [point for cell in cells if (point := self.point_of(cell)) is not None]
            if len(found) == len(cells):
                means.append((sum(x for x, _ in found) / len(found), sum(y for _, y in found) / len(found)))
        return sorted([*means, *self.ends]) if means else []

    def _curve(self, name: str, points: Sequence[_Point], role: Role) -> Curve:
        note = f"{self.measure} {self.measured(points):.3f}" if self.measured and points else ""
        return _curve(name, points, role, note)


def _curve(name: str, points: Sequence[_Point], role: Role, note: str = "") -> Curve:
    return Curve(name, tuple(x for x, _ in points), tuple(y for _, y in points), role=role, note=note)


def _roc(cell: _Cell) -> _Point | None:
    tp, fp, tn, fn = cell
    return _ratios(fp, fp + tn, tp, tp + fn)


def _precision_recall(cell: _Cell) -> _Point | None:
    tp, fp, _, fn = cell
    return _ratios(tp, tp + fn, tp, tp + fp)


def _gain(cell: _Cell) -> _Point | None:
    tp, fp, _, fn = cell
    return _ratios(tp + fp, sum(cell), tp, tp + fn)


def _lift(cell: _Cell) -> _Point | None:
    gain = _gain(cell)
    return (gain[0], gain[1] / gain[0]) if gain and gain[0] else None


def _ratios(x: float, of_x: float, y: float, of_y: float) -> _Point | None:
    return (x / of_x, y / of_y) if of_x and of_y else None


def _area(points: Sequence[_Point]) -> float:
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in pairwise(points))


def _average_precision(points: Sequence[_Point]) -> float:
    """Sum precision over what each threshold adds to recall."""
    return sum((right - left) * precision for (left, _), (right, precision) in pairwise([(0.0, 1.0), *points]))


_CORNERS: Final = ((0.0, 0.0), (1.0, 1.0))
_CHANCE: Final = _curve("chance", _CORNERS, "guide")
_ROC: Final = _View("ROC", "false positive rate", "true positive rate", _roc, _CORNERS, "AUC", _area, _CHANCE)
_PRECISION_RECALL: Final = _View(
    "Precision-recall", "recall", "precision", _precision_recall, measure="AP", measured=_average_precision
)
_GAIN: Final = _View("Gain", "share of samples", "share of positives found", _gain, _CORNERS, guide=_CHANCE)
_LIFT: Final = _View(
    "Lift", "share of samples", "times better than chance", _lift, guide=_curve("chance", ((0, 1), (1, 1)), "guide")
)


def _calibration(tables: dict[str, _Table], thresholds: Sequence[float]) -> Plot:
    """Draw how many of those that were given about a probability were positive."""
    curves = [_curve(label, _calibrated(table, thresholds), "class") for label, table in tables.items()]
    curves.append(_curve(_MICRO, _calibrated(_micro(tables.values()), thresholds), "average"))
    ideal = _curve("ideal", _CORNERS, "guide")
    return Plot("Calibration", "predicted probability", "share that was positive", (*curves, ideal))


def _calibrated(table: _Table, thresholds: Sequence[float]) -> list[_Point]:
    points: list[_Point] = []
    for (low, at_low), (high, at_high) in pairwise(sorted(zip(thresholds, table, strict=False))):
        # What is taken for positive at the lower threshold but not at the higher was given a probability between.
        positives = at_low[0] - at_high[0]
        count = positives + at_low[1] - at_high[1]
        if count > 0:
            points.append(((low + high) / 2, positives / count))
    return points


def _summary(tables: dict[str, _Table], thresholds: Sequence[float]) -> Numbers:
    columns = ("class", "area under ROC", "average precision", "best F1", "at threshold")
    named = {**tables, _MICRO: _micro(tables.values())}
    return Numbers(columns, tuple((name, *_judged(table, thresholds)) for name, table in named.items()))


def _judged(table: _Table, thresholds: Sequence[float]) -> tuple[float, ...]:
    scores = (2 * tp / (2 * tp + fp + fn) if tp else 0.0 for tp, fp, _, fn in table)
    best, at = max(((score, -at) for score, at in zip(scores, thresholds, strict=False)), default=(0.0, 0.0))
    return _area(_ROC.points(table)), _average_precision(_PRECISION_RECALL.points(table)), best, -at
