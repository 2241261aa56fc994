"""What lines become on their way to OTLP.

Nearly all gathered lines are plain text, and a flat tuple of five is all that is kept of one. What was understood, or
what an operator changed, is an `Entry`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from runmill.model import AttributeValue

__all__ = ["Drop", "Entry", "Gathered", "Line", "Lines", "entry_of"]

Line: TypeAlias = tuple[int, int, int, str | None, bytes]
"""(first, last, time_unix_nano, stream, text): the first and the last of the source lines it was made of, counted from
0 in their block; 0 for a time that is not known; ``stdout``, ``stderr`` or None; UTF-8 without the line's end."""


class Entry(NamedTuple):
    """A log record in the making, with more to it than its text."""

    first: int
    last: int
    time_unix_nano: int
    stream: str | None
    body: AttributeValue
    severity_number: int = 0
    severity_text: str = ""
    scope: str = ""
    attributes: dict[str, Any] = {}  # noqa: RUF012 - never changed in place: `_replace` gives an entry another one
    trace_id: str = ""
    span_id: str = ""
    trace_flags: int = 0
    event_name: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    """Attributes that the entry's resource has beside those of its source."""
    dropped_attributes_count: int = 0


Gathered: TypeAlias = Line | Entry


class Drop(NamedTuple):
    """A record that was left out on purpose, and by what rule."""

    rule: str
    body: Any


class Lines(NamedTuple):
    """What was made of a block of source lines."""

    entries: "list[Gathered]"
    held: int | None = None
    """The first source line of something that may go on in the next block, such as a line cut in pieces; None when
    all is whole."""
    drops: Sequence[Drop] = ()
    """What was left out."""


def entry_of(gathered: Gathered) -> Entry:
    """Give a line as an entry with its text as the body."""
    if isinstance(gathered, Entry):
        return gathered
    first, last, time_unix_nano, stream, text = gathered
    return Entry(first, last, time_unix_nano, stream, text.decode(errors="replace"))
