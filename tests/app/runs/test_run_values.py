"""What may be logged, as which Python value, and what is refused in which words."""

import math
from collections import UserDict
from decimal import Decimal
from enum import IntEnum, StrEnum
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.app.runs.values import to_columns, to_document, to_items, to_scalar, to_step
from runmill.errors import InvalidArgument


class Tensor:
    """As torch's: `item` of one element, `tolist` of any."""

    def __init__(self, *elements: float) -> None:
        self._elements = elements

    def item(self) -> float:
        if len(self._elements) != 1:
            raise RuntimeError("a Tensor with several elements cannot be converted to Scalar")
        return self._elements[0]

    def tolist(self) -> list[float]:
        return list(self._elements)


class EagerTensor:
    """As TensorFlow's: `numpy` gives NumPy's."""

    def numpy(self) -> np.float32:
        return np.float32(0.5)


class Level(IntEnum):
    HIGH = 3


class Color(StrEnum):
    RED = "red"


class Frame:
    """As a pandas data frame: columns by name."""

    columns = ("x", "y")

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array([1, 2]) if name == "x" else np.array([0.5, 1.5])


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (1, 1),
        (1.5, 1.5),
        ("text", "text"),
        (True, True),
        (None, None),
        (np.int64(7), 7),
        (np.uint64(7), 7),
        (np.int8(7), 7),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array(0.5), 0.5),
        (np.array([3]), 3),
        (Tensor(0.25), 0.25),
        (EagerTensor(), 0.5),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
        (Level.HIGH, 3),
        (Color.RED, "red"),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (-(2**63), -(2**63)),
        (math.inf, math.inf),
    ],
)
def test_a_scalar_of_any_library_becomes_the_python_value(given, plain):
    """The value is equal and of exactly the plain type: an np.int64 is an int, an np.float64 a float."""
    taken = to_scalar(given, "here")
    assert (type(taken), taken) == (type(plain), plain)


def test_nan_stays_nan():
    """NaN is a value like any other."""
    assert math.isnan(to_scalar(np.float64("nan"), "here"))


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ([1, 2], r"^here: got \[1, 2\] \(list\); log several values with log_list\.$"),
        ((1, 2), r"log several values with log_list"),
        (range(3), r"log several values with log_list"),
        ((n for n in (1,)), r"log several values with log_list"),
        (np.array([1, 2]), r"log several values with log_list"),
        ({"a": 1}, r"log a dict with log_row \(one row\) or log_table \(columns\)"),
        (UserDict(a=1), r"log_row"),
        (b"raw", r"a value is an int, float, str, bool or None: convert it with float\(\) or str\(\)"),
        (1j, r"convert it with float\(\) or str\(\)"),
        (object(), r"convert it"),
        (np.float64, r"convert it"),
        (10**400, r"too large to be stored as a number"),
    ],
)
def test_what_is_no_scalar_is_refused_with_the_way_out(given, advice):
    """The text names the call that takes such a value, or the conversion."""
    with pytest.raises(InvalidArgument, match=advice):
        to_scalar(given, "here")


@pytest.mark.parametrize(
    ("given", "items"),
    [
        ([1, 2.5], [1, 2.5]),
        ((1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        ((n for n in (1, 2)), [1, 2]),
        (np.array([1, 2]), [1, 2]),
        (np.array([0.5], dtype=np.float32), [0.5]),
        ([np.int64(1), None, "a", True], [1, None, "a", True]),
        (Tensor(1.0, 2.0), [1.0, 2.0]),
        ("abc", ["a", "b", "c"]),
        ([], []),
    ],
)
def test_any_iterable_of_scalars_is_a_list(given, items):
    """Lists, tuples, ranges, generators and one-dimensional arrays are alike."""
    taken = to_items(given, "here")
    assert [(type(item), item) for item in taken] == [(type(item), item) for item in items]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([[1], [2]], r"^here\[0\]: got \[1\] \(list\)"),
        (np.zeros((2, 2)), r"^here\[0\]: got \[0\.0, 0\.0\] \(list\)"),
        (5, r"^here: got 5 \(int\), which holds no elements; log one value with log\.$"),
        (np.array(5), r"holds no elements"),
        ({"a": 1}, r"log_row \(one row\) or log_table \(columns\)"),
    ],
)
def test_what_is_no_list_of_scalars_is_refused(given, text):
    """The position of the element that does not fit is named."""
    with pytest.raises(InvalidArgument, match=text):
        to_items(given, "here")


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        ({"x": [1, 2], "y": (0.5, None)}, {"x": [1, 2], "y": [0.5, None]}),
        ({"x": range(2), "y": np.array([1.0, 2.0])}, {"x": [0, 1], "y": [1.0, 2.0]}),
        ({"x": 1, "y": "text"}, {"x": [1], "y": ["text"]}),
        ({1: np.array(2)}, {"1": [2]}),
        (Frame(), {"x": [1, 2], "y": [0.5, 1.5]}),
        ({}, {}),
        ({"x": []}, {"x": []}),
    ],
)
def test_a_table_is_columns_of_any_kind(given, columns):
    """Columns may be lists, tuples, ranges, arrays or, for one row, scalars; a data frame is a table too."""
    assert to_columns(given, "here") == columns


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"x": [1], "y": [1, 2]}, r"^here: columns must be equally long; 'x' has 1, 'y' has 2\.$"),
        ([1, 2], r"^here: a table is a dict of columns"),
        ({"x": [[1]]}, r"^here\['x'\]\[0\]: got \[1\]"),
    ],
)
def test_what_is_no_table_is_refused(given, text):
    """The lengths of all columns are named where they differ."""
    with pytest.raises(InvalidArgument, match=text):
        to_columns(given, "here")


@pytest.mark.parametrize(
    ("given", "document"),
    [
        ({"data": {"matrix": np.array([[1, 2]])}}, {"data": {"matrix": [[1, 2]]}}),
        ('{"data": [1.5]}', {"data": [1.5]}),
        ({"n": np.int64(3)}, {"n": 3}),
    ],
)
def test_a_document_is_a_dict_or_json_text(given, document):
    """NumPy's values are written as JSON has them."""
    assert to_document(given, "here") == document


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("{", r"^here: not a JSON document: .*Give a dict or JSON text\.$"),
        ("[1]", r"^here: a JSON object is needed"),
        ({"x": object()}, r"has no JSON form"),
    ],
)
def test_what_is_no_document_is_refused(given, text):
    """Text that is no JSON is refused at the call."""
    with pytest.raises(InvalidArgument, match=text):
        to_document(given, "here")


@pytest.mark.parametrize(("given", "step"), [(None, None), (3, 3), (np.int64(3), 3), (3.0, 3)])
def test_a_step_is_a_whole_number(given, step):
    """NumPy integers and whole floats are taken."""
    assert to_step(given, "here") == step


@pytest.mark.parametrize("given", [1.5, "3", True, math.nan])
def test_a_step_that_is_no_whole_number_is_refused(given):
    """Half a step has no place on the axis."""
    with pytest.raises(InvalidArgument, match=r"^here: step must be a whole number or None"):
        to_step(given, "here")


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.booleans() | st.none())
def test_plain_scalars_come_back_as_they_are(value):
    """A value that is plain already is never changed."""
    taken = to_scalar(value, "here")
    assert (type(taken), taken) == (type(value), value)
