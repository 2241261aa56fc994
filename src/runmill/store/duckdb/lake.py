"""A lake: rows in Parquet files on shared storage, and a catalog in PostgreSQL that says which files count.

Any number of processes write. One commits at a time, and sees all that was committed before: it holds a lock of the
catalog's database, and its commit is taken as the very next snapshot or not at all. So the lock only keeps writers from
working in vain; where it fails (a connection is cut, a process sleeps for minutes) the second commit does.

Few rows at a time are kept in the catalog itself until they are packed, so a commit makes a file for its logs, one for
its points, or none.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb
import pyarrow as pa

from runmill.errors import ConfigError, Unavailable
from runmill.store.duckdb import object_storage, packing, schema
from runmill.store.duckdb.catalog_lock import Purpose, ask, locked
from runmill.store.duckdb.extensions import load
from runmill.store.duckdb.lake_url import LakeUrl, without_password
from runmill.store.interface import Grouping

__all__ = ["Lake"]

_TABLES: Final = "tables/"
"""Under the data path; the runs' files are beside it."""

_CHANGES: Final = """
    select changes_made from __ducklake_metadata_lake.ducklake_snapshot_changes
    where snapshot_id > $since and snapshot_id <= $newest"""
_ADDED: Final = re.compile(r"(?:inserted_into_table|inlined_insert):(\d+)")
_TAKEN: Final = re.compile(r"(?:deleted_from_table|inlined_delete):")


_USED_BYTES: Final = """
    select coalesce(sum(files.file_size_bytes * (1 - coalesce(gone.delete_count, 0) / files.record_count)), 0)
    from __ducklake_metadata_lake.ducklake_data_file as files
    left join __ducklake_metadata_lake.ducklake_delete_file as gone
    on gone.data_file_id = files.data_file_id and gone.end_snapshot is null
    where files.end_snapshot is null"""


