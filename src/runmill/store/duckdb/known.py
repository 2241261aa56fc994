"""What is known without reading a table: which runs there are, how many rows of what, and the newest number."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

import duckdb

from runmill.model import RunEvent, RunId
from runmill.store.catalogue import Catalogue
from runmill.store.duckdb import events, sightings, tallies
from runmill.store.duckdb.append import Commit
from runmill.store.duckdb.attachment import Attachment
from runmill.store.duckdb.sequences import Sequences
from runmill.store.duckdb.sightings import Sightings
from runmill.store.duckdb.tallies import Span
from runmill.store.query import LogQuery

__all__ = ["Known"]

_EVERYTHING: Final = Span(0, 2**63 - 1)
_LAST_SEQ: Final = """
    select coalesce(max(seq), 0) from (
        select max(last_seq) as seq from log_summaries union all select max(last_seq) from point_summaries
        union all select max(ingest_seq) from events union all select max(ingest_seq) from artifacts
        union all select max(last_seq) from prunings)"""


class Known:
    """Read once from *connection*, in its transaction, and moved on by each commit."""

    def __init__(self, attachment: Attachment, connection: duckdb.DuckDBPyConnection, clock: Callable[[], int]) -> None:
        self._attachment = attachment
        self.snapshot = attachment.newest(connection)
        """What is known is what was there at this snapshot."""
        [(self.last_seq,)] = connection.execute(_LAST_SEQ).fetchall()
        self.sequences = Sequences()
        self.tallies = tallies.read(connection)
        self.catalogue = Catalogue(self._load_events, clock)
        self._sightings = Sightings(self.catalogue)
        self._sightings.note(connection, sightings.read(connection))

    def take(self, commit: Commit, connection: duckdb.DuckDBPyConnection) -> None:
        """Move on by the next commit; *connection* sees it."""
        self.tallies.add(commit.log_tallies(), commit.point_tallies())
        self._sightings.note(connection, commit.sightings())
        self.catalogue.changed(commit.changed_runs())
        self.last_seq = commit.last_seq

    def full_id(self, given: RunId | None) -> RunId | None:
        """Give the id that *given* is a unique prefix of, else what was given."""
        return None if given is None else self.catalogue.find(given) or given

    def within(self, query: LogQuery) -> tuple[LogQuery, Span]:
        """Give *query* with the run's full id, and where its records lie."""
        run_id = self.full_id(query.run_id)
        if run_id is None:
            return query, _EVERYTHING
        return replace(query, run_id=run_id), self.tallies.log_span(run_id)

    def _load_events(self, run_ids: Collection[RunId]) -> Mapping[RunId, list[RunEvent]]:
        with self._attachment.reader() as connection:
            return events.events_of(connection, run_ids)
