"""How far each file is read, and what is under way: kept in an SQLite file, so that it outlives the collector.

Before lines are handed on, a plan is written: which bytes of which files go under which number. After a crash the very
same bytes go under the very same number again, and a run store recognises what it has. A file's offset moves only when
its lines were taken.
"""

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from runmill.collector.files.mark import Mark
from runmill.collector.state_file import open_state

__all__ = ["Cursor", "Cursors", "Plan", "Range"]

_VERSION: Final = "1"
_FORGOTTEN_SECONDS: Final = 7 * 86400

_SCHEMA: Final = """
create table if not exists facts(name text primary key, value text not null);
create table if not exists cursors(
    file_id integer primary key, path text not null, device integer not null, inode integer not null,
    is_gzip integer not null, gone_seconds real, read_offset integer not null, head_size integer not null,
    head_hash blob not null, anchor blob not null
);
create table if not exists planned(
    file_id integer not null, read_from integer not null, read_to integer not null, head_size integer not null,
    head_hash blob not null, anchor blob not null
);
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one file is read."""

    file_id: int
    path: str
    device: int
    inode: int
    mark: Mark
    is_gzip: bool = False
    gone_seconds: float | None = None
    """Since when (seconds since the epoch) it is not among the files any more; None while it is."""


class Range(NamedTuple):
    """Bytes of a file, up to the offset of a mark that tells whether they are still there."""

    file_id: int
    start: int
    mark: Mark


class Plan(NamedTuple):
    """What is under way, and the number it goes under."""

    sequence: int
    ranges: Sequence[Range]


class Cursors:
    """The cursors of one receiver. Used from one thread at a time."""

    def __init__(self, path: Path | None) -> None:
        """Open the file at *path*, made if there is none; None keeps everything in memory.

        A file that is damaged is put aside, and that is said.
        """
        self._connection = open_state(path, _prepare, lost="files are read as for the first time")
        facts = dict(self._connection.execute("select name, value from facts"))
        self.producer_id: Final = str(facts["producer"])
        """By whom a run store knows what comes from here."""
        self.include = str(facts.get("include", ""))
        """The patterns whose files were looked for when this was last written; empty for never."""
        self._sequence = int(facts.get("sequence", 0))
        self._last_file_id = int(facts.get("last_file_id", 0))

    def load(self) -> tuple[list[Cursor], Plan | None]:
        """Give all cursors, and what was under way when they were last written."""
        rows = self._connection.execute(
            "select file_id, path, device, inode, is_gzip, gone_seconds, read_offset, head_size, head_hash, anchor "
            "from cursors where gone_seconds is null or gone_seconds > ?",
            [time.time() - _FORGOTTEN_SECONDS],
        )
        cursors = [
            Cursor(file_id, path, device, inode, Mark(*mark), is_gzip=bool(is_gzip), gone_seconds=gone)
            for file_id, path, device, inode, is_gzip, gone, *mark in rows
        ]
        planned = self._connection.execute("select * from planned order by rowid")
        ranges = [Range(file_id, start, Mark(*mark)) for file_id, start, *mark in planned]
        return cursors, Plan(self._sequence, ranges) if ranges else None

    def new_file_id(self) -> int:
        """Give a number that no file had before."""
        self._last_file_id += 1
        return self._last_file_id

    def plan(self, ranges: Sequence[Range], changed: Iterable[Cursor]) -> Plan:
        """Write down what goes next, with the cursors that changed; on disk when this returns."""
        with self._connection:
            self._write(changed, self._sequence)
            rows = [(one.file_id, one.start, *astuple(one.mark)) for one in ranges]
            self._connection.executemany("insert into planned values (?, ?, ?, ?, ?, ?)", rows)
        return Plan(self._sequence, ranges)

    def advance(self, changed: Iterable[Cursor]) -> None:
        """Write down that the plan is done and where the files are now."""
        with self._connection:
            self._connection.execute("delete from planned")
            self._write(changed, self._sequence + 1)
        self._sequence += 1

    def note(self, changed: Iterable[Cursor]) -> None:
        """Write down what was seen of files, with nothing under way."""
        with self._connection:
            self._write(changed, self._sequence)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._connection.close()

    def _write(self, changed: Iterable[Cursor], sequence: int) -> None:
        self._connection.executemany(
            "insert or replace into cursors values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [_row(cursor) for cursor in changed]
        )
        facts = {"sequence": sequence, "last_file_id": self._last_file_id, "include": self.include}
        self._connection.executemany("insert or replace into facts values (?, ?)", facts.items())


def _row(cursor: Cursor) -> tuple[object, ...]:
    place = (cursor.file_id, cursor.path, cursor.device, cursor.inode, cursor.is_gzip, cursor.gone_seconds)
    return *place, *astuple(cursor.mark)


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables. Raises DatabaseError when there are others."""
    with connection:
        connection.executescript(_SCHEMA)
        facts = dict(connection.execute("select name, value from facts"))
        if facts.setdefault("version", _VERSION) != _VERSION:
            raise sqlite3.DatabaseError(f"written by another version ({facts['version']!r}, not {_VERSION!r})")
        facts.setdefault("producer", f"files-{uuid.uuid4()}")
        connection.executemany("insert or replace into facts values (?, ?)", facts.items())
        with contextlib.suppress(sqlite3.OperationalError):  # a disk that is full has no room to tidy up
            connection.execute("delete from cursors where gone_seconds < ?", [time.time() - _FORGOTTEN_SECONDS])
