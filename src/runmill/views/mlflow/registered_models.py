"""Registered models: names with versions. What runmill's registry does not keep is refused in words."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from runmill.errors import Conflict, InvalidArgument
from runmill.model import ModelVersion
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Tag
from runmill.views.mlflow.filters import Entity, Names, Value
from runmill.views.mlflow.registry import version_form, versions_of
from runmill.views.mlflow.searching import Search, found_page

__all__ = ["refused_registry_routes", "registered_model_routes"]

_NAMES: Final[Names] = {
    "attribute": {"name": str, **dict.fromkeys(("creation_timestamp", "last_updated_timestamp"), float)},
    "tag": str,
}
_IS_PROMPT: Final = "mlflow.prompt.is_prompt"
"""MLflow keeps prompts among the models, so its client asks for those where this is not 'true'."""
_NEVER_CHANGES: Final = "a version never changes. Give its tags and its description when you register it."
_ONLY_A_NAME: Final = "a registered model is a name here, and keeps nothing of its own. Give it to its versions."
_FOR_EVER: Final = "a registered model and its versions stay, and so does the name."
_NO_ALIASES: Final = "aliases are not kept here. Name the version, as in models:/NAME/1, or models:/NAME/latest."
_NO_STAGES: Final = "stages are not kept here. Name the version, as in models:/NAME/1, or models:/NAME/latest."
_REFUSED: Final = (
    ("/registered-models/rename", "POST", _FOR_EVER),
    ("/registered-models/update", "PATCH", _ONLY_A_NAME),
    ("/registered-models/delete", "DELETE", _FOR_EVER),
    ("/registered-models/set-tag", "POST", _ONLY_A_NAME),
    ("/registered-models/delete-tag", "DELETE", _ONLY_A_NAME),
    ("/registered-models/alias", "GET", _NO_ALIASES),
    ("/registered-models/alias", "POST", _NO_ALIASES),
    ("/registered-models/alias", "DELETE", _NO_ALIASES),
    ("/model-versions/update", "PATCH", _NEVER_CHANGES),
    ("/model-versions/delete", "DELETE", _FOR_EVER),
    ("/model-versions/set-tag", "POST", _NEVER_CHANGES),
    ("/model-versions/delete-tag", "DELETE", _NEVER_CHANGES),
    ("/model-versions/transition-stage", "POST", _NO_STAGES),
)


class _New(BaseModel):
    name: Annotated[str, StringConstraints(min_length=1)]
    description: str = ""
    tags: list[Tag] = []


class _Latest(BaseModel):
    name: str
    stages: list[str] = []


def registered_model_routes(backend: Backend) -> APIRouter:
    """Give the routes that find names."""
    routes = APIRouter(prefix="/registered-models")

    @routes.post("/create")
    def create(body: _New) -> Response:
        """Say that a name is free: it is there with its first version."""
        if body.description or body.tags:
            raise InvalidArgument(f"registered model {body.name!r}: {_ONLY_A_NAME}")
        if any(version.name == body.name for version in backend.store.models()):
            raise Conflict(f"registered model {body.name!r} is there already. Make a version of it.")
        return JsonResponse({"registered_model": {"name": body.name}})

    @routes.get("/get")
    def get(name: str) -> Response:
        """One name with its newest version."""
        return JsonResponse({"registered_model": _form(versions_of(backend.store, name))})

    @routes.get("/search")
    def search(asked: Annotated[Search, Query()]) -> Response:
        """Names that fit, in their order where nothing else is asked."""
        versions = sorted(backend.store.models(), key=lambda each: (each.name, each.version))
        models = [_form(list(group)) for _, group in groupby(versions, key=lambda each: each.name)]
        page, onward = found_page(asked, models, _value_of, _NAMES)
        return JsonResponse({"registered_models": page, **onward})

    @routes.post("/get-latest-versions")
    def get_latest_versions(body: _Latest) -> Response:
        """The newest version, which is in no stage."""
        if any(stage.lower() != "none" for stage in body.stages):
            raise InvalidArgument(f"registered model {body.name!r}: {_NO_STAGES}")
        return JsonResponse({"model_versions": [version_form(versions_of(backend.store, body.name)[-1])]})

    return routes


def refused_registry_routes(_: Backend) -> APIRouter:
    """Give the routes of what cannot be; each says so, and what can."""
    routes = APIRouter()
    for path, method, reason in _REFUSED:
        routes.add_api_route(path, _refusal(reason), methods=[method])
    return routes


def _refusal(reason: str) -> Callable[[], Response]:
    def refuse() -> Response:
        raise InvalidArgument(reason)

    return refuse


def _form(versions: Sequence[ModelVersion]) -> dict[str, Any]:
    newest = version_form(versions[-1])
    return {
        "name": newest["name"],
        "creation_timestamp": version_form(versions[0])["creation_timestamp"],
        "last_updated_timestamp": newest["last_updated_timestamp"],
        "latest_versions": [newest],
    }


def _value_of(model: dict[str, Any], entity: Entity, key: str) -> Value:
    if entity == "tag":
        return "false" if key == _IS_PROMPT else None
    value: Value = model[key]
    return value
