"""MLflow's logged models: files in a folder of a run, and what was said of them in the run's events.

A property of the run names each with its folder; parameters, tags, metrics and status are `logged_model` maps of the
run's `run.updated` events, laid over one another in time.
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Run, RunId
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.forms import experiment_id, pairs

__all__ = [
    "FAILED",
    "KEEPER_TYPE",
    "PENDING",
    "READY",
    "LoggedModel",
    "find_model",
    "model_form",
    "models_of",
    "new_model_id",
    "say_new_model",
    "say_of_model",
]

KEEPER_TYPE: Final = "mlflow.model"
"""The `type` of a run that was made to keep a model which no run logged; the model's end is its end."""

PENDING: Final = "PENDING"
READY: Final = "READY"
FAILED: Final = "FAILED"

_PROPERTY: Final = "mlflow.model."
_SAID: Final = "logged_model"
_MILLI: Final = 1_000_000
_STATUSES: Final = {
    PENDING: "LOGGED_MODEL_PENDING",
    READY: "LOGGED_MODEL_READY",
    FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}


@dataclass(slots=True)
class LoggedModel:
    """One model as it is known by now."""

    model_id: str
    run: Run
    path: str
    """The folder of its files in the run."""
    name: str = ""
    model_type: str = ""
    status: str = PENDING
    created_unix_nano: int = 0
    updated_unix_nano: int = 0
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[Mapping[str, Any]] = field(default_factory=list)

    def take(self, said: Mapping[str, Any], time_unix_nano: int) -> None:
        """Lay what was said over what is known: a parameter keeps its first value, all else its newest."""
        self.created_unix_nano = self.created_unix_nano or time_unix_nano
        self.updated_unix_nano = time_unix_nano
        self.name = said.get("name", self.name)
        self.model_type = said.get("model_type", self.model_type)
        self.status = said.get("status", self.status)
        self.params = {**said.get("params", {}), **self.params}
        for key in said.get("removed_tags", ()):
            self.tags.pop(key, None)
        self.tags.update(said.get("tags", {}))
        self.metrics.extend(said.get("metrics", ()))


def models_of(backend: Backend, run: Run) -> list[LoggedModel]:
    """Give the models of a run in the order they were made; only the events of a run that has some are read."""
    found = {
        key.removeprefix(_PROPERTY): LoggedModel(key.removeprefix(_PROPERTY), run, path)
        for key, path in run.properties.items()
        if key.startswith(_PROPERTY)
    }
    for event in backend.store.run_events(run.run_id) if found else ():
        said = event.body.get(_SAID)
        if isinstance(said, Mapping) and said["model_id"] in found:
            found[str(said["model_id"])].take(said, event.time_unix_nano)
    return list(found.values())


def new_model_id(run: Run) -> str:
    """Give an id of its own to a model of *run*; it says whose the model is. Raises InvalidArgument."""
    if "@" in run.run_id:
        raise InvalidArgument(f"run {run.run_id!r}: MLflow would take what follows '@' in a model's id for an alias.")
    return f"m-{run.run_id}-{uuid.uuid4().hex[:8]}"


def find_model(backend: Backend, model_id: str) -> LoggedModel:
    """Give one model. Raises NotFound."""
    run_id = model_id.removeprefix("m-").rpartition("-")[0]
    with suppress(NotFound):
        for model in models_of(backend, backend.store.run(RunId(run_id))):
            if model.model_id == model_id:
                return model
    raise NotFound(f"logged model {model_id!r}: no run of this server has it.")


def say_new_model(backend: Backend, run: Run, path: str, said: Mapping[str, Any]) -> None:
    """Say that *run* has a model whose files will be in the folder *path*."""
    properties = {f"{_PROPERTY}{said['model_id']}": path}
    backend.say(run, "run.updated", {"properties": properties, _SAID: {**said, "path": path}})


def say_of_model(backend: Backend, model: LoggedModel, said: Mapping[str, Any]) -> None:
    """Say what changed of a model."""
    backend.say(model.run, "run.updated", {_SAID: {"model_id": model.model_id, **said}})


def model_form(model: LoggedModel) -> dict[str, Any]:
    """Give a model in the JSON that MLflow's clients read."""
    run = model.run
    info = {
        "model_id": model.model_id,
        "experiment_id": experiment_id(run.experiment),
        "name": model.name,
        "creation_timestamp_ms": model.created_unix_nano // _MILLI,
        "last_updated_timestamp_ms": model.updated_unix_nano // _MILLI,
        "artifact_uri": f"mlflow-artifacts:/{run.run_id}/{model.path}",
        "status": _STATUSES.get(model.status, "LOGGED_MODEL_STATUS_UNSPECIFIED"),
        "model_type": model.model_type,
        "source_run_id": run.run_id,
        "tags": pairs(model.tags),
    }
    metrics = [{**each, "model_id": model.model_id, "run_id": run.run_id} for each in model.metrics]
    return {"info": info, "data": {"params": pairs(model.params), "metrics": metrics}}
