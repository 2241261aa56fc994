"""``journal``: what processes logged that died before they could deliver it.

Every process keeps what it logs in a journal of its own. The journal of a process that is gone is delivered under the
numbers that the process itself would have used, so that the run store recognises what it has already.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from runmill import home as homes
from runmill.collector.component import Batch, Consumer, Producer, Signal
from runmill.collector.receivers.insist import Sleep, insist
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Duration, Section
from runmill.home import Home
from runmill.journal import folder as folders
from runmill.journal.folder import Folder
from runmill.journal.reader import JournalBatch, read_abandoned
from runmill.otlp.count import count_records
from runmill.otlp.journalled import Source, artifact_hashes, requests

__all__ = ["JournalConfig", "JournalReceiver", "PutArtifact"]

PutArtifact = Callable[[str, Path], None]
"""Keeps the bytes of the file at a path under their SHA-256, where the run store finds them. May block."""

_log: Final = logging.getLogger(__name__)


class JournalConfig(Section):
    """Delivers the journals of dead processes. Its pipelines must take logs and metrics."""

    home: str | None = None
    """The home directory whose journals these are; by default that of the collector."""
    poll_interval: Duration = 1.0
    """How often to look for journals whose process is gone."""


class JournalReceiver:
    """Takes the journals of dead processes one after the other, oldest first."""

    def __init__(
        self,
        config: JournalConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        home: Home,
        put_artifact: PutArtifact | None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._home = homes.find(config.home) if config.home else home
        self._poll_interval = config.poll_interval
        self._consumers = consumers
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._put_artifact = put_artifact
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look; returns at once."""
        self._task = asyncio.create_task(self._run(), name=f"{self._receiver_id} journals")

    async def shutdown(self) -> None:
        """Stop; a journal that is half delivered goes on with the same batch next time, here or elsewhere."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._deliver_abandoned()
            except Exception:  # noqa: BLE001 - the component's edge: one bad journal must not end the gathering
                self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
                _log.exception(
                    "receiver %s: a journal could not be delivered now; it is tried again", self._receiver_id
                )
            await self._sleep(self._poll_interval)

    async def _deliver_abandoned(self) -> None:
        abandoned = folders.abandoned(self._home)
        while (folder := await asyncio.to_thread(_next, abandoned)) is not None:
            is_done = False
            try:
                await self._deliver(folder)
                is_done = True
            finally:
                folder.remove() if is_done else folder.release()

    async def _deliver(self, folder: Folder) -> None:
        reader = await asyncio.to_thread(read_abandoned, folder)
        source = Source(reader, folder.journal_id, folder.resource())
        while (batch := await asyncio.to_thread(reader.next_batch)) is not None:
            await self._put_files(batch)
            for made in await asyncio.to_thread(_batches, source, batch):
                await insist(self._consumers[made.signal], made, sleep=self._sleep)
            reader.acknowledge()
        if reader.torn_count:
            # Frames that their process was killed in the middle of writing: no record was promised to be in them.
            self._telemetry.add("runmill_receiver_torn_records_total", reader.torn_count, receiver=self._receiver_id)

    async def _put_files(self, batch: JournalBatch) -> None:
        """Put the bytes of uploaded files before the events that tell of them."""
        for sha256 in artifact_hashes(batch):
            path = self._home.spool / sha256
            if not path.exists():  # the same bytes were put for another path
                continue
            if self._put_artifact is None:
                _log.warning(
                    "receiver %s: no run store for the bytes of a file; they stay at %s", self._receiver_id, path
                )
            else:
                await asyncio.to_thread(self._put_artifact, sha256, path)
                path.unlink(missing_ok=True)


def _next(abandoned: Iterator[Folder]) -> Folder | None:
    return next(abandoned, None)


def _batches(source: Source, batch: JournalBatch) -> list[Batch]:
    return [
        Batch(
            request.signal,
            request.payload,
            count_records(request.signal, request.payload),
            Producer(request.producer_id, request.sequence),
        )
        for request in requests(source, batch)
    ]
