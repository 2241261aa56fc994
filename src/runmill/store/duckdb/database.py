"""Who owns the file: one process, which gives a connection of its own to each of its readers."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import duckdb
import pyarrow as pa

from runmill.errors import ConfigError, Conflict, Unavailable
from runmill.home import Home
from runmill.store.duckdb import schema
from runmill.store.interface import Grouping

__all__ = ["Database"]

_FILE: Final = "runs.duckdb"
_LOCK: Final = "runs.lock"

_LOG_BYTES: Final = "32MB"
"""So much is kept in the log before it goes into the tables. Each time, the last row group is compressed again: the
engine's own 16 MB add a quarter to the cost of a record; at 64 MB the commit that does it takes over twice as long."""


# The tables' estimated size counts rows that were deleted and still take space: until most around them are gone too.
_USED_BYTES: Final = """
    select block_size * used_blocks * (((select count(*) from logs) + (select count(*) from points)) / (
        select greatest(1, sum(estimated_size)) from duckdb_tables() where table_name in ('logs', 'points')))
    from pragma_database_size()"""


class Database:
    """The open database of *folder*, made when there is none.

    Raises:
        Conflict: it is open already, here or in another process; the text says where.
        ConfigError: what is there is no run store of this version.
    """

    def __init__(self, folder: Path, *, memory_limit: str, threads: int) -> None:
        self._folder = folder
        self._memory_limit = memory_limit
        self._closed = False
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        try:
            self._root = _connect(folder / _FILE, {"memory_limit": memory_limit, "threads": threads})
        except BaseException:
            self._lock.close()
            raise

    @property
    def url(self) -> str:
        """What opens this store."""
        return self._folder.as_uri().replace("file:", "duckdb:", 1)

    @property
    def grouping(self) -> Grouping:
        """A commit takes some milliseconds: what comes in together is committed together."""
        return Grouping(interval_seconds=0.2, records=1000)

    @property
    def poll_seconds(self) -> float | None:
        """Never: no other process commits."""
        return None

    def check_open(self) -> None:
        """Raise Unavailable after `close`."""
        if self._closed:
            raise Unavailable(f"{self.url}: the store was closed. Open it again.")

    def said(self, error: duckdb.Error) -> str:
        """Give what the engine said."""
        return str(error)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Give a connection of its own; the caller closes it. Raises Unavailable after `close`."""
        self.check_open()
        return self._root.cursor()

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection for one read; readers and the writer do not wait for each other."""
        connection = self.connect()
        try:
            yield connection
        except duckdb.OperationalError as error:  # out of memory, disk gone, ...
            raise Unavailable(f"{self.url}: cannot be read now: {error}") from error
        finally:
            connection.close()

    def rest(self) -> None:
        """Write what is only in the log into the file, and give memory that is not used back to the system."""
        connection = self.connect()
        try:
            with suppress(duckdb.TransactionException):  # a long read is on its way: the next rest will do
                connection.execute("checkpoint")
            # Setting the limit, even to what it is, makes the engine's allocator return what it keeps: 70 MB of 250.
            connection.execute("set memory_limit = ?", [self._memory_limit])
            pa.default_memory_pool().release_unused()
        finally:
            connection.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing: the file is this process's."""
        yield

    def newest(self, _: duckdb.DuckDBPyConnection) -> int:
        """Give 0: no other process commits."""
        return 0

    def last_committed(self, _: duckdb.DuckDBPyConnection) -> int:
        """Give 0."""
        return 0

    def grown(self, _: duckdb.DuckDBPyConnection, *, since: int, newest: int) -> set[str]:  # noqa: ARG002 - as the protocol has it
        """Name none: no other process commits."""
        return set()

    @property
    def fold_commits(self) -> int:
        """Readers add up no more rows than these made."""
        return 2_000

    def pack(self) -> None:
        """Do nothing: it is one file."""

    def used_bytes(self, connection: duckdb.DuckDBPyConnection) -> float:
        """Measure what the rows take; the file itself may hold free space for rows to come."""
        connection.execute("checkpoint")
        [(used,)] = connection.execute(_USED_BYTES).fetchall()
        return float(used)

    def size_bytes(self) -> int:
        """Measure the files of the database."""
        return sum(file.stat().st_size for file in self._folder.glob(f"{_FILE}*") if file.is_file())

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._root.close()
            self._lock.close()


def _connect(file: Path, limits: dict[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
    config = {
        **limits,
        "storage_compatibility_version": "latest",  # else there is no zstd
        "autoinstall_known_extensions": False,  # a query must never reach for the network
        "autoload_known_extensions": False,
        "wal_autocheckpoint": _LOG_BYTES,
        # Top rows are found by their sort columns alone and the wide texts read for them only.
        "late_materialization_max_rows": 20_000,
        # And by their numbers, even where they lie far apart: a list longer than this (by default 50) reads all texts.
        "dynamic_or_filter_threshold": 500,
    }
    try:
        connection = duckdb.connect(file, config=config)
    except duckdb.Error as error:
        # Something that does not take our lock, such as DuckDB's own shell, holds DuckDB's; its text names the process.
        if "lock" in str(error).lower():
            raise Conflict(f"{file}: another program has it open: {error}") from error
        raise ConfigError(f"{file}: cannot be opened as a run store: {error}") from error
    try:
        schema.prepare(connection, where=str(file))
        # From here on no statement, whoever wrote it, reads or writes another file.
        connection.execute("set enable_external_access = false")
        # Nor may it change how the engine works; least of all its number of threads. Lowering it while queries are
        # under way ends, sooner or later, with a thread that has Python's lock and waits for one that waits for it.
        connection.execute("set allowed_configs = ['memory_limit']")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _lock(folder: Path) -> IO[str]:
    """Take the folder for this process. A lock of our own: DuckDB's would let this process in twice."""
    file = (folder / _LOCK).open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = _owner(file)
        file.close()
        raise Conflict(f"{folder}: the run store is open in {_described(folder, owner)}") from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _owner(file: IO[str]) -> int | None:
    file.seek(0)
    with suppress(ValueError):
        return int(file.read())
    return None  # it has the lock and has not yet written who it is


def _described(folder: Path, owner: int | None) -> str:
    server = Home(folder.parent).find_server()
    if server is not None and server.pid == owner:
        return f"process {owner}, the server at {server.endpoint}. Ask that server, or stop it."
    if owner == os.getpid():
        return f"this process ({owner}) already. Use that one, or close it first."
    return f"process {owner or 'unknown'}. Read through it if it is a server, or stop it."
