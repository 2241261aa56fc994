"""The HTTP API: each route of docs/http-api.md is one question to the store."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from runmill.errors import RunmillError
from runmill.model import RunId
from runmill.store.interface import Store
from runmill.store.query import POINT_COLUMNS, Axis, PointColumn, PointQuery, RunQuery, SeriesQuery
from runmill.views.answers import JsonResponse
from runmill.views.comparison import compare_stored
from runmill.views.files import artifact_routes, file_routes
from runmill.views.live import stream_routes
from runmill.views.moment import Moment, logs_at
from runmill.views.packing import packed
from runmill.views.parameters import LogFilters, RunFilters
from runmill.views.problems import answer_problem
from runmill.views.sql import sql_routes

__all__ = ["create_api"]

_MOST_BELOW: Final = 10_000
"""Of one run; a sweep of more is read run by run."""

# Every endpoint is a plain `def`: it runs in a worker thread, where a store may take its time.


def create_api(store: Store, *, version: str) -> FastAPI:
    """Give the application that stands under ``/api/v1``."""
    api = FastAPI(title="runmill", version=version, openapi_url="/openapi.json", docs_url=None, redoc_url=None)
    for kind in (RunmillError, RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, answer_problem)
    # File paths swallow everything after them, so their routes come last.
    parts = (_run_routes, _metric_routes, _log_routes, _everything_routes, sql_routes, artifact_routes)
    for part in parts:
        api.include_router(part(store))
    api.include_router(stream_routes(store))
    api.include_router(file_routes(store))
    return api


def _run_routes(store: Store) -> APIRouter:
    routes = APIRouter(tags=["runs"])

    @routes.get("/experiments")
    def experiments() -> Response:
        """All experiments, the one with the newest run first."""
        return JsonResponse({"experiments": store.experiments()})

    @routes.get("/models")
    def models() -> Response:
        """Every version of every model, in the order of registration."""
        return JsonResponse({"models": store.models()})

    @routes.get("/runs")
    def runs(filters: RunFilters) -> Response:
        """Runs that fit, newest start first."""
        return JsonResponse({"runs": store.runs(filters)})

    @routes.get("/compare")
    def compare(run: Annotated[list[str] | None, Query(description="2 to 16 of them")] = None) -> Response:
        """What several runs have in common and what not."""
        return JsonResponse(compare_stored(store, run or []))

    @routes.get("/runs/{run_id}")
    def run(run_id: str) -> Response:
        """One run's state."""
        return JsonResponse(store.run(RunId(run_id)))

    @routes.get("/runs/{run_id}/events")
    def events(run_id: str) -> Response:
        """What happened to the run, in time order."""
        return JsonResponse({"events": store.run_events(_whole_id(store, run_id))})

    return routes


def _metric_routes(store: Store) -> APIRouter:
    routes = APIRouter(prefix="/runs/{run_id}", tags=["metrics"])

    @routes.get("/metrics")
    def metrics(run_id: str) -> Response:
        """What is known of each metric without reading its points."""
        whole_id = _whole_id(store, run_id)
        return JsonResponse({"metrics": store.metrics([whole_id]).get(whole_id, [])})

    @routes.get("/points")
    def points(
        run_id: str,
        *,
        metric: str | None = None,
        column: Annotated[list[PointColumn] | None, Query(description="beside the values; none given: all")] = None,
        recursive: Annotated[bool, Query(description="of the runs below it too")] = False,
        type: Annotated[str, Query(description="of the runs below it, only those of this type")] = "",  # noqa: A002
        pack: Annotated[bool, Query(description="numbers as bytes in base64: for programs")] = False,
    ) -> Response:
        """Every point, as columns."""
        run_ids = [_whole_id(store, run_id)]
        if recursive:
            below = store.runs(RunQuery(ancestor_id=run_ids[0], limit=_MOST_BELOW))
            run_ids += [run.run_id for run in below if type in ("", run.type)]
        query = PointQuery(tuple(run_ids), metric, frozenset(column or POINT_COLUMNS), packed=pack)
        found = store.points(query)
        return JsonResponse({"points": [packed(each) for each in found] if pack else found})

    @routes.get("/series")
    def series(
        run_id: str,
        metric: str,
        *,
        column: str | None = None,
        x: Axis | None = None,
        x_metric: Annotated[str | None, Query(description="drawn over the numbers of this metric")] = None,
        x_column: Annotated[str | None, Query(description="of x_metric, or else of the metric's own rows")] = None,
        buckets: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        x_min: float | None = None,
        x_max: float | None = None,
        rank: int | None = None,
    ) -> Response:
        """One metric's numbers, reduced to what a chart can show."""
        query = SeriesQuery(
            run_id=_whole_id(store, run_id),
            metric=metric,
            column=column,
            x=x,
            x_metric=x_metric or None,
            x_column=x_column or None,
            buckets=buckets,
            x_min=x_min,
            x_max=x_max,
            rank=rank,
        )
        return JsonResponse(store.series(query))

    return routes


