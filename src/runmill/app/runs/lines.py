r"""From a stream's bytes to lines of text: whatever comes, nothing of it is lost and none of it stops the run.

A line that is written over with carriage returns, as progress bars do, becomes its last state; while it goes on, its
state every 10 seconds. A line longer than 256 KiB comes in parts. Bytes that are no UTF-8 are spelled out (``\xff``),
and colours and cursor moves are left out; the raw file has all of it as it was.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Line", "LineSplitter", "Stream"]

Stream = Literal["stdout", "stderr"]

_MOST_LINE_BYTES: Final = 256 << 10
_PROGRESS_SECONDS: Final = 10.0
_RETURN: Final = ord("\r")
# CSI and OSC sequences, and two-byte escapes. Source: ECMA-48, 5.4 and 5.6.
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end."""

    text: str
    part: int | None = None
    """Which part of a line that is too long for one record, from 0."""


class LineSplitter:
    """Takes one stream's bytes in pieces of any size."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._parts = 0
        self._shown_at: float | None = None
        """When the line that is being written over was last given."""

    def feed(self, content: bytes, now_seconds: float) -> Iterator[Line]:
        """Give the lines that *content* ends; *now_seconds* is any clock that never steps back."""
        first, *rest = content.split(b"\n")
        for piece, following in zip([first, *rest], [*rest, None], strict=True):
            self._pending += piece
            yield from self._take_parts()
            if following is not None:
                yield from self._end_line()
        yield from self._progress(now_seconds)

    def close(self) -> Iterator[Line]:
        """Give what is left: a last line without an end."""
        if self._pending or self._parts:
            yield from self._end_line()

    def _take_parts(self) -> Iterator[Line]:
        self._drop_overwritten()
        while len(self._pending) > _MOST_LINE_BYTES:
            end = _boundary(self._pending, _MOST_LINE_BYTES)
            yield Line(_shown(self._pending[:end]), self._parts)
            self._parts += 1
            del self._pending[:end]

    def _drop_overwritten(self) -> None:
        """Forget what was written over, so that a bar that runs for days takes no room."""
        del self._pending[: _last_state(self._pending)]

    def _end_line(self) -> Iterator[Line]:
        yield Line(_shown(self._pending), self._parts or None)
        self._pending.clear()
        self._parts, self._shown_at = 0, None

    def _progress(self, now_seconds: float) -> Iterator[Line]:
        if b"\r" not in self._pending:  # nothing is being written over
            return
        if self._shown_at is None:  # the first state says nothing yet
            self._shown_at = now_seconds
        elif now_seconds - self._shown_at >= _PROGRESS_SECONDS:
            self._shown_at = now_seconds
            yield Line(_shown(self._pending))


def _last_state(line: bytearray) -> int:
    """Give where the last state of a line begins: at the return before its text, or at 0."""
    end = len(line)
    while end and line[end - 1] == _RETURN:
        end -= 1
    return max(0, line.rfind(b"\r", 0, end))


def _boundary(line: bytearray, end: int) -> int:
    """Give the last place up to *end* that cuts no UTF-8 character in two."""
    for place in range(end, end - 4, -1):
        if line[place] & 0xC0 != 0x80:  # noqa: PLR2004 - not a continuation byte. Source: RFC 3629, 3
            return place
    return end


def _shown(line: bytearray) -> str:
    return _ESCAPES.sub("", line.strip(b"\r").decode("utf-8", "backslashreplace"))
