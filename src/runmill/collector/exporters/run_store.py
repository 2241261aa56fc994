"""``run_store``: into the run store, many batches a commit, each answered once its commit is on disk.

```text
consume ──> arrived ──> decode ──> decoded ──> commit ──> consume returns
                        thread                 thread
```

What arrives is decoded while the commit before is under way, and everything decoded meanwhile is the next commit: the
busier the collector, the larger its commits. The store's engine gives the interpreter lock back while it works.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

from runmill.collector.component import Batch
from runmill.collector.exporters.pace import Pace
from runmill.collector.exporters.pile import Pile
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.exporters.set_aside import SetAside
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected, Unavailable, WireError
from runmill.store.interface import Delivery, Store

__all__ = ["OpenStore", "RunStore"]

OpenStore = Callable[[str], Store]
"""Opens the store at a URL; who gives it also closes the store."""

# A commit takes no more than this; that much may be decoded in advance.
_COMMIT_RECORDS: Final = 50_000

# Decoded at a time: short, so that a commit that is due finds something.
_DECODE_RECORDS: Final = 5_000

# What passes: the store's or the machine's trouble, whatever the batch.
_TROUBLE: Final = (Refused, Unavailable, OSError, MemoryError)
_MORE_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A batch, and the future its sender waits for."""

    batch: Batch
    done: asyncio.Future[None]

    def answer(self, error: Exception | None) -> None:
        if self.done.done():  # its sender has gone
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


_Decoded: TypeAlias = tuple[_Waiting, Delivery]


