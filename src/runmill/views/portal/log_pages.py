"""The addresses of log lines: pages of them, and the streams that keep a page alive."""

from collections.abc import Sequence
from dataclasses import replace

from anyio import to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runmill.model import LogRecord, RunId
from runmill.store.interface import Store
from runmill.store.query import LogQuery
from runmill.views.answers import JsonResponse
from runmill.views.live import LastEventId, LogsEncoder, Stream
from runmill.views.moment import Moment
from runmill.views.parameters import LogFilters
from runmill.views.portal.lines import line_of
from runmill.views.portal.log_view import log_view
from runmill.views.portal.rendering import Renderer
from runmill.views.portal.run_head import run_head
from runmill.views.portal.words import log_words

__all__ = ["add_log_pages", "add_tails", "add_words"]


def add_log_pages(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    """Add the pages that are all log."""

    @portal.get("/runs/{run_id}/logs")
    def run_logs(request: Request, run_id: str, filters: LogFilters, at: Moment) -> Response:
        """The run's log, full width."""
        head = run_head(store, run_id, rank=filters.rank)
        query = replace(filters, run_id=head.run.run_id)
        loggers = store.loggers(head.run.run_id)
        view = log_view(store, request, query, loggers, at_unix_nano=at, with_histogram=True)
        return renderer.page(request, "logs.html", head=head, run=head.run, logs=view)

    @portal.get("/logs")
    def logs(request: Request, filters: LogFilters, at: Moment, service: str = "") -> Response:
        """Everything that logged, run or not."""
        query = replace(filters, service=service or None)
        view = log_view(store, request, query, store.services(), at_unix_nano=at, with_histogram=True)
        return renderer.page(request, "services.html", logs=view)


def add_words(portal: FastAPI, store: Store) -> None:
    """Add what may be typed into the search field of a log page."""

    @portal.get("/runs/{run_id}/words")
    def run_words(run_id: str) -> Response:
        """Of a run's log."""
        found = store.run(RunId(run_id)).run_id
        return JsonResponse(list(log_words(store, LogQuery(run_id=found), store.loggers(found))))

    @portal.get("/logs/words")
    def words(service: str = "") -> Response:
        """Of everything that logged."""
        return JsonResponse(list(log_words(store, LogQuery(service=service or None), store.loggers(None))))


def add_tails(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    """Add the API's streams with their log records as ready lines: one place says how a line looks."""

    @portal.get("/runs/{run_id}/tail")
    async def run_tail(
        request: Request, run_id: str, filters: LogFilters, last_event_id: LastEventId = ""
    ) -> StreamingResponse:
        """What is committed of the run."""
        run = await to_thread.run_sync(store.run, RunId(run_id))
        query = replace(filters, run_id=run.run_id)
        return Stream(store, query, _as_lines(renderer, request)).answer(last_event_id)

    @portal.get("/logs/tail")
    async def tail(
        request: Request, filters: LogFilters, service: str = "", last_event_id: LastEventId = ""
    ) -> StreamingResponse:
        """The same over everything."""
        query = replace(filters, service=service or None)
        return Stream(store, query, _as_lines(renderer, request)).answer(last_event_id)


def _as_lines(renderer: Renderer, request: Request) -> LogsEncoder:
    def encode_logs(records: Sequence[LogRecord], last: int) -> object:
        lines = [line_of(record) for record in records]
        return {"html": str(renderer.lines(request, lines)), "count": len(lines), "last": last}

    return encode_logs
