"""Numbers, times and sizes as a page shows them."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runmill.views.portal.drawing import draw
from runmill.views.portal.lines import clean
from runmill.views.portal.wording import ago, duration, exact_number, flat, number, short_id, size

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123456, "0.01235"), (1.0, "1.000"), (0.0, "0"), (-3.14159, "-3.142"), (1234.5, "1,234"),
        (123456.7, "123,500"), (11_173_962, "11,173,962"), (11_173_962.0, "11,173,962"), (1.5e-7, "1.500e-07"),
        (1.23e15, "1.230e+15"), (math.nan, "NaN"), (-math.inf, "-∞"), (True, "true"), (None, "null"), ("text", "text"),
    ],
)  # fmt: skip
def test_a_number_has_four_digits(value: object, text: str) -> None:
    """Four significant digits, whole numbers in full, words for what is no number."""
    assert number(value) == text


@given(st.floats())
def test_every_float_has_words(value: float) -> None:
    """No value breaks a page, and a finite one is shown within the four digits."""
    shown = number(value)
    if math.isfinite(value):
        assume(abs(value) < 1e308)  # rounded up, the greatest would be read back as infinite
        assert float(shown.replace(",", "")) == pytest.approx(value, rel=6e-4)
    else:
        assert shown == exact_number(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.412, "412 ms"), (8.42, "8.4 s"), (59, "59 s"), (192, "3m 12s"), (3840, "1h 04m"), (183_600, "2d 03h")],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    """The larger the duration, the coarser its words."""
    assert duration(round(seconds * SECOND)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "just now"), (45, "45 s ago"), (200, "3 min ago"), (7300, "2 h ago"), (90_000, "1 day ago")],
)
def test_a_moment_is_told_by_its_age(seconds: int, text: str) -> None:
    """Relative to now."""
    assert ago(0, now_unix_nano=seconds * SECOND) == text


def test_a_size_has_its_unit() -> None:
    """Decimal units."""
    assert [size(value) for value in (0, 999, 48_213, 12_300_000)] == ["0 B", "999 B", "48.2 kB", "12.3 MB"]


@pytest.mark.parametrize(
    ("run_id", "shown"),
    [
        ("3f9a1c04-7d52-4b8e-9a61-0c5e2b7d9f10", "3f9a1c04"),
        ("bde7d3359a5744359e1fbebbc864342b", "bde7d335"),
        ("train-on-local_1795331385_137408bb", "train-on-local_1795331385_137408bb"),
    ],
)
def test_an_id_that_can_be_read_is_not_cut(run_id: str, shown: str) -> None:
    """Of one drawn by lot the head is enough; that of a name with a number says nothing."""
    assert short_id(run_id) == shown


def test_what_changed_is_told_value_by_value() -> None:
    """With its path; nothing is left out for being empty."""
    body = {"status": "Running", "tags": {"model": "sgd", "baseline": None}, "properties": {}}
    assert list(flat(body)) == [("status", "Running"), ("tags.model", "sgd"), ("tags.baseline", "null")]


@given(st.text())
def test_clean_text_has_no_control_characters(text: str) -> None:
    """Whatever was logged, only line breaks and tabs are left of what a terminal would obey."""
    assert all(character >= " " or character in "\n\t" for character in clean(text))


@given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.none() | st.floats()), max_size=20))
def test_every_line_fits_its_box(line: list[tuple[float, float | None]]) -> None:
    """A picture's points are within it, whatever the numbers."""
    drawing = draw([line], width=100, height=50)
    if drawing is None:
        assert not any(y is not None and math.isfinite(y) for _, y in line)
        return
    for point in drawing.paths[0].replace("M", " ").replace("L", " ").split("  "):
        coordinates = [float(each) for each in point.split()]
        assert all(-0.1 <= value <= 100.1 for value in coordinates)
