"""Locks in the catalog's database, for all who have it open: they end with the connection, so with its process.

A PostgreSQL advisory lock, taken in a transaction of a connection of its own, beside the one that writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Final

import duckdb

__all__ = ["Purpose", "ask", "locked"]

_OURS: Final = 1_920_298_605
"""Tells runmill's locks from those of other programs in the same database."""


class Purpose(IntEnum):
    """What a lock keeps others from."""

    OPENING = 1
    WRITING = 2
    PACKING = 3


# A sender waits for a commit, and may ask again; many that are started together open one after the other.
_PATIENCE: Final = {Purpose.OPENING: "90s", Purpose.WRITING: "10s", Purpose.PACKING: "10s"}

# For the one transaction: when the server gives up a holder that sleeps, and how soon it notices that a holder's
# machine is gone.
_SETTINGS: Final = {
    "idle_in_transaction_session_timeout": "15min",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
}


@contextmanager
def locked(root: duckdb.DuckDBPyConnection, purpose: Purpose) -> Iterator[bool]:
    """Hold a lock for the block and say True; packing does not wait, and says False when another is at it.

    Raises duckdb.Error when the lock is not to be had, and after the block when it was lost on the way.
    """
    connection = root.cursor()
    try:
        connection.begin()
        settings = _SETTINGS | {"lock_timeout": _PATIENCE[purpose]}
        set_all = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
        ask(connection, f"select array[{set_all}]::text")
        if purpose is Purpose.PACKING:
            yield bool(ask(connection, f"select pg_try_advisory_xact_lock({_OURS}, {purpose:d})"))
        else:
            ask(connection, f"select pg_advisory_xact_lock({_OURS}, {purpose:d})::text")
            yield True
    finally:
        # The lock matters no more: what was done under it was committed, or refused, by the catalog itself.
        with suppress(duckdb.Error):
            connection.rollback()
        connection.close()


def ask(connection: duckdb.DuckDBPyConnection, question: str) -> object:
    """Give the one value that the catalog's database answers to SQL of its own."""
    escaped = question.replace("'", "''")
    statement = f"select * from postgres_query('catalog', '{escaped}')"  # noqa: S608 - our own text
    [(answer,)] = connection.execute(statement).fetchall()
    return answer
