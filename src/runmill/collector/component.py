"""The three interfaces that carry the collector, and the batch that travels through them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

__all__ = ["SIGNALS", "Batch", "Component", "Consumer", "Metadata", "Processor", "Producer", "Signal"]

Signal = Literal["logs", "metrics", "traces", "profiles"]
SIGNALS: Final[tuple[Signal, ...]] = ("logs", "metrics", "traces", "profiles")

Metadata: TypeAlias = frozenset[tuple[str, str]]
"""Headers of a request, names in lower case, each with its value."""


@dataclass(frozen=True, slots=True)
class Producer:
    """Who sent a batch, and its number there: what is sent again has the same pair."""

    producer_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One Export*ServiceRequest in the bytes it came as (protobuf); whoever needs records decodes."""

    signal: Signal
    payload: bytes
    record_count: int
    """Log records, data points, spans or samples of profiles."""
    producer: Producer | None = None
    """None for foreign senders, whose repeats cannot be recognised. A batch that has one is never joined to another."""
    is_awaited: bool = False
    """A program stands still until it is safe: it neither waits for company nor keeps others waiting for more."""
    request_count: int = 1
    """How many requests were joined to it. Who joined them sends them one by one where together they are Rejected."""
    metadata: Metadata = frozenset()
    """Of what it came with, what something in the configuration uses; of a joined one, what all had."""


class Consumer(Protocol):
    """The head of a pipeline, and every exporter."""

    async def consume(self, batch: Batch, /) -> None:
        """Return once *batch* is safe. Raise Refused (send again later) or Rejected (never send again)."""


class Component(Protocol):
    """Receivers, exporters, extensions."""

    async def start(self) -> None:
        """Return when at work; raise what keeps it from it."""

    async def shutdown(self) -> None:
        """Flush, then stop. Safe to call twice, and without start()."""


Processor: TypeAlias = Callable[[Batch], Batch | None]
"""Pure; None: all of it was dropped, and counted. One that holds data back is a Consumer and a Component."""
