"""The portal's addresses: each page reads the store, and its template says the rest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from anyio import to_thread
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runmill.errors import NotFound, RunmillError
from runmill.model import LogRecord, Run, RunId
from runmill.store.interface import Store
from runmill.store.query import LogQuery, RunQuery
from runmill.views.answers import JsonResponse
from runmill.views.live import LastEventId, LogsEncoder, Stream
from runmill.views.parameters import LogFilters
from runmill.views.portal.assets import Assets
from runmill.views.portal.charts import metrics_view
from runmill.views.portal.documents import figure_of_metric
from runmill.views.portal.experiment import experiment_view
from runmill.views.portal.first_page import first_page
from runmill.views.portal.lines import line_of
from runmill.views.portal.log_view import log_view
from runmill.views.portal.rendering import Renderer
from runmill.views.problems import problem_of

__all__ = ["create_portal"]

_RUNS_A_PAGE: Final = 200
_FOUND_RUNS: Final = 50


def create_portal(store: Store, *, version: str) -> FastAPI:
    """Give the application that stands at ``/``."""
    portal = FastAPI(openapi_url=None)
    assets = Assets()
    renderer = Renderer(assets, version=version)

    def answer_problem(request: Request, error: Exception) -> Response:
        problem = problem_of(request, error)
        return renderer.page(request, "problem.html", status=problem.status, problem=problem)

    for kind in (RunmillError, RequestValidationError, HTTPException, Exception):
        portal.add_exception_handler(kind, answer_problem)
    portal.add_route("/static/{version}/{name}", assets.serve)
    _add_overviews(portal, store, renderer)
    _add_run_pages(portal, store, renderer)
    _add_log_pages(portal, store, renderer)
    _add_tails(portal, store, renderer)
    return portal


def _add_overviews(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/")
    def overview(request: Request, text: str = "") -> Response:
        """What is going on; with a search, the runs it finds."""
        found = store.runs(RunQuery(text=text, include_children=True, limit=_FOUND_RUNS)) if text else None
        return renderer.page(request, "home.html", home=first_page(store), found=found, text=text)

    @portal.get("/experiments/{name:path}")
    def experiment(request: Request, name: str, metric: str = "", sort: str = "") -> Response:
        """Which one is best."""
        runs = store.runs(RunQuery(experiment=name, limit=_RUNS_A_PAGE))
        if not runs:
            raise NotFound(f"No run of an experiment {name!r} is in the store. The first page lists the experiments.")
        view = experiment_view(store, name, runs, metric=metric, sort=sort)
        return renderer.page(request, "experiment.html", view=view, sort=sort)


def _add_run_pages(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}")
    def run(request: Request, run_id: str, filters: LogFilters) -> Response:
        """Is it going well: curves and the live tail side by side."""
        state = _run(store, run_id)
        query = replace(filters, run_id=state.run_id)
        return renderer.page(
            request,
            "run.html",
            run=state,
            metrics=metrics_view(store, state.run_id),
            files=store.artifacts(state.run_id),
            logs=log_view(store, request, query, store.loggers(state.run_id)),
        )

    @portal.get("/runs/{run_id}/metrics")
    def metrics(request: Request, run_id: str) -> Response:
        """All metrics, full width."""
        state = _run(store, run_id)
        return renderer.page(request, "metrics.html", run=state, metrics=metrics_view(store, state.run_id))

    @portal.get("/runs/{run_id}/figure")
    def figure(run_id: str, metric: str) -> Response:
        """One of the JSON kinds as its script draws it."""
        return JsonResponse(figure_of_metric(store, _run(store, run_id).run_id, metric))

    @portal.get("/runs/{run_id}/files")
    def files(request: Request, run_id: str) -> Response:
        """All files."""
        state = _run(store, run_id)
        return renderer.page(request, "files.html", run=state, files=store.artifacts(state.run_id))

    @portal.get("/runs/{run_id}/events")
    def events(request: Request, run_id: str) -> Response:
        """What happened to the run."""
        state = _run(store, run_id)
        return renderer.page(request, "events.html", run=state, events=store.run_events(state.run_id))


def _add_log_pages(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}/logs")
    def run_logs(request: Request, run_id: str, filters: LogFilters) -> Response:
        """The run's log, full width."""
        state = _run(store, run_id)
        view = log_view(store, request, replace(filters, run_id=state.run_id), store.loggers(state.run_id))
        return renderer.page(request, "logs.html", run=state, logs=view)

    @portal.get("/logs")
    def logs(request: Request, filters: LogFilters, service: Annotated[str, Query()] = "") -> Response:
        """Everything that logged, run or not."""
        query = replace(filters, service=service or None)
        return renderer.page(request, "services.html", logs=log_view(store, request, query, store.services()))


def _add_tails(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}/tail")
    async def run_tail(
        request: Request, run_id: str, filters: LogFilters, last_event_id: LastEventId = ""
    ) -> StreamingResponse:
        """The API's stream with its log records as ready lines: one place says how a line looks."""
        state = await to_thread.run_sync(_run, store, run_id)
        query = replace(filters, run_id=state.run_id)
        return Stream(store, query, _as_lines(renderer, request)).answer(last_event_id)

    @portal.get("/logs/tail")
    async def tail(
        request: Request, filters: LogFilters, service: str = "", last_event_id: LastEventId = ""
    ) -> StreamingResponse:
        """The same over everything."""
        query: LogQuery = replace(filters, service=service or None)
        return Stream(store, query, _as_lines(renderer, request)).answer(last_event_id)


def _as_lines(renderer: Renderer, request: Request) -> LogsEncoder:
    def encode_logs(records: Sequence[LogRecord], last: int) -> object:
        lines = [line_of(record) for record in records]
        return {"html": str(renderer.lines(request, lines)), "count": len(lines), "last": last}

    return encode_logs


def _run(store: Store, run_id: str) -> Run:
    return store.run(RunId(run_id))
