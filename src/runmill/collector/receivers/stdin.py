"""``stdin``: what is piped into the collector, as in ``python train.py 2>&1 | runmill collect --config FILE``."""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import Mapping
from typing import BinaryIO, Final

from runmill.collector.component import Consumer, Signal
from runmill.collector.lines.encoding import Origin
from runmill.collector.receivers.insist import Sleep
from runmill.collector.receivers.pipe import MOST_BYTES, PipeGatherer, Read
from runmill.collector.receivers.recipes import stream_recipe
from runmill.collector.receivers.stream_config import StdinConfig
from runmill.collector.telemetry import Telemetry

__all__ = ["StdinReceiver"]

_log: Final = logging.getLogger(__name__)

_LINGER_SECONDS: Final = 10.0
"""How long the end waits until what was read is taken."""


class StdinReceiver:
    """Reads *source* (standard input) to its end; then it rests, and the collector goes on."""

    def __init__(
        self,
        config: StdinConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        source: BinaryIO | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._consumer = consumers["logs"]
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._source = source or sys.stdin.buffer
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.ReadTransport | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Begin to read. Raises OSError when standard input is closed."""
        self._is_stopping = False
        read = await self._reader()
        gatherer = PipeGatherer(
            recipe=stream_recipe(self._config, None),
            origin=Origin(self._config.resource, self._config.attributes),
            consumer=self._consumer,
            flush_seconds=self._config.force_flush_period,
            sleep=self._sleep,
        )
        self._task = asyncio.create_task(self._guarded(gatherer, read), name=f"{self._receiver_id} gathers")

    async def shutdown(self) -> None:
        """Read no more, hand on what was read, and return; what is not taken in time is lost, and that is said."""
        self._is_stopping = True
        if self._transport is not None:
            self._transport.close()  # who reads from it gets what it holds, and then the end
        task, self._task = self._task, None
        if task is None:
            return
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                await asyncio.shield(task)
        except TimeoutError:
            _log.warning("receiver %s: stops, and what it read last was not taken.", self._receiver_id)
            task.cancel()
            await asyncio.wait([task])

    async def _guarded(self, gatherer: PipeGatherer, read: Read) -> None:
        try:
            await gatherer.gather(read)
        except Exception:  # noqa: BLE001 - the component's edge: the other receivers go on
            self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
            _log.exception("receiver %s: gathering ended before its input did", self._receiver_id)

    async def _reader(self) -> Read:
        mode = os.fstat(self._source.fileno()).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(self._source.fileno())):
            # A file, or nothing (/dev/null), never makes anyone wait, and no loop can watch it.
            return self._read_in_thread
        stream = asyncio.StreamReader(limit=MOST_BYTES)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(os.dup(self._source.fileno()), "rb", 0)
        )
        return lambda: stream.read(MOST_BYTES)

    async def _read_in_thread(self) -> bytes:
        return b"" if self._is_stopping else await asyncio.to_thread(os.read, self._source.fileno(), MOST_BYTES)
