"""What is done with the bytes of a source, from its lines to its records.

All of it is pure: the same bytes give the same records. What may go on in bytes that have not come yet is not consumed,
and is read again with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from runmill.collector.lines.entry import Drop, Entry, Gathered, Line, Lines
from runmill.collector.lines.framing import Framing
from runmill.collector.lines.settling import settle

__all__ = ["Reading", "Recipe", "Step", "as_bytes", "as_text", "plain"]

Opening: TypeAlias = Callable[[Sequence[bytes], bool], Lines]
"""The first step: lines of a source to entries. The flag says that no more lines come."""

Step: TypeAlias = Callable[[Lines, bool], Lines]
"""Entries to entries."""


class Reading(NamedTuple):
    """What bytes were found to be."""

    entries: "list[Gathered]"
    consumed: int
    """How many bytes they are; the rest is to be read again with what follows."""
    drops: Sequence[Drop] = ()
    """What of these bytes was left out on purpose."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Framing, then an opening, then steps."""

    framing: Framing
    opening: Opening
    steps: tuple[Step, ...] = ()

    def read(self, raw: bytes, *, is_final: bool) -> Reading:
        """Give what *raw* is; with *is_final* all of it, as if nothing more came."""
        block = self.framing.split(raw, is_final=is_final)
        found, held = settle(self.opening(block.lines, is_final))
        drops = list[Drop]()
        for step in self.steps:
            found, held_here = settle(step(found, is_final))
            drops += found.drops
            held = held if held_here is None else held_here  # what a step is given stands before what was held already
        if held is None:
            return Reading(found.entries, block.consumed, drops)
        return Reading(found.entries, block.ends[held - 1] if held else 0, drops)

    def with_encoding(self, encoding: str) -> "Recipe":
        """Give the same for a file in another encoding."""
        if encoding == self.framing.encoding:
            return self
        return replace(self, framing=replace(self.framing, encoding=encoding))


def as_bytes(lines: Sequence[bytes], _is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
    """Take each line as it is; one that is not UTF-8 stays bytes."""
    return Lines([_text_or_bytes(index, line) for index, line in enumerate(lines)])


def _text_or_bytes(index: int, line: bytes) -> Gathered:
    try:
        line.decode()
    except UnicodeDecodeError:
        return Entry(index, index, 0, None, line)
    return index, index, 0, None, line


def plain(lines: Sequence[bytes], _is_final: bool) -> Lines:  # noqa: FBT001 - an Opening
    """Take each line as it is."""
    return Lines([(index, index, 0, None, line) for index, line in enumerate(lines)])


def as_text(found: Lines, _is_final: bool) -> Lines:  # noqa: FBT001 - a Step
    """Put replacement characters in place of what is not UTF-8; looked for in all lines at once."""
    lines = [one for one in found.entries if not isinstance(one, Entry)]
    try:
        b"\n".join([line[4] for line in lines]).decode()
    except UnicodeDecodeError:
        return Lines([one if isinstance(one, Entry) else _replaced(one) for one in found.entries])
    return found


def _replaced(line: Line) -> Line:
    return *line[:4], line[4].decode(errors="replace").encode()
