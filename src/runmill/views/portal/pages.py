"""The portal's addresses: each page reads the store, and its template says the rest."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runmill.errors import NotFound, RunmillError
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.portal.assets import Assets
from runmill.views.portal.collector_page import LookAtCollector, add_collector_page
from runmill.views.portal.compare_page import compare_page
from runmill.views.portal.first_page import first_page
from runmill.views.portal.log_pages import add_log_pages, add_tails
from runmill.views.portal.models_pages import add_models_pages
from runmill.views.portal.rendering import Renderer
from runmill.views.portal.run_pages import add_run_pages
from runmill.views.portal.runs_view import RunsPage, runs_view
from runmill.views.problems import problem_of

__all__ = ["create_portal"]

_FOUND_RUNS: Final = 50


def create_portal(store: Store, *, version: str, look_at_collector: LookAtCollector | None = None) -> FastAPI:
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
    add_run_pages(portal, store, renderer)
    add_models_pages(portal, store, renderer)
    add_log_pages(portal, store, renderer)
    add_tails(portal, store, renderer)
    add_collector_page(portal, renderer, look_at_collector)
    return portal


def _add_overviews(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/")
    def overview(request: Request, text: str = "", *, archived: bool = False) -> Response:
        """What is going on; with a search, the runs it finds; on request with experiments that were put away."""
        found = store.runs(RunQuery(text=text, include_children=True, limit=_FOUND_RUNS)) if text else None
        return renderer.page(
            request, "home.html", home=first_page(store, with_archived=archived), found=found, text=text
        )

    @portal.get("/experiments/{name:path}")
    def experiment(request: Request, name: str, page: RunsPage, metric: str = "", sort: str = "") -> Response:
        """Which one is best."""
        view = runs_view(store, replace(page, experiment=name), metric=metric, sort=sort)
        if not view.runs:
            raise NotFound(f"No run of an experiment {name!r} is in the store. The first page lists the experiments.")
        return renderer.page(request, "experiment.html", name=name, view=view, sort=sort)

    @portal.get("/compare")
    def compare(request: Request, run: Annotated[list[str] | None, Query()] = None) -> Response:
        """What is different between runs."""
        return renderer.page(request, "compare.html", view=compare_page(store, run or []))
