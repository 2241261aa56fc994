"""Files of runs, put, listed and read through the server: ``mlflow-artifacts:/RUN_ID/PATH``."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, Final

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Artifact
from runmill.views.answers import JsonResponse
from runmill.views.files import answer_file, body_of
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.registry import REGISTERED, files_of_version, find_version

__all__ = ["artifact_listing_routes", "proxied_artifact_routes"]

_IN_MEMORY_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 1 << 20


def artifact_listing_routes(backend: Backend) -> APIRouter:
    """Give the route that lists a folder by run id; paths in the answer are those in the run."""
    routes = APIRouter(prefix="/artifacts")

    @routes.get("/list")
    def list_artifacts(run_id: str, path: str = "") -> Response:
        """What is directly in a folder of a run."""
        run = backend.run(run_id)
        files = _directly_in(path, backend.store.artifacts(run.run_id))
        return JsonResponse({"root_uri": f"mlflow-artifacts:/{run.run_id}", "files": files})

    return routes


def proxied_artifact_routes(backend: Backend) -> APIRouter:
    """Give the routes by which files travel; a path begins with its run, or says that it is a model's."""
    routes = APIRouter(prefix="/mlflow-artifacts/artifacts")

    @routes.get("")
    def list_artifacts(path: str = "") -> Response:
        """What is directly in a folder; paths in the answer are names in it."""
        files = _directly_in(*_files_at(backend, path))
        return JsonResponse({"files": [{**file, "path": PurePosixPath(file["path"]).name} for file in files]})

    @routes.put("/{run_id}/{path:path}")
    async def put(run_id: str, path: str, request: Request) -> Response:
        """Keep the body as a file of a run."""
        try:
            await to_thread.run_sync(_keep, backend, run_id, path, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return JsonResponse({})

    @routes.get("/{path:path}")
    def get(path: str, request: Request) -> Response:
        """A file's bytes."""
        wanted, files = _files_at(backend, path)
        artifact = next((file for file in files if file.path == wanted), None)
        if artifact is None:
            raise NotFound(f"artifact {path!r}: there is no such file.")
        return answer_file(backend.store, artifact, request, download=True)

    return routes


def _files_at(backend: Backend, path: str) -> tuple[str, Sequence[Artifact]]:
    """Give the part of *path* that is in a run, or in a version of a model, and all files that are there."""
    first, _, rest = path.strip("/").partition("/")
    if first != REGISTERED:
        return rest, backend.store.artifacts(backend.run(first).run_id)
    name, _, below = rest.partition("/")
    version, _, wanted = below.partition("/")
    return wanted, files_of_version(find_version(backend.store, name, version))


def _directly_in(folder: str, artifacts: Sequence[Artifact]) -> list[dict[str, Any]]:
    """Give the files and the folders one level below *folder*."""
    parts = PurePosixPath(folder.strip("/")).parts
    found: dict[str, dict[str, Any]] = {}
    for artifact in artifacts:
        path = PurePosixPath(artifact.path).parts
        if path[: len(parts)] == parts and len(path) > len(parts):
            here = "/".join(path[: len(parts) + 1])
            is_folder = len(path) > len(parts) + 1
            found[here] = {"path": here, "is_dir": is_folder, **({} if is_folder else _size(artifact))}
    return list(found.values())


def _size(artifact: Artifact) -> dict[str, int]:
    return {"file_size": artifact.size_bytes}


def _keep(backend: Backend, run_id: str, path: str, request: Request) -> None:
    """Store the bytes, then say so: whoever hears of the file finds it."""
    run = backend.run(run_id)
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise InvalidArgument(f"artifact path {path!r}: it must name a file below the run's folder.")
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        sha256, size = _spool(body_of(request), file)
        if not backend.store.has_artifact_bytes(sha256):
            file.seek(0)
            backend.store.put_artifact_bytes(sha256, iter(partial(file.read, _PIECE_BYTES), b""))
    media_type = request.headers.get("content-type", "application/octet-stream")
    body = {"path": path, "size_bytes": size, "media_type": media_type, "sha256": sha256}
    backend.say(run, "run.artifact", body)


def _spool(pieces: Iterator[bytes], file: IO[bytes]) -> tuple[str, int]:
    """Write the pieces to *file*; give their hash, which is known only after the last one, and their number."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += file.write(piece)
    return digest.hexdigest(), size
