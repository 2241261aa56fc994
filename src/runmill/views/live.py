"""Server-sent events: first what the reader missed, then every commit as it comes."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias

from anyio import to_thread
from fastapi import APIRouter, Header
from starlette.responses import StreamingResponse

from runmill.errors import InvalidArgument
from runmill.model import LogRecord, MetricPoint, RunId
from runmill.store.interface import Store
from runmill.store.query import LogQuery
from runmill.views.answers import encode
from runmill.views.feed import Feed, News
from runmill.views.log_filter import matcher
from runmill.views.parameters import LogFilters

__all__ = ["LastEventId", "LogsEncoder", "Stream", "records_as_json", "stream_routes"]

LastEventId: TypeAlias = Annotated[str, Header(description="the greatest `cursor` the reader has")]

LogsEncoder: TypeAlias = Callable[[Sequence[LogRecord], int], object]
"""Records and their greatest cursor to the data of a ``logs`` event; the portal's form holds ready lines."""

_KEEP_ALIVE_SECONDS: Final = 15.0
_RECORDS_AN_EVENT: Final = 1_000
_PAGES_TO_CATCH_UP: Final = 10


def stream_routes(store: Store) -> APIRouter:
    """Give the two ``/stream`` routes."""
    routes = APIRouter(tags=["live"])

    @routes.get("/runs/{run_id}/stream")
    async def run_stream(run_id: str, filters: LogFilters, last_event_id: LastEventId = "") -> StreamingResponse:
        """The run's commits as they come."""
        run = await to_thread.run_sync(store.run, RunId(run_id))
        query = replace(filters, run_id=run.run_id)
        return Stream(store, query, records_as_json).answer(last_event_id)

    @routes.get("/logs/stream")
    async def everything_stream(
        filters: LogFilters, service: str = "", last_event_id: LastEventId = ""
    ) -> StreamingResponse:
        """Every log record that fits, as it is committed."""
        query = replace(filters, service=service or None)
        return Stream(store, query, records_as_json).answer(last_event_id)

    return routes


def records_as_json(records: Sequence[LogRecord], last: int) -> object:
    """Give the API's form of a ``logs`` event."""
    return {"records": records, "last": last}


@dataclass(frozen=True, slots=True)
class Stream:
    """What one reader follows: the filters of *query*, whose ``after`` is a record's cursor here, not a page's."""

    store: Store
    query: LogQuery
    encode_logs: LogsEncoder

    def answer(self, last_event_id: str) -> StreamingResponse:
        """Begin to send; *last_event_id*, which a browser adds when it reconnects, wins over ``after``."""
        after = _cursor(last_event_id or self.query.after)
        # X-Accel-Buffering: nginx would hold events back until its buffer is full.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(after), media_type="text/event-stream", headers=headers)

    async def _events(self, after: int | None) -> AsyncIterator[bytes]:
        feed = Feed(self.store, self.query.run_id)
        try:
            yield b"retry: 2000\n\n"
            # Listening began before this reads, so nothing falls between; what is in both is known by its cursor.
            missed, sent = await to_thread.run_sync(self._missed, after)
            for event in missed:
                yield event
            while True:
                async for event in self._news(feed, sent):
                    yield event
        finally:
            feed.close()

    async def _news(self, feed: Feed, sent: int) -> AsyncIterator[bytes]:
        news = await feed.take(timeout_seconds=_KEEP_ALIVE_SECONDS)
        if news is None:
            yield b": still here\n\n"
            return
        for event in await to_thread.run_sync(self._encoded, news, sent):
            yield event

    def _encoded(self, news: News, sent: int) -> list[bytes]:
        fits = matcher(self.query)
        records = [record for record in news.logs if record.cursor > sent and fits(record)]
        events = list(self._log_events(records))
        run_id = self.query.run_id
        if news.points:
            events.append(_event("points", {"metrics": _grown(news.points)}))
        if news.events and run_id is not None:
            events.append(_event("run", self.store.run(run_id)))
        if news.artifacts:
            events.append(_event("files", {"files": news.artifacts}))
        if news.dropped_count:
            events.append(_event("dropped", {"count": news.dropped_count}))
        return events

    def _log_events(self, records: Sequence[LogRecord]) -> Iterator[bytes]:
        for start in range(0, len(records), _RECORDS_AN_EVENT):
            part = records[start : start + _RECORDS_AN_EVENT]
            last = max(record.cursor for record in part)
            yield _event("logs", self.encode_logs(part, last), event_id=last)

    def _missed(self, after: int | None) -> tuple[list[bytes], int]:
        """Give the events of what was committed since cursor *after*, and the greatest cursor in them."""
        if after is None:
            return [], -1
        newest_first: list[LogRecord] = []
        page = self.store.logs(replace(self.query, after=None, before=None, limit=_RECORDS_AN_EVENT))
        for _ in range(_PAGES_TO_CATCH_UP):
            newer = [record for record in page.records if record.cursor > after]
            newest_first += reversed(newer)
            if len(newer) < len(page.records) or not page.more_before:
                break
            page = self.store.logs(replace(self.query, after=None, before=page.first, limit=_RECORDS_AN_EVENT))
        else:
            older = sum(1 for record in page.records if record.cursor > after)
            return [*self._log_events(newest_first[::-1]), _event("dropped", {"count": older})], _greatest(newest_first)
        return list(self._log_events(newest_first[::-1])), _greatest(newest_first)


def _greatest(records: Sequence[LogRecord]) -> int:
    return max((record.cursor for record in records), default=-1)


def _cursor(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument(
            f"after={text!r} is no cursor. Give the `cursor` of the last record you have, or nothing."
        )
    return int(text)


def _grown(points: Sequence[MetricPoint]) -> list[dict[str, object]]:
    """Say which series grew: by how many points, and to what."""
    newest: dict[tuple[str, str | None], dict[str, object]] = {}
    counts: dict[tuple[str, str | None], int] = {}
    for point in points:
        key = point.metric, point.column
        counts[key] = counts.get(key, 0) + 1
        newest[key] = {"metric": point.metric, "column": point.column, "last": point.value, "last_step": point.step}
    return [{**entry, "count": counts[key]} for key, entry in newest.items()]


def _event(name: str, data: object, *, event_id: int | None = None) -> bytes:
    identity = b"" if event_id is None else b"id: %d\n" % event_id
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), identity, encode(data))
