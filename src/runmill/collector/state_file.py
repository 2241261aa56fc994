"""What a receiver must not forget, in an SQLite file: opened, and begun anew where the old one is damaged."""

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["open_state"]

_log: Final = logging.getLogger(__name__)


def open_state(path: Path | None, prepare: Callable[[sqlite3.Connection], None], *, lost: str) -> sqlite3.Connection:
    """Open the file at *path*, made if there is none; None: in memory.

    *prepare* makes the tables and raises DatabaseError for those of another version. A file that is damaged, or
    another's, is put aside, and *lost* says in the warning what follows from it.
    """
    try:
        return _opened(path, prepare)
    except sqlite3.DatabaseError as error:
        if path is None:
            raise
        aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        _log.warning("%s: %s; it is put aside as %s, and %s", path, error, aside, lost)
        path.replace(aside)
        for leftover in ("-wal", "-shm"):
            path.with_name(path.name + leftover).unlink(missing_ok=True)
        return _opened(path, prepare)


def _opened(path: Path | None, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    # One thread at a time uses it, not always the same one.
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=10)
    try:
        connection.execute("pragma journal_mode = wal")
        # What is lost with the power would be made anew with other bytes under the same number.
        connection.execute("pragma synchronous = full")
        prepare(connection)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
