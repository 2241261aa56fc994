"""Lines from a pipe: as they come, with what has no end yet given when the pipe was quiet for a while.

Nothing can be read again from a pipe. What was read is held until it was taken, and nothing more is read meanwhile:
then the pipe fills, and whoever writes to it waits.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from runmill.collector.component import Batch, Consumer
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.entry import Gathered
from runmill.collector.lines.recipe import Recipe
from runmill.collector.receivers.insist import Sleep, insist

__all__ = ["MOST_BYTES", "PipeGatherer", "Read", "hand_on"]

MOST_BYTES: Final = 1 << 20
"""So much is read from a pipe at once."""
_PATIENCE: Final = 10

Read = Callable[[], Awaitable[bytes]]
"""Gives what has come, at least a byte; none at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeGatherer:
    """Reads one stream to its end."""

    recipe: Recipe
    origin: Origin
    consumer: Consumer
    flush_seconds: float
    sleep: Sleep

    async def gather(self, read: Read) -> None:
        """Return when the stream has ended and all of it was handed on."""
        held, begun, is_cut, is_ended = b"", 0.0, False, False
        loop = asyncio.get_running_loop()
        while not is_ended:
            chunk = await self._read(read, is_waiting=bool(held))
            is_ended = chunk == b""
            if chunk and is_cut:  # the end of a line that was given without one
                chunk, is_cut = chunk.removeprefix(b"\r").removeprefix(b"\n"), False
            is_late = bool(held) and loop.time() - begun >= self.flush_seconds * _PATIENCE
            is_final = is_ended or chunk is None or is_late or len(held) >= self._most_held
            raw = held + (chunk or b"")
            reading = self.recipe.read(raw, is_final=is_final)
            await hand_on(reading.entries, self.origin, self.consumer, sleep=self.sleep)
            is_cut = is_cut or (is_final and bool(raw) and not raw.endswith(b"\n"))
            if reading.consumed or not held:
                begun = loop.time()
            held = raw[reading.consumed :]

    @property
    def _most_held(self) -> int:
        return max(MOST_BYTES, self.recipe.framing.max_line_bytes)

    async def _read(self, read: Read, *, is_waiting: bool) -> bytes | None:
        """Give what came, or None when something waits for its end and nothing came for a while."""
        try:
            async with asyncio.timeout(self.flush_seconds if is_waiting else None):
                return await read()
        except TimeoutError:
            return None


async def hand_on(entries: "list[Gathered]", origin: Origin, consumer: Consumer, *, sleep: Sleep) -> None:
    """Hand entries on and return when they were taken, or never will be."""
    if entries:
        payload = encode(entries, origin, observed_unix_nano=time.time_ns())
        await insist(consumer, Batch("logs", payload, len(entries)), sleep=sleep)
