"""A queue before a backend: what is in it is answered for, and the backend's troubles stay behind it.

```text
consume ──> storage (on disk) ──> consume returns
               └──> lots ──> num_consumers workers ──> sender, again and again ──> removed from storage
```
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from runmill.collector.component import Batch, Component, Consumer
from runmill.collector.exporters.cutting import cut
from runmill.collector.exporters.losses import Losses
from runmill.collector.exporters.lots import WEIGHTS, Lot, Lots, QueueBatchConfig, Sizer
from runmill.collector.exporters.queue_file import Entry, QueueStorage
from runmill.collector.joining import joined
from runmill.collector.metadata import restricted
from runmill.collector.telemetry import RECORDS, Telemetry
from runmill.collector.values import Section
from runmill.errors import Refused, Rejected

__all__ = ["Forwarder", "SendingQueueConfig"]

_log: Final = logging.getLogger(__name__)

# How long the end waits for what is under way: with a file the rest is sent by the next process, else it is lost.
_LINGER_KEPT_SECONDS: Final = 1.0
_LINGER_LOST_SECONDS: Final = 5.0


def _check_storage(value: str) -> str:
    if value != "memory" and value.partition("/")[0] != "file_storage":
        raise ValueError(f"{value!r} is no storage here. Write file_storage or memory")
    return value


class SendingQueueConfig(Section):
    """Source: OpenTelemetry Collector, exporter/exporterhelper, sending_queue. There `storage` is an extension's id."""

    enabled: bool = True
    """Without a queue a sender is answered when the backend has its data, and waits as long as that takes."""
    num_consumers: int = Field(default=10, ge=1)
    """Requests on their way at once."""
    queue_size: int = Field(default=1000, ge=1)
    """How much may wait, in what `sizer` says."""
    sizer: Sizer = "requests"
    block_on_overflow: bool = False
    """Of a full queue: false drops what comes, and counts it; true lets the senders wait, those of the other exporters
    of a pipeline too."""
    wait_for_result: bool = False
    """Must be false: senders are answered when their data is in the queue, and with `enabled: false` when the backend
    has it."""
    storage: Annotated[str, AfterValidator(_check_storage)] = "file_storage"
    """`file_storage`, or another id of that extension: a SQLite file in the home; `memory`: a crash empties it."""
    batch: QueueBatchConfig | None = None

    @property
    def batch_sizer(self) -> Literal["items", "bytes"]:
        """What the sizes of `batch` are given in."""
        own = "items" if self.sizer == "requests" else self.sizer
        return (self.batch and self.batch.sizer) or own

    @property
    def metadata_keys(self) -> list[str]:
        """By what requests are held apart."""
        return self.batch.partition.metadata_keys if self.batch else []

    @model_validator(mode="after")
    def _check(self) -> "SendingQueueConfig":
        if self.wait_for_result:
            raise ValueError("wait_for_result is not to be had with a queue. Remove it, and set 'enabled: false'")
        if self.batch is None:
            return self
        if not self.enabled:
            raise ValueError("batch joins what waits in the queue, and 'enabled' is false. Leave one of them out")
        if self.sizer == self.batch_sizer and self.queue_size < self.batch.min_size:
            raise ValueError(
                f"batch.min_size ({self.batch.min_size}) must be at most queue_size ({self.queue_size}), "
                "or the queue is full before a batch is. Lower it, or raise queue_size"
            )
        return self


