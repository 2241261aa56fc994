"""From a stream's bytes to lines: whatever the bytes and however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runmill.app.runs.lines import Line, LineSplitter

PART = 256 << 10


def split(*pieces: bytes, clock: tuple[float, ...] = ()) -> list[Line]:
    splitter = LineSplitter()
    times = iter(clock)
    lines = [line for piece in pieces for line in splitter.feed(piece, next(times, 0.0))]
    return [*lines, *splitter.close()]


def cut(content: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"10%\r20%\r30%\n", ["30%"]),
        (b"10%\r20%\r", ["20%"]),
        (b"\r10%\r20%", ["20%"]),
        (b"bar\r   \rdone\n", ["done"]),
        (b"\r\r\n", [""]),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07end\n", ["red end"]),
        (b"caf\xc3\xa9 \xff\n", ["café \\xff"]),
        (b"nul\x00\n", ["nul\x00"]),
    ],
)
def test_lines(content, texts):
    """The last state of a line, without colours, and bytes that are no UTF-8 spelled out."""
    assert [line.text for line in split(content)] == texts


@given(
    content=st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\xc3\xa9", b"\xff", b" "])), places=st.lists(st.integers())
)
def test_how_the_bytes_are_cut_makes_no_difference(content, places):
    """Reads of any size give the same lines."""
    whole = b"".join(content)
    assert split(*cut(whole, places)) == split(whole)


@given(st.text().filter(lambda text: not set(text) & {"\n", "\r", "\x1b"}), st.integers(0, 3))
def test_a_long_line_comes_whole_in_parts(text, more):
    """Nothing of it is lost, no character is cut in two, and the parts are counted."""
    line = (text or "é") * (1 + more * PART // len((text or "é").encode()))
    parts = split(line.encode() + b"\nnext\n")
    *parts, after = parts
    assert "".join(part.text for part in parts) == line
    assert [part.part for part in parts] == ([None] if len(parts) == 1 else list(range(len(parts))))
    assert after == Line("next")


def test_a_bar_shows_its_state_while_it_goes_on():
    """Every ten seconds, beginning ten seconds after it began; then its last state."""
    times = (0.0, 5.0, 10.0, 15.0, 21.0, 22.0)
    pieces = (b"\r0%", b"\r5%", b"\r10%", b"\r15%", b"\r21%", b"\r22%\n")
    assert [line.text for line in split(*pieces, clock=times)] == ["10%", "21%", "22%"]
