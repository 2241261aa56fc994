# STOP, before this is committed: `set threads` while other connections work DEADLOCKS the process (shown within 20 s by
# /tmp/stress_set_threads.py: 2 togglers, 1 writer, 2 readers that drop a stream). Lowering the count joins the worker
# in whichever query ends next; where that one ends with Python's GIL held (a stream that is thrown away), and the worker
# frees an Arrow buffer of NumPy's, each waits for the other. Ask both halves of the rows on two connections instead, each
# on a thread of its own (`cursor()` + ThreadPoolExecutor): no setting changes, and both cores are used.
"""More threads for the engine while a long read is under way, and only then.

A second thread halves the time of a search through every message. But as long as there is one, each commit takes twice
the processor time: who waits for what the other thread does, waits busily.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

import duckdb

__all__ = ["Hurry"]

_ENOUGH: Final = 4
"""More would leave a server nothing for those who log."""


class Hurry:
    """Switches the engine of *root* from *threads* to as many as help and back; that takes a third of a millisecond."""

    def __init__(self, root: duckdb.DuckDBPyConnection, *, threads: int) -> None:
        self._root = root
        self._threads = threads
        self._most = max(threads, min(_ENOUGH, os.cpu_count() or 1))
        self._lock = threading.Lock()
        self._held_count = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have more threads for the block; when several overlap, until the last of them ends."""
        self._move(+1)
        try:
            yield
        finally:
            self._move(-1)

    def _move(self, by: int) -> None:
        with self._lock:
            was_held = self._held_count > 0
            self._held_count += by
            if was_held != (self._held_count > 0) and self._threads != self._most:
                with closing(self._root.cursor()) as connection:
                    connection.execute("set threads = ?", [self._threads if was_held else self._most])
