"""Whoever sees less well can read the pages: every text colour stands out from every ground it stands on."""

import re
from itertools import product
from pathlib import Path

import pytest

import runmill.views.portal

STATIC = Path(runmill.views.portal.__file__).parent / "static"
TOKENS = re.findall(
    r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", "".join(path.read_text() for path in sorted(STATIC.glob("*.css")))
)
COLOURS = {name: (light, dark) for name, light, dark in TOKENS}
TEXTS = ("text", "muted", "link", "running", "completed", "failed", "canceled", "silent", "warn", "error")
GROUNDS = ("ground", "raised", "wash", "failed-wash")


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_are_readable(theme: int) -> None:
    """4.5 to 1 in both themes, white on the ground of FATAL included."""
    pairs = [(COLOURS[text][theme], COLOURS[ground][theme]) for text, ground in product(TEXTS, GROUNDS)]
    pairs.append(("#ffffff", COLOURS["fatal"][theme]))
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_lines_of_charts_are_seen(theme: int) -> None:
    """3 to 1 for what is drawn. Source: WCAG 2.2, non-text contrast."""
    series = [colours[theme] for name, colours in COLOURS.items() if name.startswith("series-")]
    assert len(series) == 8
    assert [each for each in series if contrast(each, COLOURS["ground"][theme]) < 3] == []
