"""Telling a person what dropped or changed a record, and why, while it happens."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from runmill.collector.lines.entry import Drop

__all__ = ["Explainer", "Note", "notes_of", "shortened"]

_LONGEST_BODY: Final = 80

# Of each rule so many records are shown, and then the 100th, 1,000th, ...: a rule that fits all must not flood.
_SHOWN: Final = 20


class Note(NamedTuple):
    """One thing that was done to a record or a resource, or to several records together."""

    verb: Literal["dropped", "changed", "set aside"]
    what: str
    rule: str
    record_count: int = 1
    """How many records *what* is."""


def notes_of(drops: Sequence[Drop]) -> list[Note]:
    """Give what operators left out, as notes."""
    return [Note("dropped", f"log {shortened(drop.body)}", drop.rule) for drop in drops]


def shortened(body: Any) -> str:
    """Give enough of a body to know it by."""
    shown = repr(body)
    return shown if len(shown) <= _LONGEST_BODY else f"{shown[:_LONGEST_BODY]}..."


class Explainer:
    """Tells it through *say*, a line each."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._counts = Counter[tuple[str, str, str]]()

    def tell(self, component_id: str, notes: Sequence[Note]) -> None:
        """Tell what a component did."""
        for note in notes:
            rule = (component_id, note.verb, note.rule)
            before = self._counts[rule]
            self._counts[rule] = count = before + note.record_count
            if before < _SHOWN or len(str(before)) < len(str(count)):  # ten times as many
                times = f" ({count:,} by now, of which few are shown)" if count >= _SHOWN else ""
                self._say(f"{component_id}: {note.verb} {note.what}, by: {note.rule}{times}")

    def totals(self) -> Iterator[str]:
        """Yield how often each rule applied, a line each."""
        for (component_id, verb, rule), count in sorted(self._counts.items()):
            yield f"{component_id}: {verb} {count:,} by: {rule}"