class RunStore:
    """Commits batches of logs and metrics; `consume` returns after the commit."""

    def __init__(
        self,
        config: RunStoreConfig,
        *,
        exporter_id: str,
        open_store: OpenStore,
        aside: SetAside,
        telemetry: Telemetry,
    ) -> None:
        self._config = config
        self._exporter_id = exporter_id
        self._open_store = open_store
        self._aside = aside
        self._telemetry = telemetry
        self._arrived = Pile[_Waiting](lambda waiting: waiting.batch.record_count)
        self._decoded = Pile[_Decoded](self._weight)
        self._held_bytes = 0
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix=f"{exporter_id}-decode")
        self._appending = ThreadPoolExecutor(1, thread_name_prefix=f"{exporter_id}-append")
        self._stages: asyncio.Future[tuple[None, None]] | None = None
        self._pace: Pace
        self._enough_records: int

    async def start(self) -> None:
        """Open the store; raises what its engine says when that cannot be done."""
        store = await asyncio.to_thread(self._open_store, self._config.url)
        interval, enough = self._config.commit_interval, self._config.commit_records
        self._pace = Pace(interval_seconds=store.grouping.interval_seconds if interval is None else interval)
        self._enough_records = enough or store.grouping.records
        self._stages = asyncio.gather(self._decode_forever(), self._commit_forever(store))

    async def shutdown(self) -> None:
        """Commit what waits, then stop; the store stays open, it belongs to who opened it."""
        self._arrived.close()
        if self._stages is not None:
            await self._stages
        self._decoding.shutdown()
        self._appending.shutdown()

    async def consume(self, batch: Batch, /) -> None:
        """Return when *batch* is committed. Raises Rejected when it is not OTLP, Refused when the store cannot."""
        self._check_room(len(batch.payload))
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._arrived.put(waiting)
        self._held_bytes += len(batch.payload)
        try:
            await waiting.done
        finally:
            self._held_bytes -= len(batch.payload)

    def _check_room(self, size_bytes: int) -> None:
        if self._arrived.is_closed:
            raise Refused("the collector is stopping. Send the same data again when it is back.")
        # The first is always taken: refusing a batch larger than all that may wait could never end.
        if self._held_bytes and self._held_bytes + size_bytes > self._config.max_waiting_bytes:
            raise Refused(
                f"{self._held_bytes} bytes wait for the run store already, and no more than "
                f"{self._config.max_waiting_bytes} may. Send the same data again later."
            )

    async def _decode_forever(self) -> None:
        while await self._arrived.holds():
            await self._decoded.holds_less_than(_COMMIT_RECORDS)
            await self._decode(self._arrived.take(max_records=_DECODE_RECORDS))
        self._decoded.close()

    async def _decode(self, group: Sequence[_Waiting]) -> None:
        """Decode each batch on its own: a bad one is answered here and costs the others nothing."""
        loop = asyncio.get_running_loop()
        batches = [waiting.batch for waiting in group]
        results = await loop.run_in_executor(self._decoding, lambda: [_decode(batch) for batch in batches])
        for waiting, result in zip(group, results, strict=True):
            if isinstance(result, Delivery):
                self._decoded.put((waiting, result))
            else:
                # Bytes that are not OTLP are their sender's mistake; anything else is ours, and would be again.
                is_theirs = isinstance(result, Rejected)
                waiting.answer(result if is_theirs else await self._set_aside(waiting.batch, result))

    async def _commit_forever(self, store: Store) -> None:
        while await self._decoded.holds():
            await self._pause()
            start = asyncio.get_running_loop().time()
            await self._commit(store, self._decoded.take(max_records=_COMMIT_RECORDS))
            self._pace.committed(start=start, end=asyncio.get_running_loop().time())

    def _weight(self, decoded: _Decoded) -> int:
        """Give how much it counts for a commit; what somebody waits for is enough for one."""
        batch = decoded[0].batch
        return max(batch.record_count, self._enough_records) if batch.is_awaited else batch.record_count

    async def _pause(self) -> None:
        """Let more batches come, unless there are enough or few commits were made of late."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._pace.next_start()):
                await self._decoded.holds(self._enough_records)

    async def _commit(self, store: Store, decoded: Sequence[_Decoded]) -> None:
        """Commit all in one transaction and answer; when the store will not take it, one by one, to spare the rest."""
        error = await self._append(store, [delivery for _, delivery in decoded])
        if error is not None and len(decoded) > 1 and not isinstance(error, Refused):
            for one in decoded:
                await self._commit(store, [one])
            return
        for waiting, delivery in decoded:
            waiting.answer(error and await self._judged(store, waiting.batch, delivery, error))

    async def _judged(self, store: Store, batch: Batch, delivery: Delivery, error: Exception) -> Exception | None:
        """Give what the sender is told; it must not send for ever what the store takes everything but."""
        if isinstance(error, (*_TROUBLE, Rejected)):
            return await self._set_aside(batch, error)
        for _ in range(_MORE_ATTEMPTS):
            if await self._append(store, [delivery]) is None:
                return None
        is_well = await self._append(store, []) is None
        return await self._set_aside(batch, error) if is_well else error

    async def _set_aside(self, batch: Batch, error: Exception) -> Exception:
        if isinstance(error, _TROUBLE):
            return error
        if batch.request_count > 1:  # who joined it sends its parts again, and one of them is at fault
            return Rejected(str(error))
        return await asyncio.get_running_loop().run_in_executor(self._appending, self._aside.keep, batch, error)

    async def _append(self, store: Store, deliveries: Sequence[Delivery]) -> Exception | None:
        loop = asyncio.get_running_loop()
        try:
            repeats = await loop.run_in_executor(self._appending, store.append, deliveries)
        except Exception as error:  # noqa: BLE001 - each sender waits for its answer; the exporter's edge counts it
            return error
        self._telemetry.add("runmill_run_store_commits_total", 1 if deliveries else 0, exporter=self._exporter_id)
        self._telemetry.add("runmill_run_store_repeated_batches_total", repeats, exporter=self._exporter_id)
        return None


def _decode(batch: Batch) -> Delivery | Exception:
    try:
        # Here, not on top: Arrow's functions and the native reader are 17 MB, which a server that waits does without.
        from runmill.otlp import columns  # noqa: PLC0415

        found = columns.decode_logs(batch.payload) if batch.signal == "logs" else columns.decode_metrics(batch.payload)
    except WireError as error:
        return Rejected(str(error))
    except Exception as error:  # noqa: BLE001 - the sender waits for its answer; the exporter's edge counts it
        return error
    producer = batch.producer
    return Delivery(found, producer.producer_id, producer.sequence) if producer else Delivery(found)
