"""What is under way and how far its sources are read, in one SQLite file: never one without the other.

Sources such as a container engine cannot be asked twice for the very same bytes: a container is removed, a journal is
rotated. So a batch is on disk, under its number, before it is handed on. A collector that was killed hands on the same
batch under the same number, which a run store recognises, and goes on behind it.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from runmill.collector.component import Batch, Producer
from runmill.collector.state_file import open_state

__all__ = ["Outbox", "outbox_path"]

_VERSION: Final = 1
_SECOND: Final = 1_000_000_000

_SCHEMA: Final = """
create table if not exists identity(producer_id text not null, begun_unix_nano integer not null);
create table if not exists marks(source text primary key, mark text not null) without rowid;
create table if not exists batches(
    sequence integer primary key autoincrement, record_count integer not null, payload blob not null
);
"""


class Outbox:
    """The state of one receiver. Used from one thread at a time; what raises sqlite3.Error has changed nothing."""

    def __init__(self, path: Path) -> None:
        """Open the file at *path*, made if there is none. A file that is damaged is put aside, and that is said."""
        self._connection = open_state(path, _prepare, lost="gathering begins anew")
        [(producer_id, begun_unix_nano)] = self._connection.execute("select * from identity")
        self.producer_id: Final[str] = producer_id
        """By whom a run store knows what comes from here."""
        self.begun_unix_nano: Final[int] = begun_unix_nano
        """When this receiver first started, in whole seconds."""

    def marks(self) -> dict[str, str]:
        """Give how far each source is read, batches under way included."""
        return dict(self._connection.execute("select source, mark from marks"))

    def pending(self) -> Batch | None:
        """Give the batch that was put and not taken; None when there is none."""
        found = self._connection.execute("select sequence, record_count, payload from batches")
        for sequence, record_count, payload in found:
            return Batch("logs", payload, record_count, Producer(self.producer_id, sequence))
        return None

    def put(self, payload: bytes, record_count: int, marks: Mapping[str, str]) -> Batch:
        """Write down a batch and how far its sources are read with it; on disk when this returns."""
        with self._connection:
            self._connection.executemany("insert or replace into marks values (?, ?)", marks.items())
            row = self._connection.execute(
                "insert into batches(record_count, payload) values (?, ?)", [record_count, payload]
            )
        assert row.lastrowid is not None  # of an insert
        return Batch("logs", payload, record_count, Producer(self.producer_id, row.lastrowid))

    def taken(self) -> None:
        """Forget the batch: it was taken, or never will be."""
        with self._connection:
            self._connection.execute("delete from batches")

    def forget(self, sources: Iterable[str]) -> None:
        """Forget sources that are gone."""
        with self._connection:
            self._connection.executemany("delete from marks where source = ?", [(source,) for source in sources])

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._connection.close()


def outbox_path(storage: str | None, folder: Path, receiver_id: str) -> Path:
    """Give the file of a receiver: what its ``storage`` names, else one in *folder*."""
    if storage is None or storage.partition("/")[0] == "file_storage":  # an extension of the OpenTelemetry Collector
        return folder / f"{receiver_id.replace('/', '_')}.outbox"
    return Path(storage)


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables. Raises DatabaseError when there are others."""
    [(version,)] = connection.execute("pragma user_version")
    if version not in (0, _VERSION):
        raise sqlite3.DatabaseError(f"written by another version ({version!r}, not {_VERSION!r})")
    with connection:
        connection.executescript(_SCHEMA)
        connection.execute(f"pragma user_version = {_VERSION}")
        if not list(connection.execute("select 1 from identity")):
            begun_unix_nano = int(time.time()) * _SECOND
            connection.execute("insert into identity values (?, ?)", [f"gathered-{uuid.uuid4()}", begun_unix_nano])
