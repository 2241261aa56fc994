"""Lines that belong together by a pattern at their start or their end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runmill.collector.lines.entry import Gathered, Lines

__all__ = ["Multiline"]


@dataclass(frozen=True, slots=True)
class Multiline:
    """Joins lines: one that matches begins a record, or ends it."""

    pattern: re.Pattern[bytes]
    matches: Literal["start", "end"]
    is_omitted: bool
    """Whether what the pattern matches is left out of the record."""
    max_bytes: int
    """A record that reaches this is given as it is."""

    def __call__(self, lines: Sequence[bytes], is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
        """Join *lines*."""
        joined, first, size = list[Gathered](), 0, 0
        for index, line in enumerate(lines):
            is_match = self.pattern.search(line) is not None
            if index > first and ((is_match and self.matches == "start") or size >= self.max_bytes):
                joined.append(self._record(lines, first, index - 1))
                first, size = index, 0
            size += len(line) + 1
            if is_match and self.matches == "end":
                joined.append(self._record(lines, first, index))
                first, size = index + 1, 0
        if first >= len(lines):
            return Lines(joined)
        if is_final:
            return Lines([*joined, self._record(lines, first, len(lines) - 1)])
        return Lines(joined, first)

    def _record(self, lines: Sequence[bytes], first: int, last: int) -> Gathered:
        own = [*lines[first : last + 1]]
        if self.is_omitted:
            at = 0 if self.matches == "start" else -1
            own[at] = self.pattern.sub(b"", own[at], count=1)
        return first, last, 0, None, b"\n".join(own)
