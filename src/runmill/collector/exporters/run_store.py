"""``run_store``: into the run store, many batches a commit, each answered once its commit is on disk.

```text
consume ──> waiting ──(grouped)──> decode ──> append ──> consume returns
                                   thread     thread
```

Decoding the next group and committing the last one overlap: the store's engine gives the interpreter lock back while
it works.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from pydantic import Field

from runmill.collector.component import Batch
from runmill.collector.exporters.waiting_room import Waiting, WaitingRoom
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Duration, Section, Size
from runmill.errors import Refused, Rejected, WireError
from runmill.otlp import columns
from runmill.store.interface import Delivery, Store

__all__ = ["OpenStore", "RunStore", "RunStoreConfig"]

OpenStore = Callable[[str], Store]
"""Opens the store at a URL; who gives it also closes the store."""

# A commit takes no more than this, so that its columns fit in memory beside those of the next.
_GROUP_RECORDS: Final = 50_000
_GROUP_BYTES: Final = 32 * 2**20

# Small commits are spaced by this many times what the last one took: they use at most a quarter of the time.
_PAUSE_FACTOR: Final = 3

_Decoded: TypeAlias = tuple[Waiting, Delivery]


class RunStoreConfig(Section):
    """Where the store is, and how batches are grouped into commits."""

    url: str
    """A folder, or what else the run store opens."""
    commit_interval: Duration = 0.2
    """The longest pause between two commits; where commits are quick, the pause is shorter."""
    commit_records: int = Field(default=1000, ge=1)
    """So many waiting records are committed without a pause."""
    max_waiting_bytes: Size = 256 * 2**20
    """Beyond this, batches are refused until the store has caught up: senders keep them and wait."""


class RunStore:
    """Commits batches of logs and metrics; `consume` returns after the commit."""

    def __init__(
        self, config: RunStoreConfig, *, exporter_id: str, open_store: OpenStore, telemetry: Telemetry
    ) -> None:
        self._config = config
        self._exporter_id = exporter_id
        self._open_store = open_store
        self._telemetry = telemetry
        self._room = WaitingRoom(enough_records=config.commit_records, max_bytes=config.max_waiting_bytes)
        self._store: Store | None = None
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix=f"{exporter_id}-decode")
        self._appending = ThreadPoolExecutor(1, thread_name_prefix=f"{exporter_id}-append")
        self._grouping: asyncio.Task[None] | None = None
        self._commit_start = 0.0
        self._commit_seconds = 0.0

    async def start(self) -> None:
        """Open the store; raises what its engine says when that cannot be done."""
        self._store = await asyncio.to_thread(self._open_store, self._config.url)
        self._grouping = asyncio.create_task(self._commit_groups(self._store), name=f"{self._exporter_id} groups")

    async def shutdown(self) -> None:
        """Commit what waits, then stop; the store stays open, it belongs to who opened it."""
        self._room.close()
        if self._grouping is not None:
            await self._grouping
        self._decoding.shutdown()
        self._appending.shutdown()

    async def consume(self, batch: Batch, /) -> None:
        """Return when *batch* is committed. Raises Rejected when it is not OTLP, Refused when the store cannot."""
        await self._room.enter(batch)

    async def _commit_groups(self, store: Store) -> None:
        commit: asyncio.Task[None] | None = None
        while await self._room.occupied():
            await self._pause()
            group = self._room.take(max_records=_GROUP_RECORDS, max_bytes=_GROUP_BYTES)
            decoded = await self._decode(group)
            if commit is not None:
                await commit
            commit = asyncio.create_task(self._commit(store, decoded), name=f"{self._exporter_id} commit")
        if commit is not None:
            await commit

    async def _pause(self) -> None:
        """Let more batches come, unless there are enough or the last commit began long ago."""
        pause = min(self._config.commit_interval, self._commit_seconds * (1 + _PAUSE_FACTOR))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._commit_start + pause):
                await self._room.enough()

    async def _decode(self, group: Sequence[Waiting]) -> Sequence[_Decoded]:
        """Decode each batch on its own: a bad one is answered here and costs the others nothing."""
        loop = asyncio.get_running_loop()
        batches = [waiting.batch for waiting in group]
        results = await loop.run_in_executor(self._decoding, lambda: [_decode(batch) for batch in batches])
        decoded = list[_Decoded]()
        for waiting, result in zip(group, results, strict=True):
            if isinstance(result, Delivery):
                decoded.append((waiting, result))
            else:
                waiting.answer(result)
        return decoded

    async def _commit(self, store: Store, decoded: Sequence[_Decoded]) -> None:
        """Commit all in one transaction and answer; after a crash of the store one by one, to spare the innocent."""
        if not decoded:
            return
        self._commit_start = asyncio.get_running_loop().time()
        try:
            await self._append(store, [delivery for _, delivery in decoded])
        except Exception as error:  # noqa: BLE001 - each sender waits for its own answer, whatever it is
            if len(decoded) == 1 or isinstance(error, Refused):
                _answer(decoded, error)
            else:
                for one in decoded:
                    await self._commit(store, [one])
        else:
            _answer(decoded, None)
        self._commit_seconds = asyncio.get_running_loop().time() - self._commit_start

    async def _append(self, store: Store, deliveries: Sequence[Delivery]) -> None:
        repeats = await asyncio.get_running_loop().run_in_executor(self._appending, store.append, deliveries)
        self._telemetry.add("runmill_run_store_commits_total", exporter=self._exporter_id)
        self._telemetry.add("runmill_run_store_repeated_batches_total", repeats, exporter=self._exporter_id)


def _decode(batch: Batch) -> Delivery | Exception:
    try:
        found = columns.decode_logs(batch.payload) if batch.signal == "logs" else columns.decode_metrics(batch.payload)
    except WireError as error:
        return Rejected(str(error))
    except Exception as error:  # noqa: BLE001 - the sender waits for its answer; the exporter's edge counts it
        return error
    producer = batch.producer
    return Delivery(found, producer.producer_id, producer.sequence) if producer else Delivery(found)


def _answer(decoded: Sequence[_Decoded], error: Exception | None) -> None:
    for waiting, _ in decoded:
        waiting.answer(error)
