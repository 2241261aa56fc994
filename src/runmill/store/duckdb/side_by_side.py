"""A search through very many messages, part by part, by two threads: the pages of the parts become one.

The engine itself has one thread: with more, each commit takes twice the processor time, and their number cannot be
changed while it works.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from runmill.store.duckdb.logs import paged
from runmill.store.duckdb.tallies import Span
from runmill.store.query import LogPage, LogQuery

__all__ = ["side_by_side"]

_THREADS: Final = 2
"""More would leave a server nothing for those who log."""


def side_by_side(page: Callable[[LogQuery, Span], LogPage], query: LogQuery, parts: Sequence[Span]) -> LogPage:
    """Give the page of *query* over all *parts*, the earliest first; *page* looks into one.

    The parts hold each record once.
    """
    is_newest = query.after is None and query.committed_after is None
    since = query.since_unix_nano

    def look(part: Span) -> LogPage:
        nonlocal since
        found = page(replace(query, since_unix_nano=since), part)
        if is_newest and found.more_before:  # what is older than this full page is on none, whatever part it is in
            oldest = found.records[0].time_unix_nano
            since = oldest if since is None else max(since, oldest)
        return found

    with ThreadPoolExecutor(_THREADS) as pool:
        return _joined(list(pool.map(look, reversed(parts))), query, is_newest=is_newest)


def _joined(pages: Sequence[LogPage], query: LogQuery, *, is_newest: bool) -> LogPage:
    """Join them: what is beyond a part's page lies beyond the whole one."""
    by_commit = query.committed_after is not None
    found = sorted(
        (record for page in pages for record in page.records),
        key=lambda record: (0 if by_commit else record.time_unix_nano, record.cursor),
    )
    records = found[-query.limit :] if is_newest else found[: query.limit]
    is_cut = len(records) < len(found)
    joined = paged(
        records,
        more_before=any(page.more_before for page in pages) or (is_cut and is_newest),
        more_after=any(page.more_after for page in pages) or (is_cut and not is_newest),
    )
    return replace(joined, committed=pages[0].committed)
