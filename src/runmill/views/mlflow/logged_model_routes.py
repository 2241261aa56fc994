"""Logged models: made, filled, finished and labelled."""

import threading
import time
import uuid
from typing import Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Run, RunId
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Tag
from runmill.views.mlflow.experiments import require_experiment
from runmill.views.mlflow.logged_models import (
    FAILED,
    KEEPER_TYPE,
    PENDING,
    READY,
    find_model,
    model_form,
    models_of,
    new_model_id,
    say_new_model,
    say_of_model,
)

__all__ = ["logged_model_routes"]

_FOLDER: Final = "models"
_NO_NAME: Final = "model"
_NOT_IN_A_NAME: Final = "/:.%\"'"
_STATUSES: Final = {"LOGGED_MODEL_PENDING": PENDING, "LOGGED_MODEL_READY": READY, "LOGGED_MODEL_UPLOAD_FAILED": FAILED}


class _New(BaseModel):
    experiment_id: str = "0"
    name: str = _NO_NAME
    model_type: str = ""
    source_run_id: str = ""
    params: list[Tag] = []
    tags: list[Tag] = []


class _Params(BaseModel):
    params: list[Tag] = []


class _Tags(BaseModel):
    tags: list[Tag] = []


class _End(BaseModel):
    status: Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]


def logged_model_routes(backend: Backend) -> APIRouter:
    """Give the routes by which a client logs a model and finds it again; its files go the way of a run's."""
    routes = APIRouter(prefix="/logged-models")
    making = threading.Lock()  # two of one name, made at once, must not get one folder

    @routes.post("")
    def create(body: _New) -> Response:
        """Make a model without files."""
        _check_name(body.name)
        run = backend.run(body.source_run_id) if body.source_run_id else _keeper(backend, body)
        model_id = new_model_id(run)
        said = {
            "model_id": model_id,
            "name": body.name,
            "status": PENDING,
            "params": _map(body.params),
            "tags": _map(body.tags),
            **({"model_type": body.model_type} if body.model_type else {}),
        }
        with making:
            say_new_model(backend, run, _free_folder(backend, run, body.name), said)
        return _answer(backend, model_id)

    @routes.get("/{model_id}")
    def get(model_id: str) -> Response:
        """One model."""
        return _answer(backend, model_id)

    @routes.patch("/{model_id}")
    def finalize(model_id: str, body: _End) -> Response:
        """Say that its files are there, or that they could not be brought."""
        model, status = find_model(backend, model_id), _STATUSES[body.status]
        say_of_model(backend, model, {"status": status})
        if model.run.type == KEEPER_TYPE and status != PENDING:
            backend.say(model.run, "run.ended", {"status": "Completed" if status == READY else "Failed"})
        return _answer(backend, model_id)

    routes.include_router(_labelling_routes(backend))
    return routes


def _labelling_routes(backend: Backend) -> APIRouter:
    routes = APIRouter()

    @routes.post("/{model_id}/params")
    def log_params(model_id: str, body: _Params) -> Response:
        """Add parameters; one that is there keeps its value."""
        say_of_model(backend, find_model(backend, model_id), {"params": _map(body.params)})
        return JsonResponse({})

    @routes.patch("/{model_id}/tags")
    def set_tags(model_id: str, body: _Tags) -> Response:
        """Label a model."""
        say_of_model(backend, find_model(backend, model_id), {"tags": _map(body.tags)})
        return _answer(backend, model_id)

    @routes.delete("/{model_id}/tags/{key:path}")
    def delete_tag(model_id: str, key: str) -> Response:
        """Take a label away."""
        model = find_model(backend, model_id)
        if key not in model.tags:
            raise NotFound(f"tag {key!r}: logged model {model_id} has no such tag.")
        say_of_model(backend, model, {"removed_tags": [key]})
        return JsonResponse({})

    return routes


def _answer(backend: Backend, model_id: str) -> Response:
    return JsonResponse({"model": model_form(find_model(backend, model_id))})


def _check_name(name: str) -> None:
    if not name or not set(_NOT_IN_A_NAME).isdisjoint(name):
        raise InvalidArgument(f"model name {name!r}: it must not be empty, nor hold any of {_NOT_IN_A_NAME}.")


def _keeper(backend: Backend, body: _New) -> Run:
    """Begin a run for a model that no run logs: files are somebody's."""
    experiment = require_experiment(backend.store, body.experiment_id).name
    run_id, now = RunId(uuid.uuid4().hex), time.time_ns()
    said = {"status": "Running", "experiment": experiment, "type": KEEPER_TYPE, "display_name": body.name}
    backend.say(Run(run_id, experiment, run_id, run_id, 0, "Running", now, None), "run.started", said)
    return backend.run(run_id)


def _free_folder(backend: Backend, run: Run, name: str) -> str:
    """Give the folder of that name, or with a number where another model has it: a run logs one name many times."""
    run = backend.run(run.run_id)  # as it is now that nobody else makes one
    taken = {model.path for model in models_of(backend, run)}
    taken |= {"/".join(file.path.split("/")[:2]) for file in backend.store.artifacts(run.run_id)}
    folder, number = f"{_FOLDER}/{name}", 1
    while folder in taken:
        number += 1
        folder = f"{_FOLDER}/{name}.{number}"
    return folder


def _map(pairs: list[Tag]) -> dict[str, str]:
    return {pair.key: pair.value for pair in pairs}
