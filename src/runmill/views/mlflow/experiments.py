"""Experiments: they are their names; MLflow's deleting is putting away."""

import time
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from runmill.errors import Conflict, InvalidArgument, NotFound
from runmill.model import Experiment, Statement
from runmill.store.interface import Store
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Tag
from runmill.views.mlflow.forms import experiment_form, experiment_id, experiment_name
from runmill.views.mlflow.words import EXPERIMENT_OF_NONE

__all__ = ["all_experiments", "experiment_routes", "require_experiment"]


class _New(BaseModel):
    name: Annotated[str, StringConstraints(min_length=1)]
    artifact_location: str = ""
    tags: list[Tag] = []


class _Named(BaseModel):
    experiment_id: str


class _SetTag(_Named, Tag):
    pass


class _DeleteTag(_Named):
    key: str


class _Renamed(_Named):
    new_name: str


def all_experiments(store: Store) -> dict[str, Experiment]:
    """Give every experiment by name; the one of runs that name none is always among them."""
    found = {experiment.name: experiment for experiment in store.experiments()}
    return {EXPERIMENT_OF_NONE: Experiment(EXPERIMENT_OF_NONE, 0, 0, 0), **found}


def require_experiment(store: Store, identity: str) -> Experiment:
    """Give the experiment that MLflow knows as *identity*. Raises NotFound."""
    found = all_experiments(store).get(experiment_name(identity))
    if found is None:
        raise NotFound(f"experiment_id {identity!r}: no such experiment. Create it, or ask for it by its name.")
    return found


def experiment_routes(backend: Backend) -> APIRouter:
    """Give the routes that make, find and label experiments."""
    routes = APIRouter(prefix="/experiments")

    @routes.post("/create")
    def create(body: _New) -> Response:
        """Make an experiment without a run."""
        _refuse_what_cannot_be(backend.store, body)
        _change(backend, body.name, tags={tag.key: tag.value for tag in body.tags})
        return JsonResponse({"experiment_id": experiment_id(body.name)})

    @routes.get("/get")
    def get(experiment_id: str) -> Response:
        """One experiment by its id."""
        return JsonResponse({"experiment": experiment_form(require_experiment(backend.store, experiment_id))})

    @routes.get("/get-by-name")
    def get_by_name(experiment_name: str) -> Response:
        """One experiment by its name."""
        found = all_experiments(backend.store).get(experiment_name)
        if found is None:
            raise NotFound(f"experiment_name {experiment_name!r}: no experiment is called so.")
        return JsonResponse({"experiment": experiment_form(found)})

    routes.include_router(_changing_routes(backend))
    return routes


def _changing_routes(backend: Backend) -> APIRouter:
    routes = APIRouter()

    @routes.post("/set-experiment-tag")
    def set_tag(body: _SetTag) -> Response:
        """Label an experiment."""
        return _changed(backend, body, tags={body.key: body.value})

    @routes.post("/delete-experiment-tag")
    def delete_tag(body: _DeleteTag) -> Response:
        """Take a label away."""
        return _changed(backend, body, removed_tags=[body.key])

    @routes.post("/delete")
    def delete(body: _Named) -> Response:
        """Put an experiment away: it and its runs stay."""
        return _changed(backend, body, archived=True)

    @routes.post("/restore")
    def restore(body: _Named) -> Response:
        """Take it out again."""
        return _changed(backend, body, archived=False)

    @routes.post("/update")
    def rename(body: _Renamed) -> Response:
        """Refuse another name, which would be another experiment."""
        raise InvalidArgument(
            f"new_name={body.new_name!r}: an experiment is its name, and {body.experiment_id!r} keeps its own. "
            "Create one of the new name."
        )

    return routes


def _changed(backend: Backend, body: _Named, **what: Any) -> Response:
    _change(backend, require_experiment(backend.store, body.experiment_id).name, **what)
    return JsonResponse({})


def _change(backend: Backend, name: str, **what: Any) -> None:
    body = {"experiment": name, **what}
    backend.say_all(Statement(name, None, time.time_ns(), "experiment.updated", body))


def _refuse_what_cannot_be(store: Store, new: _New) -> None:
    if new.name == experiment_id(EXPERIMENT_OF_NONE):
        raise InvalidArgument(f"name={new.name!r}: that is the id of {EXPERIMENT_OF_NONE!r}. Choose another name.")
    if new.artifact_location:
        raise InvalidArgument(
            f"artifact_location={new.artifact_location!r}: runmill keeps the files of runs itself. Leave it out."
        )
    if new.name in all_experiments(store):
        raise Conflict(f"name={new.name!r}: there is an experiment of that name.")
