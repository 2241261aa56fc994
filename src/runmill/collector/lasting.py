"""Receivers that go on through a reload: while its section is the same, no command is run again, no pipe left."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from runmill.collector.component import Batch, Component, Consumer
from runmill.collector.values import Section

__all__ = ["Lasting"]

_LINGER_SECONDS: Final = 10.0
"""How long a collector that stops waits for what it was handed; later it refuses it, and the next one gets it."""


class _Gate:
    """Hands on to whoever is behind it now; between two collectors it lets batches wait."""

    def __init__(self) -> None:
        self._onward: Consumer | None = None
        self._opened = asyncio.Event()
        self._under_way = 0
        self._all_landed = asyncio.Event()

    def open(self, onward: Consumer) -> None:
        self._onward = onward
        self._opened.set()

    async def close(self) -> None:
        """Hand on nothing more, and return when what was handed on was answered."""
        self._opened.clear()
        if not self._under_way:
            return
        self._all_landed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                await self._all_landed.wait()

    async def consume(self, batch: Batch, /) -> None:
        await self._opened.wait()
        assert self._onward is not None  # it was opened
        self._under_way += 1
        try:
            await self._onward.consume(batch)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._all_landed.set()


@dataclass(slots=True, eq=False)
class _Lasting:
    """A receiver with what its configuration says; only the gate behind it changes hands."""

    section: Section
    gate: _Gate
    receiver: Component
    is_started: bool = False


class Lasting:
    """The receivers of all collectors of a process, one after the other, that may outlive one of them."""

    def __init__(self) -> None:
        self._started: dict[str, _Lasting] = {}
        self._next: Mapping[str, Section] = {}

    def take(
        self, receiver_id: str, section: Section, onward: Consumer, make: Callable[[Consumer], Component]
    ) -> Component:
        """Give the receiver of a collector: the one that is at work for this very *section*, else what *make* makes."""
        known = self._started.get(receiver_id)
        if known is None or known.section != section:
            gate = _Gate()
            known = _Lasting(section, gate, make(gate))
        return _Turn(self, receiver_id, known, onward)

    @contextmanager
    def onward_to(self, sections: Mapping[str, Section]) -> Iterator[None]:
        """Within, a collector that stops leaves at work what the next one, with these *sections*, has too."""
        self._next = sections
        try:
            yield
        finally:
            self._next = {}

    async def start(self, receiver_id: str, one: _Lasting) -> None:
        """Start a receiver unless it is at work."""
        if not one.is_started:
            await one.receiver.start()
            one.is_started = True
        self._started[receiver_id] = one

    async def stop(self, receiver_id: str, one: _Lasting) -> None:
        """Stop a receiver unless the next collector has it too."""
        if one.is_started and self._next.get(receiver_id) == one.section:
            await one.gate.close()
            return
        self._started.pop(receiver_id, None)
        await one.receiver.shutdown()

    async def shutdown(self) -> None:
        """Stop what is still at work: the next collector did not start."""
        for receiver_id, one in tuple(self._started.items()):
            await self.stop(receiver_id, one)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A lasting receiver as a component of one collector."""

    lasting: Lasting
    receiver_id: str
    one: _Lasting
    onward: Consumer

    async def start(self) -> None:
        """Have it hand on to this collector."""
        self.one.gate.open(self.onward)
        await self.lasting.start(self.receiver_id, self.one)

    async def shutdown(self) -> None:
        """Leave it to the next collector, or stop it."""
        await self.lasting.stop(self.receiver_id, self.one)
