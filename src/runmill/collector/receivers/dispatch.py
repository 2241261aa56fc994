"""How a receiver with an outbox hands on: written down first, then again and again until it was taken, then forgotten.

All work on the outbox is done in one thread of its own, so that a slow disk holds nobody else up.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from runmill.collector.component import Batch, Consumer
from runmill.collector.receivers.insist import Sleep, insist
from runmill.collector.receivers.outbox import Outbox

__all__ = ["Dispatch"]

_log: Final = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Dispatch:
    """Hands batches on through an outbox; one at a time."""

    def __init__(self, consumer: Consumer, *, receiver_id: str, sleep: Sleep) -> None:
        self._consumer = consumer
        self._receiver_id = receiver_id
        self._sleep = sleep
        self._outbox: Outbox | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self, path: Path) -> Outbox:
        """Open the outbox; only what it holds may be read, the rest is done here. Raises OSError, sqlite3.Error."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self._receiver_id)
        self._outbox = await self.in_thread(Outbox, path)
        return self._outbox

    async def close(self) -> None:
        """Let go of the outbox. Safe to call twice, and without open()."""
        outbox, thread, self._outbox, self._thread = self._outbox, self._thread, None, None
        if thread is not None:
            if outbox is not None:
                await asyncio.get_running_loop().run_in_executor(thread, outbox.close)
            thread.shutdown()

    async def hand_on_pending(self) -> None:
        """Hand on what was under way when the collector ended, under the number it had."""
        pending = await self._written(self._opened.pending)
        if pending is not None:
            await self.hand_on(pending)

    async def write(self, payload: bytes, record_count: int, marks: Mapping[str, str]) -> Batch:
        """Return once a batch, and how far its sources are read with it, are on disk; waits where the disk is full."""
        return await self._written(self._opened.put, payload, record_count, marks)

    async def hand_on(self, batch: Batch) -> None:
        """Return when a batch that was written was taken, or never will be."""
        await insist(self._consumer, batch, sleep=self._sleep)
        await self._written(self._opened.taken)

    async def forget(self, sources: Iterable[str]) -> None:
        """Forget how far sources are read that are gone."""
        await self._written(self._opened.forget, sources)

    async def in_thread(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call *function* in the outbox's thread."""
        assert self._thread is not None  # open
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: function(*args, **kwargs))

    @property
    def _opened(self) -> Outbox:
        assert self._outbox is not None  # open
        return self._outbox

    async def _written(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        while True:
            try:
                return await self.in_thread(function, *args, **kwargs)
            except (
                sqlite3.Error
            ) as error:  # such as a disk that is full: nothing is lost, and nothing goes on without it
                _log.warning("receiver %s: %s; it is tried again", self._receiver_id, error)
            await self._sleep(_PAUSE_SECONDS)
