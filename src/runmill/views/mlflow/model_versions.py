"""Versions of registered models: made of files that are here, found, and read back as they were registered."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from runmill.model import Artifact, ModelVersion
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Tag
from runmill.views.mlflow.filters import Entity, Names, Value
from runmill.views.mlflow.registry import (
    MODEL_ID,
    SOURCE,
    download_uri,
    find_version,
    origin_of,
    version_form,
)
from runmill.views.mlflow.searching import Search, found_page

__all__ = ["model_version_routes"]

_NAMES: Final[Names] = {
    "attribute": {
        **dict.fromkeys(("name", "run_id", "source_path"), str),
        **dict.fromkeys(("version_number", "creation_timestamp", "last_updated_timestamp"), float),
    },
    "tag": str,
}


class _New(BaseModel):
    name: str
    source: str
    description: str = ""
    tags: list[Tag] = []
    model_id: str = ""


def model_version_routes(backend: Backend) -> APIRouter:
    """Give the routes that make and find versions."""
    routes = APIRouter(prefix="/model-versions")

    @routes.post("/create")
    def create(body: _New) -> Response:
        """Make the next version of a name of files that are here."""
        return JsonResponse({"model_version": version_form(_register(backend, body))})

    @routes.get("/get")
    def get(name: str, version: str) -> Response:
        """One version."""
        return JsonResponse({"model_version": version_form(find_version(backend.store, name, version))})

    @routes.get("/get-download-uri")
    def get_download_uri(name: str, version: str) -> Response:
        """Where its files are."""
        return JsonResponse({"artifact_uri": download_uri(find_version(backend.store, name, version))})

    @routes.get("/search")
    def search(asked: Annotated[Search, Query()]) -> Response:
        """Versions that fit, the newest first where nothing else is asked."""
        page, onward = found_page(asked, backend.store.models()[::-1], _value_of, _NAMES)
        return JsonResponse({"model_versions": [version_form(each) for each in page], **onward})

    return routes


def _register(backend: Backend, new: _New) -> ModelVersion:
    run, path, files = origin_of(backend, new.source)
    origin = {SOURCE: new.source, **({MODEL_ID: new.model_id} if new.model_id else {})}
    body = {
        "name": new.name,
        "path": path,
        "files": [_said(file) for file in files],
        "tags": {tag.key: tag.value for tag in new.tags},
        "properties": origin,
        **({"description": new.description} if new.description else {}),
    }
    now = time.time_ns()
    backend.say(run, "run.model", body, time_unix_nano=now)
    versions = (each for each in backend.store.models() if each.name == new.name)
    return next(each for each in versions if (each.run_id, each.time_unix_nano) == (run.run_id, now))


def _said(file: Artifact) -> dict[str, Any]:
    return {key: getattr(file, key) for key in ("path", "size_bytes", "media_type", "sha256")}


def _value_of(version: ModelVersion, entity: Entity, key: str) -> Value:
    if entity == "tag":
        return version.tags.get(key)
    form = version_form(version)
    value: Value = {**form, "version_number": version.version, "source_path": form["source"]}.get(key)
    return value
