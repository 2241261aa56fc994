"""Which form a metric takes on a page."""

import math
from typing import Any

import pytest

from runmill.model import MetricPoint, MetricSummary
from runmill.views.portal.panels import main_metric, main_name, panels_of, table_rows


def summary(metric: str, value: Any = 1.0, *, count: int = 1, column: str | None = None, kind: Any = "scalar"):
    numeric = isinstance(value, float)
    last = value if numeric else None
    finite = last if last is not None and math.isfinite(last) else None
    return MetricSummary(
        metric, kind, column, "", "", count, count if numeric else 0, last, last, finite, finite, None, 0, value
    )


@pytest.mark.parametrize(
    ("summaries", "form"),
    [
        ([summary("m")], "Tile"),
        ([summary("m", "text")], "Tile"),
        ([summary("m", count=2)], "Chart line"),
        ([summary("m", math.nan, count=2)], "Tile"),
        ([summary("m", "text", count=2)], "Table"),
        ([summary("m", count=9, column="x", kind="row"), summary("m", count=9, column="y", kind="row")], "Chart xy"),
        ([summary("m", count=9, column=name, kind="table") for name in "xyz"], "Chart line"),
        ([summary("m", count=9, column=name, kind="row") for name in ("epoch", "loss")], "Chart line over epoch"),
        ([summary("m", column=name, kind="row") for name in "xyz"], "Table"),
        ([summary("m", "a", count=9, column="x", kind="table"), summary("m", count=9, column="y")], "Table"),
        ([summary("m", {"data": [1]}, kind="confusion_matrix")], "Document"),
        ([summary("m", {"path": "a.png"}, kind="image")], "Picture"),
        ([summary("m", {"count": 3}, count=5, kind="histogram")], "Document"),
    ],
)
def test_the_form_follows_from_what_was_logged(summaries: list[MetricSummary], form: str) -> None:
    """Numbers that repeat are a chart, a single value is a tile, cells that cannot be drawn are a table."""
    [panel] = panels_of(summaries)
    over = f"over {panel.x_column}" if getattr(panel, "x_column", None) else ""
    assert " ".join((type(panel).__name__, getattr(panel, "kind", ""), over)).strip() == form


def test_a_run_is_judged_by_its_loss_before_its_learning_rate() -> None:
    """Names that mean a result win; without any, the first that repeats."""
    rate, loss, once = summary("lr", count=9), summary("train/Loss", count=9), summary("val_loss")
    assert main_metric([rate, loss, once]) == loss
    assert main_metric([rate]) == rate
    assert main_metric([once]) is None
    assert (main_name(["rate", "loss", "x"]), main_name(["b", "a"]), main_name([])) == ("loss", "b", None)


def test_rows_are_put_back_together() -> None:
    """Cells of one row come together by its index; one nobody logged is empty."""
    cells = [("a", 0, 1), ("b", 0, 2), ("b", 1, 3), ("a", 2, 4)]
    points = [MetricPoint("m", "table", column, row, None, 0, value, {}, None) for column, row, value in cells]
    assert table_rows(points, ["a", "b"], limit=2) == [[1, 2], ["", 3]]
