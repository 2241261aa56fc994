"""What a run was trained on: each dataset that was logged as an input is a property, since it never changes."""

from typing import Any, Final

import orjson
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.model import Run
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Tag
from runmill.views.mlflow.run_models import input_properties

__all__ = ["dataset_inputs", "dataset_routes"]

_PREFIX: Final = "mlflow.dataset."


class _Dataset(BaseModel, extra="allow"):
    name: str
    digest: str


class _Input(BaseModel):
    dataset: _Dataset
    tags: list[Tag] = []


class _Model(BaseModel):
    model_id: str


class _Inputs(BaseModel):
    run_id: str
    datasets: list[_Input] = []
    models: list[_Model] = []


def dataset_inputs(run: Run) -> list[Any]:
    """Give the datasets of a run as they were logged."""
    return [orjson.loads(value) for key, value in run.properties.items() if key.startswith(_PREFIX)]


def dataset_routes(backend: Backend) -> APIRouter:
    """Give the route by which a run says what it read."""
    routes = APIRouter(prefix="/runs")

    @routes.post("/log-inputs")
    def log_inputs(body: _Inputs) -> Response:
        """Datasets and models that a run uses; a dataset of the same name and digest is there once."""
        run = backend.run(body.run_id)
        said = {f"{_PREFIX}{each.dataset.name}.{each.dataset.digest}": _text(each) for each in body.datasets}
        said |= input_properties(model.model_id for model in body.models)
        if new := {key: value for key, value in said.items() if key not in run.properties}:
            backend.say(run, "run.updated", {"properties": new})
        return JsonResponse({})

    return routes


def _text(given: _Input) -> str:
    return orjson.dumps(given.model_dump()).decode()