def _log_routes(store: Store) -> APIRouter:
    routes = APIRouter(prefix="/runs/{run_id}", tags=["logs"])

    @routes.get("/logs")
    def logs(run_id: str, filters: LogFilters, at: Moment) -> Response:
        """One page of the run's log records, oldest first."""
        return JsonResponse(logs_at(store, replace(filters, run_id=_whole_id(store, run_id)), at))

    @routes.get("/logs/counts")
    def log_counts(run_id: str, filters: LogFilters, slices: Annotated[int, Query(ge=1, le=1000)] = 60) -> Response:
        """How many records lie where in time, by severity."""
        query = replace(filters, run_id=_whole_id(store, run_id))
        return JsonResponse({"counts": store.log_counts(query, slices=slices)})

    @routes.get("/logs/attributes")
    def attributes(run_id: str, filters: LogFilters) -> Response:
        """Which attributes the run's newest records have."""
        query = replace(filters, run_id=_whole_id(store, run_id))
        return JsonResponse({"attributes": store.attribute_keys(query)})

    @routes.get("/loggers")
    def loggers(run_id: str) -> Response:
        """The run's loggers."""
        return JsonResponse({"loggers": _named_counts(lambda: store.loggers(_whole_id(store, run_id)))})

    @routes.get("/files")
    def files(run_id: str) -> Response:
        """The run's files by path."""
        return JsonResponse({"files": store.artifacts(_whole_id(store, run_id))})

    return routes


def _everything_routes(store: Store) -> APIRouter:
    routes = APIRouter(tags=["everything"])

    @routes.get("/logs")
    def logs(filters: LogFilters, at: Moment, service: str = "") -> Response:
        """One page of log records, of a run or not."""
        return JsonResponse(logs_at(store, replace(filters, service=service or None), at))

    @routes.get("/logs/counts")
    def log_counts(
        filters: LogFilters, service: str = "", slices: Annotated[int, Query(ge=1, le=1000)] = 60
    ) -> Response:
        """How many records lie where in time, by severity."""
        query = replace(filters, service=service or None)
        return JsonResponse({"counts": store.log_counts(query, slices=slices)})

    @routes.get("/logs/attributes")
    def attributes(filters: LogFilters, service: str = "") -> Response:
        """Which attributes the newest records have."""
        query = replace(filters, service=service or None)
        return JsonResponse({"attributes": store.attribute_keys(query)})

    @routes.get("/store")
    def facts() -> Response:
        """What the store holds."""
        return JsonResponse(store.facts())

    @routes.get("/resources/{resource_id}")
    def resource(resource_id: str) -> Response:
        """What a record came from: a process, a container."""
        return JsonResponse(store.resource(resource_id))

    @routes.get("/services")
    def services() -> Response:
        """What logged without a run."""
        return JsonResponse({"services": _named_counts(store.services)})

    return routes


def _whole_id(store: Store, run_id: str) -> RunId:
    """Turn the prefix in an address into an id; raises NotFound: no route answers for a run that is not there."""
    return store.run(RunId(run_id)).run_id


def _named_counts(ask: Callable[[], list[tuple[str, int]]]) -> list[dict[str, str | int]]:
    return [{"name": name, "count": count} for name, count in ask()]
