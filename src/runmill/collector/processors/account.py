"""What a processor did to one batch, by rule: counted always, and noted record by record where somebody listens."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from runmill.collector.explain import Note
from runmill.collector.processors.records import Element, find, plain
from runmill.otlp.runs import RUN_ID

__all__ = ["Account"]

_LONGEST_BODY: Final = 80
_NAMES: Final = ("service.name", "host.name", "container.name", "k8s.pod.name")
"""What a resource is known by, to a person."""


@dataclass(slots=True)
class Account:
    """What a processor did to one batch; notes are taken only where *notes* is a list."""

    notes: list[Note] | None = None
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
        return f"a resource ({_place(element, *_NAMES)})"
    if element.metric is not None:
        return f"a point of {element.metric.name!r} ({_place(element)})"
    if not hasattr(record, "body"):
        return f"span {record.name!r} ({_place(element)})"
    level = record.severity_text or f"severity {record.severity_number}"
    return f"log {_shortened(plain(record.body))} ({level}, {_place(element)})"


def _place(element: Element, *more: str) -> str:
    """Give scope and run of a record, and what *more* there is of its resource."""
    names = (RUN_ID, *more)
    found = [(name, find(element.resource.attributes, name)) for name in names]
    scope = [element.scope.name] if element.scope is not None and element.scope.name else []
    return (
        ", ".join([*scope, *(f"{name} {plain(pair.value)}" for name, pair in found if pair is not None)]) or "unnamed"
    )


def _shortened(body: Any) -> str:
    shown = repr(body)
    return shown if len(shown) <= _LONGEST_BODY else f"{shown[:_LONGEST_BODY]}..."
