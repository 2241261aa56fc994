"""MLflow's model registry: the versions of runmill's, and where a new one is taken from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Artifact, ModelVersion, Run
from runmill.store.interface import Store
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.forms import pairs
from runmill.views.mlflow.logged_models import find_model, models_of

__all__ = ["MODEL_ID", "REGISTERED", "SOURCE", "Origin", "download_uri", "files_of_version", "find_version",
           "origin_of", "version_form", "versions_of"]  # fmt: skip

REGISTERED: Final = "registered models"
"""Where versions' files are among the artifacts; no run is called so, for a run's id has no blank."""

SOURCE: Final = "mlflow.source"
MODEL_ID: Final = "mlflow.model_id"

_MILLI: Final = 1_000_000

Origin = tuple[Run, str, Sequence[Artifact]]
"""The run, the folder or file in it, and the files."""


def versions_of(store: Store, name: str) -> list[ModelVersion]:
    """Give the versions of a model, the first one first. Raises NotFound where there is none."""
    found = [version for version in store.models() if version.name == name]
    if not found:
        raise NotFound(f"registered model {name!r}: there is none of that name; it is there with its first version.")
    return found


def find_version(store: Store, name: str, version: str) -> ModelVersion:
    """Give one version. Raises NotFound."""
    found = versions_of(store, name)
    for each in found:
        if str(each.version) == version:
            return each
    raise NotFound(f"registered model {name!r}: version {version!r} is not there; the newest is {len(found)}.")


def files_of_version(version: ModelVersion) -> list[Artifact]:
    """Give the files as they were registered, by their paths in the model's folder."""
    return [replace(file, path=_path_in(version, file)) for file in version.files]


def download_uri(version: ModelVersion) -> str:
    """Give where a client finds the files as they were registered, whatever the run uploads since."""
    return f"mlflow-artifacts:/{REGISTERED}/{version.name}/{version.version}"


def version_form(version: ModelVersion) -> dict[str, Any]:
    """Give a version in the JSON that MLflow's clients read."""
    time = version.time_unix_nano // _MILLI
    return {
        "name": version.name,
        "version": str(version.version),
        "creation_timestamp": time,
        "last_updated_timestamp": time,
        "current_stage": "None",
        "description": version.description,
        "source": version.properties.get(SOURCE, download_uri(version)),
        "run_id": version.run_id,
        "status": "READY",
        "tags": pairs(version.tags),
        "model_id": version.properties.get(MODEL_ID, ""),
    }


def origin_of(backend: Backend, source: str) -> Origin:
    """Give what *source* names: a model that was logged or registered, or files of a run.

    Raises:
        NotFound: It names none.
        InvalidArgument: It is elsewhere.
    """
    parts = urlsplit(source)
    first, _, rest = unquote(parts.path).strip("/").partition("/")
    if parts.scheme == "models" and rest:
        version = find_version(backend.store, first, rest)
        return backend.run(version.run_id), version.path, version.files
    if parts.scheme == "models":
        model = find_model(backend, first)
        return _files(backend, source, model.run, model.path)
    if parts.scheme not in ("runs", "mlflow-artifacts"):
        raise InvalidArgument(f"source {source!r}: only files that are here become a version. Log the model first.")
    run = backend.run(first)
    logged = [model.path for model in models_of(backend, run) if parts.scheme == "runs" and model.name == rest]
    return _files(backend, source, run, logged[-1] if logged else rest)


def _files(backend: Backend, source: str, run: Run, path: str) -> Origin:
    there = backend.store.artifacts(run.run_id)
    found = [file for file in there if file.path == path or file.path.startswith(f"{path}/")]
    if not found:
        raise NotFound(f"source {source!r}: run {run.run_id} has no file or folder {path!r}.")
    return run, path, found


def _path_in(version: ModelVersion, file: Artifact) -> str:
    return file.path.removeprefix(version.path).lstrip("/") or PurePosixPath(file.path).name
