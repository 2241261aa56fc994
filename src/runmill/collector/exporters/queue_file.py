"""Batches that wait for a backend, in a SQLite file: what was added is there after a crash of anything.

One thread writes. What comes while a commit is under way is the next commit, so a commit's price (its `fsync`) is
shared by as many batches as wait for it.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, cast

from runmill.collector.component import Batch, Metadata, Producer, Signal
from runmill.errors import Conflict, Refused

__all__ = ["Entry", "QueueFile", "QueueMemory", "QueueStorage"]

# Payloads up to this many bytes are sent from memory; the rest are read from the file when their turn comes.
_HELD_BYTES: Final = 32 * 2**20

_SCHEMA: Final = """
create table if not exists waiting (
    key integer primary key,
    signal text not null,
    record_count integer not null,
    producer_id text,
    sequence integer,
    payload blob not null,
    metadata text
)"""
# Of files that are older than requests' metadata.
_ADD_METADATA: Final = "alter table waiting add column metadata text"
_INSERT: Final = "insert into waiting values (?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "delete from waiting where key = ?"
_SELECT: Final = "select signal, payload, record_count, producer_id, sequence, metadata from waiting where key = ?"
_LEFT: Final = (
    "select key, signal, record_count, length(payload), producer_id is not null, metadata from waiting order by key"
)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One batch that waits; the batch itself where it is held in memory."""

    key: int
    signal: Signal
    record_count: int
    size_bytes: int
    is_numbered: bool
    """Whether it has a producer."""
    metadata: Metadata
    """Only batches with the same are joined."""
    batch: Batch | None = None

    @classmethod
    def of(cls, key: int, batch: Batch, *, is_held: bool = True) -> "Entry":
        """Give the entry of *batch*; with it, where it is held."""
        size, is_numbered = len(batch.payload), batch.producer is not None
        held = batch if is_held else None
        return cls(key, batch.signal, batch.record_count, size, is_numbered, batch.metadata, held)


class QueueStorage(Protocol):
    """Where batches wait."""

    is_kept: bool
    """Whether what waits survives the process."""

    async def open(self) -> Sequence[Entry]:
        """Give what an earlier process left, oldest first."""

    async def add(self, batch: Batch, /) -> Entry:
        """Return once *batch* is as safe as it gets here. Raises Refused where it cannot be kept."""

    async def load(self, entry: Entry, /) -> Batch:
        """Give the batch of an entry."""

    async def remove(self, entry: Entry, /) -> None:
        """Forget an entry: it was delivered or dropped."""

    async def close(self) -> None:
        """Finish what was begun. Safe to call twice, and without open()."""


class QueueMemory:
    """Batches in memory: what waits is lost with the process."""

    is_kept = False

    def __init__(self) -> None:
        self._next_key = 0

    async def open(self) -> Sequence[Entry]:
        """Nothing is ever left."""
        return ()

    async def add(self, batch: Batch, /) -> Entry:
        """Return at once."""
        self._next_key += 1
        return Entry.of(self._next_key, batch)

    async def load(self, entry: Entry, /) -> Batch:
        """Give the batch of an entry."""
        return cast("Batch", entry.batch)

    async def remove(self, entry: Entry, /) -> None:
        """Nothing to forget."""

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    statement: str
    parameters: tuple[object, ...]
    done: asyncio.Future[None]


