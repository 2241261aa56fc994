"""What a processor did to one batch, by rule: counted always, and noted record by record where somebody listens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from runmill.collector.component import Metadata
from runmill.collector.explain import Note, shortened
from runmill.collector.processors.records import Element, find, plain
from runmill.otlp.runs import RUN_ID

__all__ = ["Account"]

_NAMES: Final = ("service.name", "host.name", "container.name", "k8s.pod.name")
"""What a resource is known by, to a person."""


@dataclass(slots=True)
class Account:
    """What a processor did to one batch; notes are taken only where *notes* is a list."""

    notes: list[Note] | None = None
    metadata: Metadata = frozenset()
    """Headers the batch came with."""
    drops: Counter[str] = field(default_factory=Counter)

    def dropped(self, element: Element, rule: str) -> None:
        """Count a record that *rule* dropped."""
        self.drops[rule] += 1
        if self.notes is not None:
            self.notes.append(Note("dropped", _described(element), rule))

    def changed(self, element: Element, rule: str) -> None:
        """Note that *rule* changed a record, or its resource (then it has no record)."""
        if self.notes is not None:
            self.notes.append(Note("changed", _described(element), rule))


def _described(element: Element) -> str:
    """Say which record it is, to a person who looks for it."""
    record = element.record
    if record is None:
        return "a resource" + _bracketed(_place(element, *_NAMES))
    if element.metric is not None:
        return f"a point of {element.metric.name!r}" + _bracketed(_place(element))
    if not hasattr(record, "body"):
        return f"span {record.name!r}" + _bracketed(_place(element))
    number = record.severity_number
    level = record.severity_text or (f"severity {number}" if number else "")
    return f"log {shortened(plain(record.body))}" + _bracketed([level, *_place(element)])


def _place(element: Element, *more: str) -> list[str]:
    """Give scope and run of a record, and what *more* there is of its resource."""
    scope = element.scope.name if element.scope is not None else ""
    found = [(name, find(element.resource.attributes, name)) for name in (RUN_ID, *more)]
    return [scope, *(f"{name} {plain(pair.value)}" for name, pair in found if pair is not None)]


def _bracketed(parts: Sequence[str]) -> str:
    said = ", ".join(filter(None, parts))
    return f" ({said})" if said else ""
