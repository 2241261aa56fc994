"""The portal's addresses: each page reads the store, and its template says the rest."""

from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runmill.errors import NotFound, QueryMistake, RunmillError
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.portal.assets import Assets
from runmill.views.portal.collector_page import LookAtCollector, add_collector_page
from runmill.views.portal.compare_page import compare_page
from runmill.views.portal.first_page import first_page
from runmill.views.portal.log_pages import add_log_pages, add_tails, add_words
from runmill.views.portal.models_pages import add_models_pages
from runmill.views.portal.rendering import Renderer
from runmill.views.portal.run_pages import add_run_pages
from runmill.views.portal.runs_asked import AskedRuns
from runmill.views.portal.runs_view import runs_view
from runmill.views.portal.zones import ReaderZone
from runmill.views.problems import problem_of

__all__ = ["create_portal"]


def create_portal(store: Store, *, version: str, look_at_collector: LookAtCollector | None = None) -> FastAPI:
    """Give the application that stands at ``/``."""
    portal = FastAPI(openapi_url=None)
    assets = Assets()
    renderer = Renderer(assets, version=version)

    def answer_problem(request: Request, error: Exception) -> Response:
        problem = problem_of(request, error)
        mistake = error if isinstance(error, QueryMistake) else None
        return renderer.page(
            request,
            "problem.html",
            status=problem.status,
            problem=problem,
            mistake=mistake,
            query=request.query_params.get("q", ""),
        )

    for kind in (RunmillError, RequestValidationError, HTTPException, Exception):
        portal.add_exception_handler(kind, answer_problem)
    portal.add_middleware(ReaderZone)
    portal.add_route("/static/{version}/{name}", assets.serve)
    _add_overviews(portal, store, renderer)
    add_run_pages(portal, store, renderer)
    add_models_pages(portal, store, renderer)
    add_log_pages(portal, store, renderer)
    add_tails(portal, store, renderer)
    add_words(portal, store)
    add_collector_page(portal, renderer, look_at_collector)
    return portal


def _add_overviews(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/")
    def overview(request: Request, *, archived: bool = False) -> Response:
        """What is going on; on request with experiments that were put away."""
        return renderer.page(request, "home.html", home=first_page(store, with_archived=archived))

    @portal.get("/runs")
    def runs(request: Request, asked: AskedRuns) -> Response:
        """All runs, of whatever experiment."""
        view = runs_view(store, RunQuery(include_children=True), asked)
        return renderer.page(request, "runs.html", status=view.status, view=view)

    @portal.get("/experiments/{name:path}")
    def experiment(request: Request, name: str, asked: AskedRuns) -> Response:
        """Which one is best."""
        found = next((each for each in store.experiments() if each.name == name and each.run_count), None)
        if found is None:
            raise NotFound(f"No run of an experiment {name!r} is in the store. The first page lists the experiments.")
        view = runs_view(store, RunQuery(experiment=name, include_children=asked.children), asked)
        context = {"name": name, "view": view, "has_children": found.child_count > 0}
        return renderer.page(request, "experiment.html", status=view.status, **context)

    @portal.get("/compare")
    def compare(request: Request, run: Annotated[list[str] | None, Query()] = None) -> Response:
        """What is different between runs."""
        return renderer.page(request, "compare.html", view=compare_page(store, run or []))
