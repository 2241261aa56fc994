"""Telling a person which rule dropped or changed a record, while it happens."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from runmill.collector.lines.entry import Drop

__all__ = ["Explainer", "Note", "notes_of", "shortened"]

_LONGEST_BODY: Final = 80

# Of each rule so many records are shown, and then the 100th, 1,000th, ...: a rule that fits all must not flood.
_SHOWN: Final = 20


class Note(NamedTuple):
    """One thing that was done to one record, or to a resource."""

    verb: Literal["dropped", "changed"]
    what: str
    rule: str


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

    def tell(self, processor_id: str, notes: Sequence[Note]) -> None:
        """Tell what *processor_id* did."""
        for note in notes:
            rule = (processor_id, note.verb, note.rule)
            self._counts[rule] += 1
            count = self._counts[rule]
            if count <= _SHOWN or _is_power_of_ten(count):
                times = f" ({count:,} by now, of which few are shown)" if count >= _SHOWN else ""
                self._say(f"{processor_id}: {note.verb} {note.what}, by: {note.rule}{times}")

    def totals(self) -> Iterator[str]:
        """Yield how often each rule applied, a line each."""
        for (processor_id, verb, rule), count in sorted(self._counts.items()):
            yield f"{processor_id}: {verb} {count:,} by: {rule}"


def _is_power_of_ten(count: int) -> bool:
    return str(count).rstrip("0") == "1"
