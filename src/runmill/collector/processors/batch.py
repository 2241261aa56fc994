"""``batch``: join small requests into larger ones, without ever answering for what is not safe yet."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from pydantic import Field, model_validator

from runmill.collector.component import Batch, Consumer, Metadata
from runmill.collector.joining import is_joinable, joined
from runmill.collector.metadata import MetadataKeys, restricted
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Duration, Section
from runmill.errors import Rejected

__all__ = ["BatchConfig", "Batcher"]


class BatchConfig(Section):
    """Source: OpenTelemetry Collector, processor/batchprocessor."""

    send_batch_size: int = Field(default=8192, ge=0)
    """Records that are sent on without waiting for more."""
    timeout: Duration = 0.2
    """How long a batch waits at most; 0 joins nothing."""
    send_batch_max_size: int = Field(default=0, ge=0)
    """Never join to more records than this; 0: no limit. A single larger request passes whole, it is not cut."""
    metadata_keys: MetadataKeys = Field(default_factory=list)
    """Headers, or gRPC metadata, such as `x-tenant`: only requests with the same values of all of them are joined.
    Receivers must `include_metadata`."""
    metadata_cardinality_limit: int = Field(default=1000, ge=0)
    """How many combinations of values are held apart, while the collector runs; what comes with one more is rejected.
    0: no limit."""

    @model_validator(mode="after")
    def _check(self) -> "BatchConfig":
        if 0 < self.send_batch_max_size < self.send_batch_size:
            raise ValueError(
                f"send_batch_max_size ({self.send_batch_max_size}) must be at least send_batch_size "
                f"({self.send_batch_size}). Raise it, or lower send_batch_size"
            )
        return self


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    batch: Batch
    done: asyncio.Future[None]


class _Group:
    """Requests that may be joined to one another: what waits, and what is on its way."""

    def __init__(self, config: BatchConfig, send: Callable[[Sequence[_Waiting]], Coroutine[None, None, None]]) -> None:
        self._config = config
        self._send = send
        self._waiting: list[_Waiting] = []
        self._record_count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def shutdown(self) -> None:
        """Send what waits, and return when all of it is answered."""
        self._flush()
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def consume(self, batch: Batch, /) -> None:
        """Return once *batch*, alone or joined to others, is safe downstream."""
        if self._is_over_max(batch):
            self._flush()
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._record_count += batch.record_count
        if self._record_count >= self._config.send_batch_size or not self._under_way:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._config.timeout, self._flush)
        await waiting.done

    def _is_over_max(self, batch: Batch) -> bool:
        return 0 < self._config.send_batch_max_size < self._record_count + batch.record_count

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting, self._record_count = self._waiting, [], 0
        if group:
            task = asyncio.create_task(self._send(group))
            self._under_way.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not self._under_way:
            self._flush()


class Batcher:
    """Joins what arrives while an earlier batch is on its way.

    Three things differ from the batch processor of the OpenTelemetry Collector. `consume` returns once the joined
    batch is safe downstream, so a sender's acknowledgement still means that its records are stored; the other answers
    at once, and loses what it holds when it is killed. Since senders therefore wait, a batch goes at once when nothing
    is on its way: a lone sender never waits for company. And a batch with a producer passes as it is: joined, it could
    not be recognised when it is sent again.

    It holds batches of one signal, as a pipeline does.
    """

    def __init__(self, config: BatchConfig, onward: Consumer, *, processor_id: str, telemetry: Telemetry) -> None:
        self._config = config
        self._onward = onward
        self._processor_id = processor_id
        self._telemetry = telemetry
        self._groups: dict[Metadata, _Group] = {}

    async def start(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Send what waits, and return when all of it is answered."""
        await asyncio.gather(*(group.shutdown() for group in self._groups.values()))

    async def consume(self, batch: Batch, /) -> None:
        """Return once *batch*, alone or joined to others, is safe downstream. Raises Rejected for a group too many."""
        if not self._config.timeout or self._is_large(batch) or _stays_apart(batch):
            await self._onward.consume(batch)
        else:
            await self._group_of(batch).consume(batch)

    def _is_large(self, batch: Batch) -> bool:
        return batch.record_count >= self._config.send_batch_size

    def _group_of(self, batch: Batch) -> _Group:
        values = restricted(batch.metadata, self._config.metadata_keys)
        return self._groups.get(values) or self._open_group(values)

    def _open_group(self, values: Metadata) -> _Group:
        if 0 < self._config.metadata_cardinality_limit <= len(self._groups):
            raise Rejected(
                f"processor {self._processor_id!r} holds {len(self._groups)} combinations of the values of "
                f"{', '.join(self._config.metadata_keys)} apart already, and {dict(sorted(values))!r} is one more. "
                "Raise its metadata_cardinality_limit, or name keys that have fewer values."
            )
        group = self._groups[values] = _Group(self._config, self._send)
        if self._config.metadata_keys:
            name = "otelcol_processor_batch_metadata_cardinality"
            self._telemetry.set(name, len(self._groups), processor=self._processor_id)
        return group

    async def _send(self, group: Sequence[_Waiting]) -> None:
        self._telemetry.add("otelcol_processor_batch_batch_send_size_count", processor=self._processor_id)
        self._telemetry.add(
            "otelcol_processor_batch_batch_send_size_sum",
            sum(waiting.batch.record_count for waiting in group),
            processor=self._processor_id,
        )
        try:
            await self._onward.consume(joined([waiting.batch for waiting in group]))
        except Rejected as error:
            await self._send_apart(group, error)
        except Exception as error:  # noqa: BLE001 - each sender waits for its own answer, whatever it is
            _answer(group, error)
        else:
            _answer(group, None)

    async def _send_apart(self, group: Sequence[_Waiting], error: Rejected) -> None:
        """Send a rejected group one by one, so that one bad request does not cost the others their data."""
        if len(group) == 1:
            _answer(group, error)
            return
        for waiting in group:
            await self._send([waiting])


def _stays_apart(batch: Batch) -> bool:
    return batch.producer is not None or batch.is_awaited or not is_joinable(batch.signal)


def _answer(group: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in group:
        if waiting.done.done():  # its sender has gone
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)
