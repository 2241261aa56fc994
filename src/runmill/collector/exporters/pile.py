"""What waits for the next stage of the work, and is taken by it together. For one event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Pile"]

T = TypeVar("T")


class Pile(Generic[T]):
    """Items in their order, each weighing as many records as *record_count* says, and one at least."""

    def __init__(self, record_count: Callable[[T], int]) -> None:
        self._weigh = record_count
        self._items: deque[tuple[T, int]] = deque()
        self._records = 0
        self._changed = asyncio.Event()
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._is_closed

    def put(self, item: T) -> None:
        """Add an item."""
        weight = max(1, self._weigh(item))
        self._items.append((item, weight))
        self._records += weight
        self._changed.set()

    async def holds(self, records: int = 1) -> bool:
        """Return once so many records are here or no more will come; False when it is empty and stays so."""
        while self._records < records and not self._is_closed:
            await self._change()
        return bool(self._items)

    async def holds_less_than(self, records: int) -> None:
        """Return once so much was taken that fewer than so many records are here."""
        while self._records >= records:
            await self._change()

    def take(self, *, max_records: int) -> list[T]:
        """Take from the front as much as fits, and one item at least when there is one."""
        taken = list[T]()
        room = max_records
        while self._items and (not taken or self._items[0][1] <= room):
            item, weight = self._items.popleft()
            taken.append(item)
            room -= weight
            self._records -= weight
        self._changed.set()
        return taken

    def close(self) -> None:
        """Say that nothing more will come; what is here can still be taken."""
        self._is_closed = True
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
