"""Searching the models that runs logged."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.errors import InvalidArgument
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.filters import Entity, Names, Value
from runmill.views.mlflow.forms import experiment_name
from runmill.views.mlflow.logged_models import LoggedModel, model_form, models_of
from runmill.views.mlflow.searching import Search, found_page

__all__ = ["logged_model_search_routes"]

_NAMES: Final[Names] = {
    "attribute": {
        **dict.fromkeys(("name", "model_id", "model_type", "status", "source_run_id", "experiment_id"), str),
        **dict.fromkeys(("creation_timestamp", "last_updated_timestamp"), float),
    },
    "metric": float,
    "param": str,
    "tag": str,
}


class _Order(BaseModel):
    field_name: str
    ascending: bool = True


class _ModelSearch(BaseModel):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[dict[str, Any]] = []
    order_by: list[_Order] = []
    max_results: int = 100
    page_token: str = ""


def logged_model_search_routes(backend: Backend) -> APIRouter:
    """Give the route that searches."""
    routes = APIRouter(prefix="/logged-models")

    @routes.post("/search")
    def search(body: _ModelSearch) -> Response:
        """Models of some experiments, the newest first where nothing else is asked."""
        page, onward = found_page(_plain(body), _models_in(backend, body.experiment_ids), _value_of, _NAMES)
        return JsonResponse({"models": [model_form(model) for model in page], **onward})

    return routes


def _plain(asked: _ModelSearch) -> Search:
    if asked.datasets:
        raise InvalidArgument(f"datasets={asked.datasets!r}: a model's metrics are not kept by dataset. Leave it out.")
    order = [f"{each.field_name} {'ASC' if each.ascending else 'DESC'}" for each in asked.order_by]
    return Search(filter=asked.filter, order_by=order, max_results=asked.max_results, page_token=asked.page_token)


def _models_in(backend: Backend, experiment_ids: Sequence[str]) -> list[LoggedModel]:
    runs = (run for identity in dict.fromkeys(experiment_ids) for run in backend.runs(experiment_name(identity)))
    models = [model for run in runs for model in models_of(backend, run)]
    return sorted(models, key=lambda model: -model.created_unix_nano)


def _value_of(model: LoggedModel, entity: Entity, key: str) -> Value:
    kept: Mapping[str, Any]
    match entity:
        case "metric":
            kept = {each["key"]: each["value"] for each in model.metrics}
        case "param":
            kept = model.params
        case "tag":
            kept = model.tags
        case "attribute":
            kept = _attributes(model)
    value: Value = kept.get(key)
    return value


def _attributes(model: LoggedModel) -> dict[str, Any]:
    info: dict[str, Any] = model_form(model)["info"]
    times = {key: info[f"{key}_ms"] for key in ("creation_timestamp", "last_updated_timestamp")}
    return {**info, **times, "status": model.status}
