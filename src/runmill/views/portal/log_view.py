"""A page of log lines with what the reader filtered by, and in words what matched nothing."""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from runmill.store.interface import Store
from runmill.store.query import LogPage, LogQuery
from runmill.views.portal.lines import Line, line_of

__all__ = ["LogView", "log_view"]

_FILTERS: Final = ("level", "logger", "text", "service", "stream", "rank", "since", "until")


@dataclass(frozen=True, slots=True)
class LogView:
    """What a log list shows."""

    filters: dict[str, str]
    """As they stand in the address; only those that are set."""
    lines: tuple[Line, ...]
    page: LogPage
    names: tuple[tuple[str, int], ...]
    """Loggers (or services) to choose from, with their counts."""
    live: bool
    """Whether it ends at the newest record: then it may go on by itself."""
    older: str
    newer: str
    """Query strings of the pages beside it; empty where there is none."""
    culprit: str
    """Of an empty page: the filter that alone matches nothing, in words; empty if only their combination does."""

    @property
    def last_cursor(self) -> int:
        """The greatest cursor on the page: where a live view goes on."""
        return max((line.record.cursor for line in self.lines), default=0)


def log_view(store: Store, request: Request, query: LogQuery, names: list[tuple[str, int]]) -> LogView:
    """Read the page that *query* asks for."""
    page = store.logs(query)
    filters = {key: value for key in _FILTERS if (value := request.query_params.get(key))}
    return LogView(
        filters=filters,
        lines=tuple(line_of(record) for record in page.records),
        page=page,
        names=tuple(names),
        live=not page.more_after and query.until_unix_nano is None,
        older=urlencode({**filters, "before": page.first}) if page.more_before and page.first else "",
        newer=urlencode({**filters, "after": page.last}) if page.more_after and page.last else "",
        culprit="" if page.records else _culprit(store, query, filters),
    )


def _culprit(store: Store, query: LogQuery, filters: dict[str, str]) -> str:
    whole = LogQuery(run_id=query.run_id, service=query.service, limit=1)
    alone = (
        ("level", replace(whole, min_severity=query.min_severity)),
        ("logger", replace(whole, logger=query.logger)),
        ("text", replace(whole, text=query.text)),
        ("stream", replace(whole, stream=query.stream)),
        ("rank", replace(whole, rank=query.rank)),
    )
    for name, single in alone:
        if name in filters and not store.logs(single).records:
            return f"{name} {filters[name]!r}"
    return ""
