"""Bytes of runs' files, out and in, in pieces; nothing a user uploaded ever acts in our origin."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Final
from urllib.parse import quote

from anyio import from_thread, to_thread
from fastapi import APIRouter, Path
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Artifact, RunId
from runmill.store.interface import Store
from runmill.views.answers import JsonResponse

__all__ = ["answer_file", "artifact_routes", "body_of", "file_routes"]

_Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="lower-case hex SHA-256 of the bytes")]

# A stored page or drawing may hold scripts: with `sandbox` it opens in an origin of its own that can reach nothing.
_CAGE: Final = "sandbox; default-src 'none'; img-src data:; media-src 'self'; style-src 'unsafe-inline'"
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+(; *charset=[\w-]+)?", re.ASCII)
_SHOWN_IN_PLACE: Final = re.compile(r"(image|audio|video|text)/|application/json\b")
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_REST: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", re.ASCII)


def artifact_routes(store: Store) -> APIRouter:
    """Give the routes of bytes that are addressed by their hash."""
    routes = APIRouter(tags=["artifacts"])

    @routes.get("/artifacts/{sha256}")
    def read_bytes(sha256: _Sha256) -> Response:
        """The bytes, to be saved: what they are is known only of a run's file."""
        if not store.has_artifact_bytes(sha256):
            raise NotFound(f"artifact {sha256}: no bytes of that hash are here.")
        headers = {"Content-Disposition": "attachment", "Content-Security-Policy": _CAGE, "ETag": f'"{sha256}"'}
        return StreamingResponse(store.artifact_bytes(sha256), 200, headers, "application/octet-stream")

    @routes.head("/artifacts/{sha256}")
    def has_bytes(sha256: _Sha256) -> Response:
        """Whether the bytes are there already; where they are not, `Upload-Offset` says from which on to send them."""
        if store.has_artifact_bytes(sha256):
            return Response(status_code=200)
        return Response(status_code=404, headers={"Upload-Offset": str(store.uploaded_artifact_bytes(sha256))})

    @routes.put("/artifacts/{sha256}", status_code=201)
    async def put_bytes(sha256: _Sha256, request: Request) -> Response:
        """Keep the body under its hash, after what is kept of it where `Content-Range` says so."""
        start = _start(request.headers.get("content-range"))
        if await to_thread.run_sync(store.has_artifact_bytes, sha256):
            return JsonResponse({"sha256": sha256}, 200)
        upload = partial(store.upload_artifact_bytes, start=start)
        try:
            size = await to_thread.run_sync(upload, sha256, body_of(request))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return JsonResponse({"sha256": sha256, "size_bytes": size}, 201)

    return routes


def file_routes(store: Store) -> APIRouter:
    """Give the route by which files are read, addressed by run and path."""
    routes = APIRouter(tags=["files"])

    @routes.head("/runs/{run_id}/files/{path:path}", include_in_schema=False)
    @routes.get("/runs/{run_id}/files/{path:path}")
    def file(run_id: str, path: str, request: Request, *, download: bool = False) -> Response:
        """The file's bytes; `Range` and `If-None-Match` are honoured."""
        artifact = store.artifact(store.run(RunId(run_id)).run_id, path)
        return answer_file(store, artifact, request, download=download)

    return routes


def body_of(request: Request) -> Iterator[bytes]:
    """Pull the body from the event loop, a piece when the (worker) thread wants one: the sender waits for the disk."""
    stream = request.stream()

    async def next_chunk() -> bytes | None:
        return await anext(stream, None)

    while (chunk := from_thread.run(next_chunk)) is not None:
        if chunk:
            yield chunk


def answer_file(store: Store, artifact: Artifact, request: Request, *, download: bool) -> Response:
    """Give the file's bytes, or the part asked for, or word that the asker has them already."""
    etag = f'"{artifact.sha256}"'
    headers = _headers(artifact, etag, download=download)
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    part = _part(wanted, artifact.size_bytes)
    start, end = part or (0, artifact.size_bytes)
    if part and start >= end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{artifact.size_bytes}"})
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{artifact.size_bytes}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(store.artifact_bytes(artifact.sha256, start=start, end=end), status, headers)


def _start(content_range: str | None) -> int:
    """Read from which byte on a body goes to the end. Source: RFC 9110, sections 14.4 and 14.5."""
    if content_range is None:
        return 0
    match = _REST.fullmatch(content_range)
    if match is None or (match[1] and not int(match[1]) <= int(match[2]) == int(match[3]) - 1):
        raise InvalidArgument(
            f"Content-Range {content_range!r}: send all that is missing, as 'bytes FIRST-LAST/SIZE' whose LAST is the "
            "file's last byte, or nothing, as 'bytes */SIZE'. HEAD says in Upload-Offset which byte is the first."
        )
    return int(match[1] or match[3])


def _headers(artifact: Artifact, etag: str, *, download: bool) -> dict[str, str]:
    # The type is the sender's word: one that is no media type could carry header lines of its own.
    known = _MEDIA_TYPE.fullmatch(artifact.media_type)
    media_type = artifact.media_type if known else "application/octet-stream"
    in_place = not download and _SHOWN_IN_PLACE.match(media_type)
    name = quote(artifact.path.rsplit("/", 1)[-1])
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",  # kept, but asked about: a path may be put again
        "Content-Disposition": f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{name}",
        "Content-Security-Policy": _CAGE,
        "Content-Type": media_type,
        "ETag": etag,
    }


def _part(wanted: str | None, size: int) -> tuple[int, int] | None:
    """Read a Range of one part, end exclusive; None for anything else, as RFC 9110 section 14.2 allows."""
    match = _RANGE.fullmatch(wanted or "")
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
