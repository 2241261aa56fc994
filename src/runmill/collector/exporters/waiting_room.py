"""Where batches wait for their commit: bounded in bytes, and each with the answer it waits for."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from runmill.collector.component import Batch
from runmill.errors import Refused

__all__ = ["Waiting", "WaitingRoom"]


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A batch, and the future its sender waits for."""

    batch: Batch
    done: asyncio.Future[None]

    def answer(self, error: Exception | None = None) -> None:
        """Tell the sender that the batch is safe, or why not; nothing happens when the sender has gone."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class WaitingRoom:
    """A queue whose bytes count until their answer, not only until they are taken. For one event loop."""

    def __init__(self, *, enough_records: int, max_bytes: int) -> None:
        self._enough_records = enough_records
        self._max_bytes = max_bytes
        self._queue: deque[Waiting] = deque()
        self._queued_records = 0
        self._held_bytes = 0
        self._changed = asyncio.Event()
        self._is_closed = False

    @property
    def held_bytes(self) -> int:
        """Bytes of all batches that are not answered yet."""
        return self._held_bytes

    async def enter(self, batch: Batch) -> None:
        """Wait until *batch* is answered. Raises its error, or Refused when the room is full or closed."""
        if self._is_closed:
            raise Refused("the collector is stopping. Send the same data again when it is back.")
        if self._held_bytes and self._held_bytes + len(batch.payload) > self._max_bytes:
            raise Refused(
                f"{self._held_bytes} bytes wait for the run store already, and no more than {self._max_bytes} may. "
                "Send the same data again later."
            )
        waiting = Waiting(batch, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._queued_records += batch.record_count
        self._held_bytes += len(batch.payload)
        self._changed.set()
        try:
            await waiting.done
        finally:
            self._held_bytes -= len(batch.payload)

    async def occupied(self) -> bool:
        """Return once something waits; False when the room is closed and empty."""
        while not self._queue and not self._is_closed:
            self._changed.clear()
            await self._changed.wait()
        return bool(self._queue)

    async def enough(self) -> None:
        """Return once `enough_records` wait, or no more will come."""
        while self._queued_records < self._enough_records and not self._is_closed:
            self._changed.clear()
            await self._changed.wait()

    def take(self, *, max_records: int, max_bytes: int) -> Sequence[Waiting]:
        """Take from the front as much as fits, and at least one batch when there is one."""
        group = list[Waiting]()
        records = size = 0
        while self._queue:
            batch = self._queue[0].batch
            records, size = records + batch.record_count, size + len(batch.payload)
            if group and (records > max_records or size > max_bytes):
                break
            group.append(self._queue.popleft())
            self._queued_records -= batch.record_count
        return group

    def close(self) -> None:
        """Let nothing more in; what waits can still be taken."""
        self._is_closed = True
        self._changed.set()
