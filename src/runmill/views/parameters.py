"""Query strings to store queries: the same parameters on the API and on the pages."""

import datetime as dt
import re
import time
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import Depends, Query

from runmill.errors import InvalidArgument
from runmill.model import RunId, RunStatus
from runmill.store import search
from runmill.store.levels import parse_level
from runmill.store.query import LogQuery, RunQuery
from runmill.store.run_search import parse_runs

__all__ = ["LogFilters", "RunFilters", "parse_level", "parse_moment"]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def parse_moment(name: str, text: str | None, *, now_unix_nano: int) -> int | None:
    """Give the time meant by nanoseconds, an ISO 8601 time (UTC where it names no zone) or an age like ``15m``."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    if age := _AGE.fullmatch(text):
        return now_unix_nano - round(float(age[1]) * _SECONDS[age[2]] * 1e9)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(
            f"{name}={text!r} is no time. Give nanoseconds since the epoch, an ISO 8601 time or an age like '15m'."
        ) from None
    return _unix_nano(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))


def _unix_nano(moment: dt.datetime) -> int:
    # Integers all the way: a float of nanoseconds is off by hundreds of them.
    since_epoch = moment - dt.datetime.fromtimestamp(0, dt.UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000_000 + since_epoch.microseconds * 1_000


def _log_filters(
    *,
    level: Annotated[str, Query(description="a name (WARNING) or a severity_number (13); and above")] = "",
    logger: Annotated[str, Query(description="a logger and its children")] = "",
    text: Annotated[str, Query(description="found in the body or the attributes, in any case")] = "",
    q: Annotated[str, Query(description="a query as docs/search.md says: level>=warning phase:eval")] = "",
    stream: Annotated[Literal["stdout", "stderr", ""], Query()] = "",
    rank: Annotated[int | None, Query()] = None,
    since: Annotated[str, Query(description="nanoseconds, an ISO 8601 time, or an age like 15m; inclusive")] = "",
    until: Annotated[str, Query(description="the same; exclusive")] = "",
    before: Annotated[str, Query(description="a page's first")] = "",
    after: Annotated[str, Query(description="a page's last")] = "",
    committed_after: Annotated[int | None, Query(ge=0, description="a page's committed: what came later")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> LogQuery:
    """Read the filters of log records; an empty parameter, as forms send it, is one not given."""
    now = time.time_ns()
    return LogQuery(
        min_severity=parse_level(level),
        logger=logger or None,
        text=text or None,
        where=search.parse(q),
        stream=stream or None,
        rank=rank,
        since_unix_nano=parse_moment("since", since, now_unix_nano=now),
        until_unix_nano=parse_moment("until", until, now_unix_nano=now),
        before=before or None,
        after=after or None,
        committed_after=committed_after,
        limit=limit,
    )


def _run_filters(
    *,
    experiment: Annotated[str, Query()] = "",
    status: Annotated[list[RunStatus] | None, Query()] = None,
    parent_id: Annotated[str, Query(description="children of this run")] = "",
    ancestor_id: Annotated[str, Query(description="all runs below this one")] = "",
    include_children: Annotated[bool, Query()] = False,
    tag: Annotated[list[str] | None, Query(description="KEY or KEY=VALUE")] = None,
    text: Annotated[str, Query(description="found in id, names, experiment or a tag, in any case")] = "",
    where: Annotated[str, Query(description="a query as docs/search.md says: mse<0.3 status:Completed")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> RunQuery:
    """Read the filters of runs."""
    return RunQuery(
        experiment=experiment or None,
        status=frozenset(status) if status else None,
        parent_id=RunId(parent_id) if parent_id else None,
        ancestor_id=RunId(ancestor_id) if ancestor_id else None,
        include_children=include_children,
        tags=tuple(_tag(each) for each in tag or ()),
        text=text or None,
        where=parse_runs(where),
        limit=limit,
        offset=offset,
    )


def _tag(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    return key, value if equals else None


LogFilters: TypeAlias = Annotated[LogQuery, Depends(_log_filters)]
RunFilters: TypeAlias = Annotated[RunQuery, Depends(_run_filters)]
