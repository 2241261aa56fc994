"""Which models a run used and which it made: a property each, since neither ever changes."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.model import Run
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend

__all__ = ["input_properties", "model_inputs", "model_outputs", "run_model_routes"]

_INPUT: Final = "mlflow.model_input."
_OUTPUT: Final = "mlflow.model_output."


class _Output(BaseModel):
    model_id: str
    step: int = 0


class _Outputs(BaseModel):
    run_id: str
    models: list[_Output] = []


def model_inputs(run: Run) -> list[dict[str, Any]]:
    """Give the models that a run used."""
    return [{"model_id": key.removeprefix(_INPUT)} for key in run.properties if key.startswith(_INPUT)]


def model_outputs(run: Run) -> list[dict[str, Any]]:
    """Give the models that a run made, each with its step."""
    return [
        {"model_id": key.removeprefix(_OUTPUT), "step": int(step)}
        for key, step in run.properties.items()
        if key.startswith(_OUTPUT)
    ]


def input_properties(model_ids: Iterable[str]) -> dict[str, str]:
    """Give the properties that say a run used these models."""
    return {f"{_INPUT}{model_id}": "" for model_id in model_ids}


def run_model_routes(backend: Backend) -> APIRouter:
    """Give the route by which a run says what it made."""
    routes = APIRouter(prefix="/runs")

    @routes.post("/outputs")
    def log_outputs(body: _Outputs) -> Response:
        """Models that a run made; the first step said of one counts."""
        run = backend.run(body.run_id)
        said = {f"{_OUTPUT}{model.model_id}": str(model.step) for model in body.models}
        if new := {key: step for key, step in said.items() if key not in run.properties}:
            backend.say(run, "run.updated", {"properties": new})
        return JsonResponse({})

    return routes
