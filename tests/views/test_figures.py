"""The JSON kinds as figures: curves, bars and cells from what was logged."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.errors import InvalidArgument
from runmill.views.portal.figure import Curve, Matrix, Numbers, Plot
from runmill.views.portal.figures import figure_of
from runmill.views.portal.wording import heat, percent

# Four samples of class a with the probabilities 0.9 and 0.4, two of which are a's; b is its complement.
TABLE = [[2, 2, 0, 0], [1, 0, 2, 1], [0, 0, 2, 2]]
ACCURACY = {
    "class_labels": ["a", "b"],
    "probability_tables": [TABLE, TABLE],
    "percentile_tables": [TABLE, TABLE],
    "probability_thresholds": [0.0, 0.5, 1.0],
    "percentile_thresholds": [0.0, 0.5, 1.0],
}


def figure(kind: str, **data: Any):
    return figure_of(kind, {"schema_type": kind, "schema_version": "1.0.0", "data": data})


def test_a_confusion_matrix_has_counts_and_shares_of_each_true_class() -> None:
    """A class that never was has shares of zero."""
    found = figure("confusion_matrix", class_labels=["cat", 7], matrix=[[3, 1], [0, 0]])
    assert found.matrix == Matrix(("cat", "7"), ((3, 1), (0, 0)), ((0.75, 0.25), (0.0, 0.0)))
    assert (found.matrix.accuracy, found.matrix.greatest) == (0.75, 3)
    assert found.numbers == Numbers(("true", "cat", "7"), (("cat", 3, 1), ("7", 0, 0)))


@pytest.mark.parametrize(
    ("title", "x", "y", "note"),
    [
        ("ROC", (0.0, 0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.5, 1.0, 1.0), "AUC 0.750"),
        ("Precision-recall", (0.5, 1.0), (1.0, 0.5), "AP 0.750"),
        ("Gain", (0.0, 0.0, 0.25, 1.0, 1.0), (0.0, 0.0, 0.5, 1.0, 1.0), ""),
        ("Lift", (0.25, 1.0), (2.0, 1.0), ""),
        ("Calibration", (0.25, 0.75), (1 / 3, 1.0), ""),
    ],
)
def test_an_accuracy_table_is_a_curve_a_class_and_their_averages(title: str, x: Any, y: Any, note: str) -> None:
    """Equal classes have equal curves, and the averages are the same curve again."""
    [plot] = [plot for plot in figure("accuracy_table", **ACCURACY).plots if plot.title == title]
    curves = [curve for curve in plot.curves if curve.role != "guide"]
    assert curves[0] == Curve("a", x, y, note=note)
    assert {(curve.x, curve.y, curve.note) for curve in curves} == {(x, y, note)}
    assert [curve.name for curve in curves][:3] == ["a", "b", "micro average"]


def test_an_accuracy_table_is_summed_up_in_numbers() -> None:
    """A row a class and one for all: areas, and the threshold that is best by F1."""
    numbers = figure("accuracy_table", **ACCURACY).numbers
    judged = (0.75, 0.75, pytest.approx(2 / 3), 0.0)
    assert numbers.rows == (("a", *judged), ("b", *judged), ("micro average", *judged))


def test_residuals_are_a_histogram_also_without_their_last_edge() -> None:
    """Microsoft's sample leaves the last edge out: the last bin is as wide as the one before it."""
    whole = figure("residuals", bin_edges=[-1, 0, 1], bin_counts=[4, 2])
    assert whole == figure("residuals", bin_edges=[-1, 0], bin_counts=[4, 2])
    assert whole.plots == (Plot("Residuals", "predicted - true", "count", edges=(-1, 0, 1), bars=(4, 2)),)
    assert whole.numbers.rows == ((-1, 0, 4), (0, 1, 2))


def test_predictions_are_a_line_with_error_bars_beside_the_ideal() -> None:
    """Bins that held nothing have no point."""
    found = figure(
        "predictions", bin_edges=[0, 2, 4, 6], bin_counts=[5, 0, 1], bin_averages=[1.5, 0, 5], bin_errors=[0.5, 0, 0]
    )
    predicted, counts = found.plots
    assert predicted.curves == (
        Curve("average predicted", (1.0, 5.0), (1.5, 5.0), spread=(0.5, 0.0)),
        Curve("ideal", (0, 6), (0, 6), role="guide"),
    )
    assert counts.bars == (5, 0, 1)


@pytest.mark.parametrize(
    ("kind", "data", "problem"),
    [
        ("confusion_matrix", {"class_labels": ["a"], "matrix": [[1, 2]]}, "data.matrix is not 1 x 1"),
        ("confusion_matrix", {"matrix": [[1]]}, "data.class_labels is no list"),
        ("residuals", {"bin_edges": [0, 1], "bin_counts": ["many"]}, r"data.bin_counts\[0\] is 'many', no number"),
        ("residuals", {"bin_edges": [0], "bin_counts": [1, 2]}, "data.bin_edges has 1 items for 2"),
        ("predictions", {"bin_edges": [0, 1], "bin_counts": [1], "bin_averages": [], "bin_errors": []}, "equally long"),
        ("accuracy_table", {**ACCURACY, "class_labels": ["a"]}, "has 2 tables for 1 of data.class_labels"),
        ("accuracy_table", {**ACCURACY, "probability_thresholds": [0]}, "has not the 1 rows"),
        ("accuracy_table", {**ACCURACY, "percentile_tables": [[[1]], []]}, r"not \[TP, FP, TN, FN\]"),
    ],
)
def test_a_document_that_breaks_its_schema_is_told_where(kind: str, data: dict[str, Any], problem: str) -> None:
    """The field is named, and its value where there is one."""
    with pytest.raises(InvalidArgument, match=problem):
        figure(kind, **data)


NAMES = st.sampled_from([*ACCURACY, "matrix", "bin_edges", "bin_counts", "data"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
)


@given(st.sampled_from(["confusion_matrix", "accuracy_table", "residuals", "predictions", "histogram"]), JSON)
def test_no_document_breaks_a_page(kind: str, document: Any) -> None:
    """Whatever was logged has a figure, or none, or is refused in words."""
    with suppress(InvalidArgument):
        figure_of(kind, document)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.0001, "0.1 %"), (0.04, "4.0 %"), (0.125, "12 %"), (1, "100 %")]
)
def test_a_share_is_told_in_percent(share: float, text: str) -> None:
    """What is not nothing is not shown as nothing."""
    assert percent(share) == text


def test_what_was_counted_has_a_shade() -> None:
    """Zero has none, the greatest has the darkest."""
    assert [heat(value, 100) for value in (0, 1, 50, 99, 100)] == [0, 1, 5, 9, 9]