class Forwarder:
    """Takes batches at the speed of its storage, and gives them to *sender* at the backend's."""

    def __init__(
        self,
        config: SendingQueueConfig,
        sender: Consumer,
        connection: Component,
        *,
        storage: QueueStorage,
        exporter_id: str,
        telemetry: Telemetry,
        linger_seconds: float | None = None,
    ) -> None:
        self._config = config
        self._linger_seconds = linger_seconds or (_LINGER_KEPT_SECONDS if storage.is_kept else _LINGER_LOST_SECONDS)
        self._sender = sender
        self._connection = connection
        self._storage = storage
        self._exporter_id = exporter_id
        self._telemetry = telemetry
        self._losses = Losses(exporter_id, telemetry)
        self._weigh = WEIGHTS[config.sizer]
        self._lots = Lots(config.batch, sizer=config.batch_sizer)
        self._held = 0
        self._changed = asyncio.Condition()
        self._is_stopping = False
        self._workers: list[asyncio.Task[None]] = []
        self._adding: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what an earlier process left. Raises Conflict when another process has the queue."""
        self._telemetry.set("otelcol_exporter_queue_capacity", self._config.queue_size, exporter=self._exporter_id)
        self._hold(0)
        for entry in await self._storage.open():
            self._hold(self._weigh(entry))
            self._lots.put(entry)
        await self._connection.start()
        names = [f"{self._exporter_id} worker {number}" for number in range(self._config.num_consumers)]
        self._workers = [asyncio.create_task(self._work(), name=name) for name in names]

    async def shutdown(self) -> None:
        """Take nothing more, finish what is under way within a limit; what waits in a file stays there."""
        self._is_stopping = True
        async with self._changed:
            self._changed.notify_all()
        await asyncio.gather(*self._adding, return_exceptions=True)
        self._lots.flush()
        if self._workers:
            await self._linger()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []
        self._count_lost()
        await self._connection.shutdown()
        await self._storage.close()

    async def consume(self, batch: Batch, /) -> None:
        """Return once *batch* is in the queue, or was dropped because that is full. Raises Refused."""
        if batch.metadata:  # of which the queue keeps what it needs
            batch = replace(batch, metadata=restricted(batch.metadata, self._config.metadata_keys))
        # A sender that goes away must not leave a batch in the storage that no worker knows of.
        adding = asyncio.create_task(self._add(batch))
        self._adding.add(adding)
        adding.add_done_callback(self._adding.discard)
        await asyncio.shield(adding)

    async def _add(self, batch: Batch) -> None:
        weight = self._weigh(Entry.of(0, batch))
        if not await self._has_room(weight):
            self._count("enqueue_failed", batch)
            self._losses.add(batch, "its queue is full.", reason="queue_full")
            return
        self._hold(weight)
        try:
            entry = await self._storage.add(batch)
        except BaseException:
            self._count("enqueue_failed", batch)
            await self._release(weight)
            raise
        self._lots.put(entry)

    async def _has_room(self, weight: int) -> bool:
        def fits() -> bool:
            # The first always fits: a request larger than the whole queue could never be taken.
            return not self._held or self._held + weight <= self._config.queue_size

        if not fits() and self._config.block_on_overflow:
            async with self._changed:
                await self._changed.wait_for(lambda: fits() or self._is_stopping)
        if self._is_stopping:
            raise Refused("the collector is stopping. Send the same data again when it is back.")
        return fits()

    async def _work(self) -> None:
        while True:
            lot = await self._lots.get()
            try:
                await self._deliver(lot)
            except asyncio.CancelledError:
                self._lots.put_back(lot)  # not delivered: the file keeps it, memory counts it
                raise
            except Exception:  # noqa: BLE001 - the edge of a task; a file keeps what failed for the next start
                count = sum(entry.record_count for entry in lot)
                _log.exception("exporter %s: a batch of %d records failed", self._exporter_id, count)
                self._telemetry.add("runmill_exporter_crashes_total", exporter=self._exporter_id)
            await self._release(sum(map(self._weigh, lot)))

    async def _deliver(self, lot: Lot) -> None:
        batches = [await self._storage.load(entry) for entry in lot]
        if len(batches) > 1:
            await self._send(batches)
        else:
            await self._send_in_pieces(batches[0])
        await asyncio.gather(*map(self._storage.remove, lot))

    async def _send_in_pieces(self, batch: Batch) -> None:
        config = self._config.batch
        pieces = [batch]
        if config is not None and config.max_size:
            pieces = await asyncio.to_thread(cut, batch, most=config.max_size, sizer=self._config.batch_sizer)
        for piece in pieces:
            await self._send([piece])

    async def _send(self, batches: Sequence[Batch]) -> None:
        """Send *batches* as one; each for itself where the backend never wants that, so that one costs no others."""
        whole = joined(batches)
        if self._config.batch is not None:
            self._count_sent(whole)
        try:
            await self._sender.consume(whole)
        except Rejected as error:
            if len(batches) == 1:
                self._losses.add(whole, error, reason="rejected")
                return
            for batch in batches:
                await self._send_in_pieces(batch)
        except Refused as error:
            self._losses.add(whole, error, reason="retries_exhausted")

    async def _linger(self) -> None:
        """Wait until nothing is on its way any more, for a limited time."""
        try:
            async with asyncio.timeout(self._linger_seconds), self._changed:
                await self._changed.wait_for(lambda: not self._held)
        except TimeoutError:
            _log.warning("exporter %s: stops with %d %s waiting.", self._exporter_id, self._held, self._config.sizer)

    def _count_lost(self) -> None:
        """Count what a queue in memory takes with it."""
        for entry in self._lots.left():
            if not self._storage.is_kept and entry.batch is not None:
                self._losses.add(entry.batch, "the collector stops, and the queue is in memory.", reason="shutdown")

    def _count_sent(self, batch: Batch) -> None:
        name, exporter = "otelcol_exporter_queue_batch_send_size", self._exporter_id
        self._telemetry.add(f"{name}_count", exporter=exporter)
        self._telemetry.add(f"{name}_sum", batch.record_count, exporter=exporter)

    def _hold(self, weight: int) -> None:
        self._held += weight
        self._telemetry.set("otelcol_exporter_queue_size", self._held, exporter=self._exporter_id)

    async def _release(self, weight: int) -> None:
        self._hold(-weight)
        async with self._changed:
            self._changed.notify_all()

    def _count(self, outcome: str, batch: Batch) -> None:
        name = f"otelcol_exporter_{outcome}_{RECORDS[batch.signal]}"
        self._telemetry.add(name, batch.record_count, exporter=self._exporter_id)
