"""The filters of a log page one by one: as words, as addresses without them, and which of them matched nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from runmill.store.interface import Store
from runmill.store.query import LogQuery
from runmill.views.portal.wording import clock

__all__ = ["FILTERS", "Chip", "Nothing", "chips_of", "explain_nothing", "without"]

FILTERS: Final = ("level", "logger", "q", "text", "service", "stream", "rank", "since", "until", "at")
"""The parameters of a log page's address, paging apart."""

_FIELDS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    ("level",): ("min_severity",),
    ("logger",): ("logger",),
    ("q",): ("where",),
    ("text",): ("text",),
    ("stream",): ("stream",),
    ("rank",): ("rank",),
    ("since", "until"): ("since_unix_nano", "until_unix_nano"),
}
"""What a reader takes for one filter: its parameters, and the fields of a query they become."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words, with the query string that leaves it out."""

    label: str
    names: tuple[str, ...]
    """Of its parameters."""
    without: str
    count: int = 0
    """Where it is told why nothing matches: how many lines there are without it."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why a page is empty."""

    culprits: tuple[str, ...]
    """The filters that alone match nothing, in words."""
    remedies: tuple[Chip, ...]
    """The filters that may be left out one at a time to see something."""


def without(filters: Mapping[str, str], *names: str) -> str:
    """Give the query string of *filters* without those named."""
    return urlencode({key: value for key, value in filters.items() if key not in names})


def chips_of(query: LogQuery, filters: Mapping[str, str], at_unix_nano: int | None) -> Iterator[Chip]:
    """Yield the filters that have no field of their own in the form."""
    if query.since_unix_nano is not None or query.until_unix_nano is not None:
        yield Chip(_span(query), ("since", "until"), without(filters, "since", "until"))
    if at_unix_nano is not None:
        yield Chip(f"around {clock(at_unix_nano)}", ("at",), without(filters, "at"))
    if query.text is not None:
        yield Chip(f"text {query.text!r}", ("text",), without(filters, "text"))
    if query.rank is not None:
        yield Chip(f"rank {query.rank}", ("rank",), without(filters, "rank"))
    if query.stream is not None:
        yield Chip(query.stream, ("stream",), without(filters, "stream"))


def explain_nothing(store: Store, query: LogQuery, filters: Mapping[str, str]) -> Nothing:
    """Say which filters of *query*, which matched nothing, are to blame."""
    bare = LogQuery(run_id=query.run_id, service=query.service, limit=1)
    culprits, remedies = [], []
    for names, fields in _FIELDS.items():
        if not any(name in filters for name in names):
            continue
        label = (
            _span(query) if "since" in names else f"{'query' if names[0] == 'q' else names[0]} {filters[names[0]]!r}"
        )
        if not store.logs(replace(bare, **{field: getattr(query, field) for field in fields})).records:
            culprits.append(label)
        relaxed = replace(query, **{field: getattr(bare, field) for field in fields})
        if count := sum(each.count for each in store.log_counts(relaxed, slices=1)):
            remedies.append(Chip(label, names, without(filters, *names), count))
    return Nothing(tuple(culprits), tuple(remedies))


def _span(query: LogQuery) -> str:
    since, until = query.since_unix_nano, query.until_unix_nano
    if since is not None and until is not None:
        return f"{clock(since)} to {clock(until)}"
    return f"since {clock(since)}" if since is not None else f"until {clock(until or 0)}"