class Lake:
    """The open lake at *url*, made when its catalog is empty.

    Raises:
        ConfigError: it cannot be reached as it is described, or is no run store of this version.
        Unavailable: the catalog does not answer.
    """

    def __init__(self, url: LakeUrl, *, memory_limit: str, threads: int) -> None:
        self._url = url
        self._memory_limit = memory_limit
        self._closed = False
        self._tables: dict[str, str]
        self.data_path: str
        """Where the data is; with a slash at its end."""
        self._root = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "autoinstall_known_extensions": False,  # a query must never reach for another network
                "autoload_known_extensions": False,
                "temp_directory": tempfile.gettempdir(),
                "late_materialization_max_rows": 20_000,
            }
        )
        try:
            self._attach()
        except BaseException:
            self._root.close()
            raise

    @property
    def url(self) -> str:
        """What opens this store, without the password."""
        return str(self._url)

    @property
    def grouping(self) -> Grouping:
        """Each commit is a file or two, and others wait for it: a few large ones are better."""
        return Grouping(interval_seconds=1.0, records=20_000)

    @property
    def poll_seconds(self) -> float | None:
        """A look at the catalog takes it a millisecond or two."""
        return 0.5

    def check_open(self) -> None:
        """Raise Unavailable after `close`."""
        if self._closed:
            raise Unavailable(f"{self.url}: the store was closed. Open it again.")

    def said(self, error: duckdb.Error) -> str:
        """Give what the engine said; it likes to say the whole connection, and the password with it."""
        return without_password(str(error))

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Give a connection of its own; the caller closes it. Raises Unavailable without a catalog, and closed."""
        self.check_open()
        connection = self._root.cursor()
        try:
            connection.execute("set search_path = 'lake'")
            # A commit is the next snapshot or fails: what it read is then still so.
            connection.execute("set session ducklake_max_retry_count = 0")
        except duckdb.Error as error:
            connection.close()
            raise Unavailable(f"{self.url}: cannot be read now: {self.said(error)}") from None
        return connection

    @contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend a connection for one read."""
        connection = self.connect()
        try:
            yield connection
        except duckdb.Error as error:
            raise Unavailable(f"{self.url}: cannot be read now: {self.said(error)}") from None
        finally:
            connection.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers away for the block. Raises duckdb.Error when the catalog is away, or a writer not done."""
        with locked(self._root, Purpose.WRITING):
            yield

    def newest(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Give the number of the newest snapshot."""
        [(newest,)] = connection.execute("select id from lake.current_snapshot()").fetchall()
        return int(newest)

    def last_committed(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Give the number of the last snapshot that *connection* made."""
        [(last,)] = connection.execute("select id from lake.last_committed_snapshot()").fetchall()
        return int(last or 0)

    def grown(self, connection: duckdb.DuckDBPyConnection, *, since: int, newest: int) -> set[str] | None:
        """Name the tables that snapshots after *since* added to; None when one took out rows, or is not there any more.

        To look into a table takes the catalog some twenty questions, so others are left alone.
        """
        changes = connection.execute(_CHANGES, {"since": since, "newest": newest}).fetchall()
        if len(changes) < newest - since or any(_TAKEN.search(change) for (change,) in changes):
            return None
        added_to = {table_id for (change,) in changes for table_id in _ADDED.findall(change)}
        return {name for table_id, name in self._tables.items() if table_id in added_to}

    def used_bytes(self, connection: duckdb.DuckDBPyConnection) -> float:
        """Measure the files that count now, but for their rows that were deleted: they go when files are packed."""
        [(used,)] = connection.execute(_USED_BYTES).fetchall()
        return float(used)

    def size_bytes(self) -> int:
        """Measure the files that count now; what is in the catalog is little."""
        with self.reader() as connection:
            return self._size(connection)

    def rest(self) -> None:
        """Give memory that is not used back to the system."""
        pa.default_memory_pool().release_unused()

    @property
    def fold_commits(self) -> int:
        """A commit may leave some small files, and a reader opens each of them."""
        return 200

    def pack(self) -> None:
        """Pack small files and delete those that are out of use; nothing when another process is at it."""
        connection = self.connect()
        try:
            with locked(self._root, Purpose.PACKING) as is_ours:
                if is_ours:
                    packing.pack(connection, alone=self.alone)
        except duckdb.Error as error:
            raise Unavailable(f"{self.url}: cannot be packed now: {self.said(error)}") from None
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the catalog. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._root.close()

    @staticmethod
    def _size(connection: duckdb.DuckDBPyConnection) -> int:
        found = "select coalesce(sum(file_size_bytes), 0)::bigint from ducklake_table_info('lake')"
        [(size,)] = connection.execute(found).fetchall()
        return int(size)

    def _attach(self) -> None:
        load(self._root, ("ducklake", "postgres_scanner"))
        try:
            self._root.execute(f"attach {_quoted(self._url.connection)} as catalog (type postgres)")
            # Two that find the catalog empty would both fill it.
            with locked(self._root, Purpose.OPENING):
                self.data_path = self._url.data_path or self._recorded_path()
                object_storage.prepare(self._root, self.data_path)
                self._attach_lake()
        except duckdb.IOException as error:
            raise Unavailable(f"{self.url}: the catalog does not answer: {self.said(error)}") from None
        except duckdb.Error as error:
            raise ConfigError(f"{self.url}: cannot be opened as a run store: {self.said(error)}") from None

    def _recorded_path(self) -> str:
        """Give where the data is, as the catalog says: the engine wants to be made able to reach it first."""
        path = (
            ask(self._root, "select value from ducklake_metadata where key = 'data_path'")
            if ask(self._root, "select to_regclass('ducklake_metadata')::text") is not None
            else None
        )
        if path is None:
            raise ConfigError(
                f"{self.url}: the catalog is empty, so this would be a new lake, and nothing says where its data goes. "
                "Add data_path=s3://bucket/prefix (or abfss://, az://, gs://, or a folder all share)."
            )
        return str(path).removesuffix(_TABLES)

    def _attach_lake(self) -> None:
        lake = _quoted("ducklake:postgres:" + self._url.connection)
        data_path = _quoted(self.data_path + _TABLES)
        self._root.execute(f"attach {lake} as lake (data_path {data_path}, data_inlining_row_limit 0)")
        connection = self.connect()
        try:
            schema.prepare(connection, where=self.url, dialect=packing.DIALECT)
            named = connection.execute(
                "select table_id::varchar, table_name from ducklake_table_info('lake')"
            ).fetchall()
            self._tables = dict(named)
            # From here on no statement, whoever wrote it, reads or writes elsewhere.
            connection.execute("set allowed_directories = [?]", [self.data_path])
            connection.execute("set enable_external_access = false")
        finally:
            connection.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
