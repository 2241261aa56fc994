"""A page of log lines: the newest, those beside another page, or those around a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from runmill.store.interface import Store
from runmill.store.query import LogPage, LogQuery
from runmill.views.moment import logs_at
from runmill.views.portal.histogram import Histogram, histogram_of
from runmill.views.portal.lines import Line, line_of
from runmill.views.portal.log_filters import FILTERS, Chip, Nothing, chips_of, explain_nothing

__all__ = ["LogView", "log_view"]

_SLICES: Final = 120


@dataclass(frozen=True, slots=True)
class LogView:
    """What a log list shows."""

    filters: Mapping[str, str]
    """As they stand in the address; only those that are set."""
    lines: tuple[Line, ...]
    page: LogPage
    names: tuple[tuple[str, int], ...]
    """Loggers (or services) to choose from, with their counts."""
    live: bool
    """Whether it ends at the newest record: then it may go on by itself."""
    at_unix_nano: int | None
    """The moment it was asked to show: then it has lines from before and after it, and does not follow."""
    chips: tuple[Chip, ...]
    nothing: Nothing | None
    """Of a page that its filters left empty: why."""
    histogram: Histogram | None

    @property
    def older(self) -> str:
        """The query string of the page before; empty where there is none."""
        return self._beside("before", self.page.first) if self.page.more_before else ""

    @property
    def newer(self) -> str:
        """The query string of the page after."""
        return self._beside("after", self.page.last) if self.page.more_after else ""

    @property
    def place_of_moment(self) -> int:
        """How many lines are before the moment; -1 where none was asked for."""
        at = self.at_unix_nano
        return -1 if at is None else sum(1 for line in self.lines if line.record.time_unix_nano < at)

    def query_of(self, **changed: object) -> str:
        """Give the query string with other filters."""
        kept = {key: value for key, value in self.filters.items() if key != "at"}
        return urlencode({**kept, **changed})

    def _beside(self, name: str, place: str | None) -> str:
        return self.query_of(**{name: place or ""})


def log_view(
    store: Store,
    request: Request,
    query: LogQuery,
    names: list[tuple[str, int]],
    *,
    at_unix_nano: int | None = None,
    with_histogram: bool = False,
) -> LogView:
    """Read the page that *query* asks for; half of it before *at_unix_nano* and half after, where that is given."""
    page = logs_at(store, query, at_unix_nano)
    filters = {key: value for key in FILTERS if (value := request.query_params.get(key))}
    counts = store.log_counts(query, slices=_SLICES) if with_histogram and page.records else []
    return LogView(
        filters=filters,
        lines=tuple(line_of(record) for record in page.records),
        page=page,
        names=tuple(names),
        live=not page.more_after and query.until_unix_nano is None,
        at_unix_nano=at_unix_nano,
        chips=tuple(chips_of(query, filters, at_unix_nano)),
        nothing=explain_nothing(store, query, filters) if filters and not page.records else None,
        histogram=histogram_of(counts, slices=_SLICES),
    )
