"""Log records around a moment: half of a page from before it, half from there on."""

import time
from dataclasses import replace
from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from runmill.store import cursor
from runmill.store.cursor import Position
from runmill.store.interface import Store
from runmill.store.query import LogPage, LogQuery
from runmill.views.parameters import parse_moment

__all__ = ["Moment", "logs_at"]


def _moment(at: Annotated[str, Query(description="the records around this time")] = "") -> int | None:
    return parse_moment("at", at, now_unix_nano=time.time_ns())


Moment: TypeAlias = Annotated[int | None, Depends(_moment)]
"""The time that an address names as ``at``."""


def logs_at(store: Store, query: LogQuery, at_unix_nano: int | None) -> LogPage:
    """Give the page that *query* asks for, but around *at_unix_nano* where that is given.

    There is at least one record from either side, where there are any.
    """
    if at_unix_nano is None:
        return store.logs(query)
    place, half = cursor.encode(Position(at_unix_nano, 0)), max(1, query.limit // 2)
    older = store.logs(replace(query, before=place, after=None, limit=half))
    newer = store.logs(replace(query, before=None, after=place, limit=half))
    return LogPage(
        records=older.records + newer.records,
        first=older.first or newer.first,
        last=newer.last or older.last,
        more_before=older.more_before,
        more_after=newer.more_after,
        # What is committed between the two looks may be in neither: a live view looks from the first of them on.
        committed=older.committed,
    )
