"""What waits in a queue, by the lot: entries that go to the backend as one request.

Entries stay in the queue one by one, and are joined when it is their turn: after a crash they wait there as they came.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pydantic import Field, model_validator

from runmill.collector.component import Metadata, Signal
from runmill.collector.exporters.queue_file import Entry
from runmill.collector.joining import is_joinable
from runmill.collector.metadata import MetadataKeys
from runmill.collector.values import Duration, Section

__all__ = ["WEIGHTS", "Lot", "Lots", "QueueBatchConfig", "Sizer"]

Sizer = Literal["requests", "items", "bytes"]
Lot: TypeAlias = tuple[Entry, ...]
_Kind: TypeAlias = tuple[Signal, Metadata]
"""Only entries of one kind are joined."""

WEIGHTS: Final[Mapping[Sizer, Callable[[Entry], int]]] = {
    "requests": lambda _: 1,
    "items": lambda entry: entry.record_count,
    "bytes": lambda entry: entry.size_bytes,
}

_MOST_BYTES: Final = 32 * 2**20
"""In a lot, whatever it is measured in: it is in memory while it is sent, and as often as there are consumers."""


class PartitionConfig(Section):
    """Which requests are never joined to one another."""

    metadata_keys: MetadataKeys = Field(default_factory=list)
    """Headers, or gRPC metadata, such as `x-tenant`: only requests with the same values of all of them are joined.
    Receivers must `include_metadata`."""


class QueueBatchConfig(Section):
    """Given, even if empty: small requests go out as one, and larger ones than `max_size` as several."""

    flush_timeout: Duration = 0.2
    """How long a request waits at most for others."""
    min_size: int = Field(default=8192, ge=0)
    """So much is sent on without waiting for more."""
    max_size: int = Field(default=0, ge=0)
    """No request is larger, unless it is a single record; 0: no limit."""
    sizer: Literal["items", "bytes"] | None = None
    """What sizes are given in: records, or bytes before compression. By default the queue's, or else `items`."""
    partition: PartitionConfig = PartitionConfig()
    join_numbered: bool = False
    """Join requests that runmill has numbered, too. Without its number, a runmill does not know a request that comes
    twice: true is for other backends."""

    @model_validator(mode="after")
    def _check(self) -> "QueueBatchConfig":
        if not self.flush_timeout:
            raise ValueError("flush_timeout is 0, and joins nothing. Give a time, or leave batch out")
        if 0 < self.max_size < self.min_size:
            raise ValueError(
                f"max_size ({self.max_size}) must be at least min_size ({self.min_size}). Raise it, or lower min_size"
            )
        return self


@dataclass(slots=True, eq=False)
class _Growing:
    """A lot that may still become larger."""

    timer: asyncio.TimerHandle
    entries: list[Entry] = field(default_factory=list)
    weight: int = 0
    size_bytes: int = 0

    def add(self, entry: Entry, weight: int) -> None:
        self.entries.append(entry)
        self.weight += weight
        self.size_bytes += entry.size_bytes


class Lots:
    """Takes entries as they come and gives lots, the oldest first; without *config* each entry is one."""

    def __init__(self, config: QueueBatchConfig | None, *, sizer: Sizer) -> None:
        self._config = config
        self._weigh = WEIGHTS[sizer]
        self._ready = asyncio.Queue[Lot]()
        self._growing: dict[_Kind, _Growing] = {}

    def put(self, entry: Entry) -> None:
        """Add an entry."""
        config = self._config
        if config is None or not is_joinable(entry.signal) or (entry.is_numbered and not config.join_numbered):
            self.put_back((entry,))
            return
        weight, kind = self._weigh(entry), (entry.signal, entry.metadata)
        if self._is_full(self._growing.get(kind), entry, weight, config):
            self._finish(kind)
        growing = self._grow(kind, config)
        growing.add(entry, weight)
        if growing.weight >= config.min_size:
            self._finish(kind)

    def put_back(self, lot: Lot) -> None:
        """Add a lot as it is."""
        self._ready.put_nowait(lot)

    async def get(self) -> Lot:
        """Give the next lot, as soon as there is one."""
        return await self._ready.get()

    def flush(self) -> None:
        """Wait no longer for more."""
        for kind in tuple(self._growing):
            self._finish(kind)

    def left(self) -> Iterator[Entry]:
        """Take out all that waits."""
        self.flush()
        while not self._ready.empty():
            yield from self._ready.get_nowait()

    def _is_full(self, growing: _Growing | None, entry: Entry, weight: int, config: QueueBatchConfig) -> bool:
        if growing is None:
            return False
        is_over_max = 0 < config.max_size < growing.weight + weight
        return is_over_max or growing.size_bytes + entry.size_bytes > _MOST_BYTES

    def _grow(self, kind: _Kind, config: QueueBatchConfig) -> _Growing:
        if kind not in self._growing:
            timer = asyncio.get_running_loop().call_later(config.flush_timeout, self._finish, kind)
            self._growing[kind] = _Growing(timer)
        return self._growing[kind]

    def _finish(self, kind: _Kind) -> None:
        growing = self._growing.pop(kind)
        growing.timer.cancel()
        self.put_back(tuple(growing.entries))
