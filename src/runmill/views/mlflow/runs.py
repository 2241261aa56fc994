"""Runs: made, looked at, resumed and ended."""

import time
import uuid
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.model import Run, RunId
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Milliseconds, Tag
from runmill.views.mlflow.experiments import require_experiment
from runmill.views.mlflow.forms import run_form, run_info
from runmill.views.mlflow.words import ENDED, RUN_TYPE, changed_by_tags

__all__ = ["run_routes"]

_MILLI = 1_000_000
_NOBODY = "unknown"
"""What MLflow's client calls a user it did not look for."""


class _New(BaseModel):
    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Milliseconds | None = None
    tags: list[Tag] = []


class _Change(BaseModel):
    run_id: str
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] | None = None
    end_time: Milliseconds | None = None
    run_name: str = ""


def run_routes(backend: Backend) -> APIRouter:
    """Give the routes that make, show and end runs."""
    routes = APIRouter(prefix="/runs")

    @routes.post("/create")
    def create(body: _New) -> Response:
        """Start a run."""
        run_id = RunId(uuid.uuid4().hex)
        _start(backend, run_id, body, require_experiment(backend.store, body.experiment_id).name)
        return JsonResponse({"run": run_form(backend.run(run_id), [])})

    @routes.get("/get")
    def get(run_id: str) -> Response:
        """One run with the newest value of each metric."""
        run = backend.run(run_id)
        return JsonResponse({"run": run_form(run, backend.store.metrics([run.run_id]).get(run.run_id, []))})

    @routes.post("/update")
    def update(body: _Change) -> Response:
        """Name, resume or end a run."""
        run = backend.run(body.run_id)
        if body.run_name and body.run_name != run.display_name:
            backend.say(run, "run.updated", {"display_name": body.run_name})
        if run.type == RUN_TYPE:
            _change_status(backend, run, body)
        return JsonResponse({"run_info": run_info(backend.run(body.run_id))})

    return routes


def _start(backend: Backend, run_id: RunId, new: _New, experiment: str) -> None:
    began = time.time_ns() if new.start_time is None else new.start_time * _MILLI
    tags = [(tag.key, tag.value) for tag in new.tags]
    user = "" if new.user_id == _NOBODY else new.user_id
    known = {"user": user, "display_name": new.run_name, **changed_by_tags(tags, is_new=True)}
    said = {key: value for key, value in known.items() if value}
    body = {"status": "Running", "experiment": experiment, "type": RUN_TYPE, **said}
    run = Run(run_id, experiment, run_id, run_id, 0, "Running", began, None)
    backend.say(run, "run.started", body, time_unix_nano=began)


def _change_status(backend: Backend, run: Run, change: _Change) -> None:
    """Say what a client may say of the status of a run that a client began.

    A run that runmill began is ended by who watches its process, and that knows more: a program may fail after
    MLflow's part of it has finished.
    """
    is_over = run.end_time_unix_nano is not None
    ending = ENDED.get(change.status or "")
    if ending is not None and not is_over:
        body = {"status": ending}
        backend.say(run, "run.ended", body, time_unix_nano=_after_all(run, change.end_time))
    elif change.status == "RUNNING" and is_over:
        backend.say(run, "run.started", {"status": "Running"}, time_unix_nano=_after_all(run, None))


def _after_all(run: Run, milliseconds: int | None) -> int:
    """Give the time that is meant, or now where that is before what happened to the run already.

    Clocks differ between machines, and a client's time has no microseconds: an end that lay before its start would
    change nothing.
    """
    meant = 0 if milliseconds is None else milliseconds * _MILLI
    return meant if meant > run.last_seen_unix_nano else max(time.time_ns(), run.last_seen_unix_nano + 1)