class QueueFile:
    """Batches in the SQLite file at *path*, which one process at a time can have."""

    is_kept = True

    def __init__(self, path: Path, *, held_bytes: int = _HELD_BYTES) -> None:
        self._path = path
        self._most_held_bytes = held_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None
        self._next_key = 0
        self._held_bytes = 0
        self._waiting: list[_Write] = []
        self._writer: asyncio.Task[None] | None = None

    async def open(self) -> Sequence[Entry]:
        """Give what an earlier process left, oldest first. Raises Conflict when another process has the file."""
        left: list[Entry] = await self._run(self._open)
        self._next_key = left[-1].key if left else 0
        return left

    async def add(self, batch: Batch, /) -> Entry:
        """Return once *batch* is on disk. Raises Refused when the disk will not take it."""
        self._next_key += 1
        key, producer = self._next_key, batch.producer
        who = (producer.producer_id, producer.sequence) if producer else (None, None)
        try:
            metadata = _written(batch.metadata)
            await self._write(_INSERT, (key, batch.signal, batch.record_count, *who, batch.payload, metadata))
        except sqlite3.Error as error:
            raise Refused(f"{self._path}: cannot be written: {error}. Send the same data again later.") from error
        size = len(batch.payload)
        if self._held_bytes + size > self._most_held_bytes:
            return Entry.of(key, batch, is_held=False)
        self._held_bytes += size
        return Entry.of(key, batch)

    async def load(self, entry: Entry, /) -> Batch:
        """Give the batch of an entry, from the file where it is not in memory."""
        return entry.batch or await self._run(partial(self._read, entry.key))

    async def remove(self, entry: Entry, /) -> None:
        """Forget an entry; should the process die before that is on disk, it is sent once more."""
        if entry.batch is not None:
            self._held_bytes -= entry.size_bytes
        await self._write(_DELETE, (entry.key,))

    async def close(self) -> None:
        """Write what is to be written, and give the file back."""
        if self._writer is not None:
            await self._writer
        if self._connection is not None:
            await self._run(self._connection.close)
            self._connection = None
        self._thread.shutdown()

    async def _run(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self, statement: str, parameters: tuple[object, ...]) -> None:
        write = _Write(statement, parameters, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name=f"{self._path.stem} writer")
        await write.done

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            error = await self._run(partial(self._commit, group))
            for write in group:
                _answer(write.done, error)
        self._writer = None

    # What follows runs in the thread.

    def _open(self) -> list[Entry]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # Requests are large: in pages of 4 KiB, the usual ones, one of 340 kB takes half as much time again.
            self._connection.execute("pragma page_size=16384")
            # Exclusive: two collectors that empty one queue would each send everything.
            self._connection.execute("pragma locking_mode=exclusive")
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=full")
            self._connection.execute(_SCHEMA)
            if "metadata" not in [column[1] for column in self._connection.execute("pragma table_info(waiting)")]:
                self._connection.execute(_ADD_METADATA)
            left = [
                Entry(key, signal, record_count, size_bytes, bool(is_numbered), _metadata_of(metadata))
                for key, signal, record_count, size_bytes, is_numbered, metadata in self._connection.execute(_LEFT)
            ]
            if not left:
                self._connection.execute("vacuum")  # gives back the space of an outage that is over
        except sqlite3.OperationalError as error:
            self._connection.close()
            self._connection = None
            raise Conflict(
                f"{self._path}: cannot be opened: {error}. Another collector of this home may have it: stop that one, "
                "or give this one another home with --home."
            ) from error
        return left

    def _commit(self, group: Sequence[_Write]) -> Exception | None:
        connection = cast("sqlite3.Connection", self._connection)
        try:
            connection.execute("begin immediate")
            for write in group:
                connection.execute(write.statement, write.parameters)
            connection.execute("commit")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("rollback")
            return error
        return None

    def _read(self, key: int) -> Batch:
        row = cast("sqlite3.Connection", self._connection).execute(_SELECT, (key,)).fetchone()
        signal, payload, record_count, producer_id, sequence, metadata = row
        producer = None if producer_id is None else Producer(producer_id, sequence)
        return Batch(cast("Signal", signal), payload, record_count, producer, metadata=_metadata_of(metadata))


def _written(metadata: Metadata) -> str | None:
    return json.dumps(sorted(metadata)) if metadata else None


def _metadata_of(text: str | None) -> Metadata:
    return frozenset((name, value) for name, value in json.loads(text)) if text else frozenset()


def _answer(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():  # who waited for it has gone
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
