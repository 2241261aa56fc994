"""The addresses of one run, its log apart."""

from dataclasses import replace
from typing import Annotated, TypeAlias

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from runmill.errors import InvalidArgument, NotFound
from runmill.model import RunId
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.answers import JsonResponse
from runmill.views.moment import Moment
from runmill.views.parameters import LogFilters
from runmill.views.portal.charts import metrics_view
from runmill.views.portal.documents import document_at
from runmill.views.portal.images import images_of
from runmill.views.portal.log_view import log_view
from runmill.views.portal.rendering import Renderer
from runmill.views.portal.run_head import run_head
from runmill.views.portal.runs_asked import AskedRuns
from runmill.views.portal.runs_view import runs_view

__all__ = ["add_run_pages"]

_Rank: TypeAlias = Annotated[int | None, Query(description="curves and lines of this rank alone")]

_Place: TypeAlias = Annotated[int | None, Query(description="which one of its name, from 0; else the newest")]


def add_run_pages(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    """Add them."""
    _add_overview(portal, store, renderer)
    _add_measured(portal, store, renderer)
    _add_kept(portal, store, renderer)


def _add_overview(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}")
    def run(request: Request, run_id: str, filters: LogFilters, at: Moment) -> Response:
        """Is it going well: curves and the live tail side by side."""
        head = run_head(store, run_id, rank=filters.rank)
        query = replace(filters, run_id=head.run.run_id)
        return renderer.page(
            request,
            "run.html",
            head=head,
            run=head.run,
            metrics=metrics_view(store, head),
            files=store.artifacts(head.run.run_id),
            logs=log_view(store, request, query, store.loggers(head.run.run_id), at_unix_nano=at),
        )


def _add_measured(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}/metrics")
    def metrics(request: Request, run_id: str, rank: _Rank = None) -> Response:
        """All metrics, full width."""
        head = run_head(store, run_id, rank=rank)
        return renderer.page(
            request, "metrics.html", head=head, run=head.run, metrics=metrics_view(store, head), part="/metrics"
        )

    @portal.get("/runs/{run_id}/system")
    def system(request: Request, run_id: str, rank: _Rank = None) -> Response:
        """What the machine and the process measured."""
        head = run_head(store, run_id, rank=rank)
        view = metrics_view(store, head, system=True)
        return renderer.page(request, "metrics.html", head=head, run=head.run, metrics=view, part="/system")

    @portal.get("/runs/{run_id}/figure")
    def figure(run_id: str, metric: str, place: _Place = None) -> Response:
        """One of the JSON kinds as its script draws it."""
        view = document_at(store, store.run(RunId(run_id)).run_id, metric, place)
        if view.figure is None:
            problem = f"run {run_id!r}: no figure can be made of metric {metric!r}"
            raise InvalidArgument(f"{problem}: {view.problem}") if view.problem else NotFound(f"{problem}.")
        return JsonResponse(view.figure)

    @portal.get("/runs/{run_id}/document")
    def document(request: Request, run_id: str, metric: str, place: _Place = None) -> Response:
        """One of the JSON kinds alone, with the way to those before and after it."""
        head = run_head(store, run_id)
        view = document_at(store, head.run.run_id, metric, place)
        return renderer.page(request, "document.html", head=head, run=head.run, view=view)

    @portal.get("/runs/{run_id}/images")
    def all_images(request: Request, run_id: str) -> Response:
        """All logged images, each name with its history."""
        head = run_head(store, run_id)
        return renderer.page(
            request, "images.html", head=head, run=head.run, images=images_of(store, head.run.run_id, head.metrics)
        )


def _add_kept(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    @portal.get("/runs/{run_id}/files")
    def files(request: Request, run_id: str) -> Response:
        """All files."""
        head = run_head(store, run_id)
        return renderer.page(request, "files.html", head=head, run=head.run, files=store.artifacts(head.run.run_id))

    @portal.get("/runs/{run_id}/children")
    def children(request: Request, run_id: str, asked: AskedRuns) -> Response:
        """The runs below this one, side by side."""
        head = run_head(store, run_id)
        run_id = head.run.run_id
        query = RunQuery(ancestor_id=run_id) if asked.children else RunQuery(parent_id=run_id)
        view = runs_view(store, query, asked)
        return renderer.page(request, "children.html", status=view.status, head=head, run=head.run, view=view)

    @portal.get("/runs/{run_id}/events")
    def events(request: Request, run_id: str) -> Response:
        """What happened to the run."""
        head = run_head(store, run_id)
        return renderer.page(request, "events.html", head=head, run=head.run, events=store.run_events(head.run.run_id))
