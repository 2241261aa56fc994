"""A search through very many messages, by two threads: each looks through a half, and their pages become one.

The engine itself has one thread: with more, each commit takes twice the processor time, and their number cannot be
changed while it works.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from runmill.store.duckdb.logs import paged
from runmill.store.duckdb.tallies import Span
from runmill.store.query import LogPage, LogQuery

__all__ = ["side_by_side"]


def side_by_side(page: Callable[[Span], LogPage], query: LogQuery, halves: Sequence[Span]) -> LogPage:
    """Give the page of *query* over all *halves*, which hold each record once; *page* gives that over one."""
    with ThreadPoolExecutor(len(halves)) as pool:
        pages = list(pool.map(page, halves))
    return _joined(pages, query)


def _joined(pages: Sequence[LogPage], query: LogQuery) -> LogPage:
    """Join them: what is beyond a part's page lies beyond the whole one."""
    by_commit = query.committed_after is not None
    found = sorted(
        (record for page in pages for record in page.records),
        key=lambda record: (0 if by_commit else record.time_unix_nano, record.cursor),
    )
    is_newest = query.after is None and not by_commit
    records = found[-query.limit :] if is_newest else found[: query.limit]
    is_cut = len(records) < len(found)
    joined = paged(
        records,
        more_before=any(page.more_before for page in pages) or (is_cut and is_newest),
        more_after=any(page.more_after for page in pages) or (is_cut and not is_newest),
    )
    return replace(joined, committed=pages[0].committed)
