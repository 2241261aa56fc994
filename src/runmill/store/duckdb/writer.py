"""The one who commits, a commit at a time, and moves on what is known and who listens.

Other processes may commit to the same tables. What they committed is taken note of first, in the transaction of the
next commit or when somebody asks: so numbers go on where theirs ended, and a repeat of theirs is known as one.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import duckdb

from runmill.errors import Refused, Rejected, Unavailable
from runmill.store.duckdb import events, news, pruning
from runmill.store.duckdb.append import Commit, append
from runmill.store.duckdb.attachment import Attachment
from runmill.store.duckdb.folding import fold
from runmill.store.duckdb.known import Known
from runmill.store.duckdb.live import Listeners, committed
from runmill.store.duckdb.pruning import Taken
from runmill.store.duckdb.transaction import transaction
from runmill.store.interface import Compacted, Delivery
from runmill.store.query import PruneQuery
from runmill.store.retention import families

__all__ = ["Writer"]

_ATTEMPTS: Final = 5
"""A commit that came second is tried again so often."""


class Writer:
    """Commits to the tables of *attachment*, which stays its owner's to close. Safe from any thread."""

    def __init__(self, attachment: Attachment, clock: Callable[[], int]) -> None:
        self._attachment = attachment
        self._clock = clock
        self._lock = threading.Lock()
        self.listeners = Listeners()
        self._connection = attachment.connect()
        with transaction(self._connection):
            self.known = self._read()

    def append(self, deliveries: Sequence[Delivery]) -> int:
        """Commit all of *deliveries* in one transaction; give how many of them were repeats and left out."""
        with self._writing():
            with self._attachment.alone():
                commit = self._commit(deliveries)
            # Others may commit by now.
            self.known.take(commit, self._connection)
            self._note_own_commit()
            self.listeners.tell(committed(commit))
        return commit.repeats

    def fold(self) -> Compacted:
        """Fold what grows by rows a commit; nobody is told, for no answer changes."""
        with self._writing():
            with self._attachment.alone(), transaction(self._connection):
                self._catch_up()
                folded = fold(self._connection)
            self._note_own_commit()
        return folded

    def prune(self, query: PruneQuery) -> Taken:
        """Take out what *query* says, in one transaction, and read what is known anew."""
        with self._writing(), self._attachment.alone():
            with transaction(self._connection):
                self._catch_up()
            models = {event.run_id for event in events.model_events(self._connection)}
            runs = families(self.known.catalogue.all(), kept=models, now_unix_nano=self._clock())
            taken = pruning.chosen(self._connection, runs, query, used_bytes=self._attachment.used_bytes)
            if taken and not query.dry_run:
                pruning.remove(self._connection, taken, query, last_seq=self.known.last_seq)
                with transaction(self._connection):
                    self.known = self._read()
        return taken

    def catch_up(self) -> None:
        """Take note of what other processes committed, and tell those who listen. Raises Unavailable."""
        try:
            with self._lock, transaction(self._connection):
                self._catch_up()
        except duckdb.Error as error:
            raise Unavailable(f"{self._attachment.url}: {self._attachment.said(error)}") from error

    def close(self) -> None:
        """Return when the commit that is on its way is done; begin no more."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._attachment.check_open()
            try:
                yield
            except (duckdb.DataError, duckdb.IntegrityError) as error:
                raise Rejected(f"{self._attachment.url}: the batch holds what no table takes: {error}") from error
            except duckdb.Error as error:
                raise Refused(f"{self._attachment.url}: cannot commit now: {self._attachment.said(error)}") from error

    def _commit(self, deliveries: Sequence[Delivery]) -> Commit:
        for _ in range(_ATTEMPTS - 1):
            with suppress(duckdb.TransactionException):  # another commit came first: what was read is not so any more
                return self._commit_once(deliveries)
        return self._commit_once(deliveries)

    def _commit_once(self, deliveries: Sequence[Delivery]) -> Commit:
        with transaction(self._connection):
            self._catch_up()
            known = self.known
            return append(self._connection, deliveries, last_seq=known.last_seq, sequences=known.sequences)

    def _note_own_commit(self) -> None:
        # When it changed nothing there was no commit, and the last one of ours is older than what is known.
        self.known.snapshot = max(self.known.snapshot, self._attachment.last_committed(self._connection))

    def _read(self) -> Known:
        return Known(self._attachment, self._connection, self._clock)

    def _catch_up(self) -> None:
        """Do it in the transaction that is open."""
        newest = self._attachment.newest(self._connection)
        if newest == self.known.snapshot:
            return
        grown = self._attachment.grown(self._connection, since=self.known.snapshot, newest=newest)
        wanted = news.TABLES if self.listeners else news.TABLES - news.ROWS
        found = news.read(
            self._connection, after=self.known.last_seq, tables=wanted if grown is None else wanted & grown
        )
        if grown is None:
            self.known = self._read()
        else:
            self.known.take(found, self._connection)
            self.known.sequences.forget()
            self.known.snapshot = newest
        self.listeners.tell(committed(found))
