"""The addresses of models: which there are, and what each version of one holds."""

from collections.abc import Iterable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from runmill.errors import NotFound
from runmill.model import ModelVersion
from runmill.store.interface import Store
from runmill.views.portal.rendering import Renderer

__all__ = ["add_models_pages"]


def add_models_pages(portal: FastAPI, store: Store, renderer: Renderer) -> None:
    """Add them."""

    @portal.get("/models")
    def models(request: Request) -> Response:
        """Each name with its newest version."""
        return renderer.page(request, "models.html", newest=_newest(store.models()))

    @portal.get("/models/{name:path}")
    def model(request: Request, name: str) -> Response:
        """All versions of one name, the newest first: files, run, labels."""
        versions = [each for each in reversed(store.models()) if each.name == name]
        if not versions:
            raise NotFound(f"There is no model {name!r}. The page of models lists those there are.")
        runs = {each.run_id: store.run(each.run_id) for each in versions}
        return renderer.page(request, "model.html", name=name, versions=versions, runs=runs)


def _newest(versions: Iterable[ModelVersion]) -> list[ModelVersion]:
    """Give the newest version of each name, the newest registration first."""
    by_name: dict[str, ModelVersion] = {}
    for each in versions:
        by_name.pop(each.name, None)
        by_name[each.name] = each
    return list(by_name.values())[::-1]
