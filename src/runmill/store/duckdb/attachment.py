"""Where the engine's tables are: in a file of this process, or in a lake it shares with others."""

from contextlib import AbstractContextManager
from typing import Protocol

import duckdb

from runmill.store.interface import Grouping

__all__ = ["Attachment"]


class Attachment(Protocol):
    """The tables, with a connection of its own for each who asks."""

    @property
    def url(self) -> str:
        """What opens this store, without secrets."""

    @property
    def grouping(self) -> Grouping:
        """How batches are best grouped into commits."""

    @property
    def poll_seconds(self) -> float | None:
        """How often to ask what other processes committed; None: no other process can."""

    def check_open(self) -> None:
        """Raise Unavailable after `close`."""

    def said(self, error: duckdb.Error, /) -> str:
        """Give what the engine said, without secrets."""

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Give a connection of its own; the caller closes it. Raises Unavailable after `close`."""

    def reader(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Lend a connection for one read; readers and the writer do not wait for each other."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep the writers of other processes away for the block. Raises duckdb.Error when they do not let go."""

    def newest(self, connection: duckdb.DuckDBPyConnection, /) -> int:
        """Give the number of the newest commit that *connection* sees, whoever made it; always 0 in a file."""

    def last_committed(self, connection: duckdb.DuckDBPyConnection, /) -> int:
        """Give the number of the last commit that *connection* made; always 0 in a file."""

    def grown(self, connection: duckdb.DuckDBPyConnection, /, *, since: int, newest: int) -> set[str] | None:
        """Name the tables that commits after *since* added rows to.

        None: rows were taken out, or folded, and what is known must be read anew.
        """

    def used_bytes(self, connection: duckdb.DuckDBPyConnection, /) -> float:
        """Measure what the rows take."""

    def size_bytes(self) -> int:
        """Measure all that is kept."""

    def rest(self) -> None:
        """Give back memory, now that nothing comes."""

    @property
    def fold_commits(self) -> int:
        """After so many commits it is time to fold and to pack."""

    def pack(self) -> None:
        """Make few large files of many small ones, and delete those that are out of use."""

    def close(self) -> None:
        """Let go. Safe to call twice."""
