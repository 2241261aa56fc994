"""``stdin``: what is piped into the collector, as in ``python train.py 2>&1 | runmill collect --config FILE``."""

import asyncio
import os
import stat
import sys
from collections.abc import Mapping
from typing import BinaryIO

from runmill.collector.component import Consumer, Signal
from runmill.collector.lines.encoding import Origin
from runmill.collector.receivers.insist import Sleep
from runmill.collector.receivers.pipe import MOST_BYTES, PipeGatherer, Read
from runmill.collector.receivers.recipes import stream_recipe
from runmill.collector.receivers.stream_config import StdinConfig

__all__ = ["StdinReceiver"]


class StdinReceiver:
    """Reads *source* (standard input) to its end; then it rests, and the collector goes on."""

    def __init__(
        self,
        config: StdinConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        source: BinaryIO | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._consumer = consumers["logs"]
        self._receiver_id = receiver_id
        self._source = source or sys.stdin.buffer
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.ReadTransport | None = None

    async def start(self) -> None:
        """Begin to read. Raises OSError when standard input is closed."""
        read = await self._reader()
        gatherer = PipeGatherer(
            recipe=stream_recipe(self._config, None),
            origin=Origin(self._config.resource, self._config.attributes),
            consumer=self._consumer,
            flush_seconds=self._config.force_flush_period,
            sleep=self._sleep,
        )
        self._task = asyncio.create_task(gatherer.gather(read), name=f"{self._receiver_id} gathers")

    async def shutdown(self) -> None:
        """Stop reading; what was read and not taken yet is lost, as a pipe cannot be read again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def _reader(self) -> Read:
        mode = os.fstat(self._source.fileno()).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(self._source.fileno())):
            # A file, or nothing (/dev/null), never makes anyone wait, and no loop can watch it.
            return lambda: asyncio.to_thread(os.read, self._source.fileno(), MOST_BYTES)
        stream = asyncio.StreamReader(limit=MOST_BYTES)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(os.dup(self._source.fileno()), "rb", 0)
        )
        return lambda: stream.read(MOST_BYTES)
