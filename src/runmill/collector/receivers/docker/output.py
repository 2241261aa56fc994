"""The output of one container on its way: read into a buffer as it comes, cut into records when they can be taken."""

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple

from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.recipe import Recipe
from runmill.collector.receivers.docker.engine import Asked, Engine
from runmill.collector.receivers.docker.frames import Piece
from runmill.collector.receivers.docker.origin import Container
from runmill.collector.receivers.docker.position import Gate, Position

__all__ = ["Cut", "Draft", "Output"]

_PATIENCE: Final = 10
"""What may go on for ever is taken as it is after so many times the time for which it could have been silent."""


class Draft(NamedTuple):
    """What a container has printed, to be cut."""

    output: "Output"
    origin: Origin
    raw: bytes
    position: Position
    """In front of it."""
    is_final: bool
    """Whether nothing in it is to wait for what follows."""
    is_full: bool
    """Whether there is no room for what it could wait for."""

    def cut(self, observed_unix_nano: int) -> "Cut":
        """Make records of what is whole. Pure, so that it can be done in another thread."""
        reading = self.output.recipe.read(self.raw, is_final=self.is_final)
        if not reading.consumed and self.is_full:
            reading = self.output.recipe.read(self.raw, is_final=True)
        payload = encode(reading.entries, self.origin, observed_unix_nano=observed_unix_nano)
        position = self.position.behind(_lines(self.raw[: reading.consumed]))
        return Cut(self.output, payload, len(reading.entries), reading.consumed, position)


class Cut(NamedTuple):
    """What is taken of a container's output for a batch."""

    output: "Output"
    payload: bytes
    record_count: int
    size: int
    position: Position
    """Behind it."""


class Output:
    """What one container has printed and nobody has taken yet."""

    def __init__(
        self,
        container_id: str,
        position: Position,
        recipe: Recipe,
        *,
        news: asyncio.Event,
        flush_seconds: float,
        most_bytes: int,
    ) -> None:
        """Make one that sets *news* when there is any, and makes the engine wait where *most_bytes* are held."""
        self.container_id: Final = container_id
        self.recipe: Final = recipe
        self.origin: Origin | None = None
        """Known once the engine has described the container."""
        self.is_open = False
        """Whether more may come without the container being started again."""
        self._position = position
        """In front of the buffer."""
        self._buffer = bytearray()
        self._most_bytes = most_bytes
        self._news = news
        self._room = asyncio.Event()
        self._flush_seconds = flush_seconds
        self._has_news = False
        self._came_seconds = 0.0
        self._held_seconds = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._buffer

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to take, and nothing more comes."""
        return not self._buffer and not self.is_open

    async def read(self, engine: Engine, container: Container, *, begun_unix_nano: int) -> bool:
        """Read what is new until the container or the connection ends; say whether anything was.

        Waits where the buffer is full. Raises EngineError; what came before it stays.
        """
        position = self._position.behind(_lines(bytes(self._buffer)))
        gate = Gate(position, begun_unix_nano)
        asked = Asked(position.since_seconds(begun_unix_nano), container.is_terminal, container.is_running)
        has_come = False
        async with engine.output(container.container_id, asked) as (blocks, frames):
            async for block in blocks:
                has_come |= await self._add(frames.feed(block), gate)
            if not container.is_running:
                # Of one that runs, what has no end may be the half of a line: the engine may have been killed.
                has_come |= await self._add(frames.end(), gate)
        return has_come

    def draft(self, now: float) -> Draft | None:
        """Give what is to be cut now, if anything is."""
        is_final = self._is_due(now)
        if self.origin is None or not self._buffer or not (self._has_news or is_final):
            return None
        self._has_news = False
        return Draft(self, self.origin, bytes(self._buffer), self._position, is_final, self._is_full)

    def close(self) -> None:
        """Nothing more comes unless the container is started again."""
        self.is_open = False
        self._news.set()

    def take(self, cut: Cut, now: float) -> None:
        """Let go of what was cut: it is on disk."""
        del self._buffer[: cut.size]
        self._position = cut.position
        self._held_seconds = now
        self._room.set()

    async def _add(self, pieces: Iterable[Piece], gate: Gate) -> bool:
        lines = [piece.line for piece in pieces if gate.lets(piece)]
        if not lines:
            return False
        now = asyncio.get_running_loop().time()
        if not self._buffer:
            self._held_seconds = now
        self._buffer += b"".join(lines)
        self._has_news, self._came_seconds = True, now
        self._news.set()
        while self._is_full:
            self._room.clear()
            await self._room.wait()
        return True

    @property
    def _is_full(self) -> bool:
        return len(self._buffer) >= self._most_bytes

    def _is_due(self, now: float) -> bool:
        """Say whether what has no end yet is to be taken as it is."""
        if not self.is_open:
            return True
        is_quiet = now - self._came_seconds >= self._flush_seconds
        return is_quiet or now - self._held_seconds >= self._flush_seconds * _PATIENCE


def _lines(raw: bytes) -> list[bytes]:
    return raw.split(b"\n")[:-1]
