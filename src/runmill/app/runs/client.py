"""Reads runs, metrics and files from a server: JSON over HTTP as ``docs/http-api.md`` says, by the standard library."""

import http.client
import json
import shutil
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from runmill import model
from runmill._version import __version__
from runmill.app.runs.packing import unpacked
from runmill.errors import InvalidArgument, NotFound, RunmillError, Unavailable
from runmill.home import Server

__all__ = ["Client"]

_API: Final = "/api/v1"
_PAGE: Final = 100
_ERRORS: Final[dict[str, type[RunmillError]]] = {"not_found": NotFound, "invalid_argument": InvalidArgument}

_Value = TypeVar(
    "_Value", model.Run, model.MetricPoints, model.Artifact, model.Experiment, model.MetricSummary, model.ModelVersion
)


class Client:
    """Asks one server. Nothing is kept open between two questions, so it may be used from any thread.

    Every method raises Unavailable when the server does not answer or is none of runmill's.
    """

    def __init__(
        self,
        server: Server,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        certificate: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._server = server
        self._headers = headers
        self._certificate = certificate
        self._timeout_seconds = timeout_seconds

    def is_healthy(self) -> bool:
        """Say whether the server is up and ready."""
        try:
            with self._answer("/health") as response:
                return response.status == http.HTTPStatus.OK
        except RunmillError:
            return False

    def run(self, run_id: str) -> model.Run:
        """Give a run's state. Raises NotFound."""
        return _read(model.Run, self._get(f"/runs/{quote(run_id, safe='')}"))

    def runs(self, **wanted: object) -> Iterator[model.Run]:
        """Yield the runs that fit, newest first, page by page; *wanted* are the parameters of ``GET /runs``."""
        offset = 0
        while page := self._get("/runs", **wanted, limit=_PAGE, offset=offset)["runs"]:
            yield from (_read(model.Run, item) for item in page)
            if len(page) < _PAGE:
                return
            offset += len(page)

    def experiments(self) -> list[model.Experiment]:
        """Give all experiments."""
        return [_read(model.Experiment, item) for item in self._get("/experiments")["experiments"]]

    def models(self) -> list[model.ModelVersion]:
        """Give every version of every model, in the order of registration."""
        return [_model_version(item) for item in self._get("/models")["models"]]

    def summaries(self, run_id: str) -> list[model.MetricSummary]:
        """Give what is known of each series of a run without its points. Raises NotFound."""
        answer = self._get(f"/runs/{quote(run_id, safe='')}/metrics")
        return [_read(model.MetricSummary, item) for item in answer["metrics"]]

    def curve(self, run_id: str, metric: str, column: str | None, *, buckets: int) -> list[float]:
        """Give the shape of one series in at most twice that many finite numbers. Raises NotFound."""
        route = f"/runs/{quote(run_id, safe='')}/series"
        answer = self._get(route, metric=metric, column=column, buckets=buckets)
        return [bucket["last"] for bucket in answer["buckets"] if isinstance(bucket["last"], int | float)]

    def points(self, run_id: str, metric: str | None = None) -> list[model.MetricPoints]:
        """Give every point of a run, or of one metric, in log order. Raises NotFound when there is no such run."""
        return self._points(run_id, metric=metric)

    def values(
        self, run_id: str, metric: str | None = None, *, recursive: bool = False, run_type: str | None = None
    ) -> list[model.MetricPoints]:
        """Do as `points` without steps and times, which takes half as long; with *recursive* of all runs below too."""
        return self._points(run_id, metric=metric, column="index", recursive=recursive, type=run_type)

    def _points(self, run_id: str, **wanted: object) -> list[model.MetricPoints]:
        answer = self._get(f"/runs/{quote(run_id, safe='')}/points", **wanted, pack=True)
        return [_read(model.MetricPoints, unpacked(item)) for item in answer["points"]]

    def files(self, run_id: str) -> list[model.Artifact]:
        """Give the run's files by path. Raises NotFound when there is no such run."""
        return [_read(model.Artifact, item) for item in self._get(f"/runs/{quote(run_id, safe='')}/files")["files"]]

    def log_page(self, run_id: str, **wanted: object) -> dict[str, Any]:
        """Give one LogPage as it came; *wanted* are the parameters of ``GET /runs/{run_id}/logs``."""
        page: dict[str, Any] = self._get(f"/runs/{quote(run_id, safe='')}/logs", **wanted)
        return page

    def file_address(self, run_id: str, path: str) -> str:
        """Give the address under which anybody with the token reads the file."""
        return f"{self._server.endpoint}{_API}{_file_route(run_id, path)}"

    def file_bytes(self, run_id: str, path: str) -> bytes:
        """Give a file's bytes. Raises NotFound."""
        with self._answer(_API + _file_route(run_id, path)) as response:
            return response.read()

    def bytes_address(self, sha256: str) -> str:
        """Give the address under which anybody with the token reads the bytes of that hash."""
        return f"{self._server.endpoint}{_API}/artifacts/{sha256}"

    def download(self, run_id: str, path: str, target: Path) -> None:
        """Write a file's bytes to *target*, in one step: it is never half there. Raises NotFound."""
        self._write(_API + _file_route(run_id, path), target)

    def download_bytes(self, sha256: str, target: Path) -> None:
        """Write the bytes of that hash to *target* in the same way. Raises NotFound."""
        self._write(f"{_API}/artifacts/{sha256}", target)

    def _write(self, route: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        try:
            with self._answer(route) as response, draft.open("wb") as file:
                shutil.copyfileobj(response, file, 1 << 20)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _get(self, route: str, **parameters: object) -> Any:
        with self._answer(_API + route + _query(parameters)) as response:
            body = response.read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise Unavailable(f"{self._server.endpoint}{_API}{route} did not answer with JSON: {error}.") from error

    @contextmanager
    def _answer(self, target: str) -> Iterator[http.client.HTTPResponse]:
        connection = self._connect()
        try:
            connection.request("GET", urlsplit(self._server.endpoint).path.rstrip("/") + target, headers=self._sent())
            response = connection.getresponse()
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                raise self._error(target, response)
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"no run store answers at {self._server.endpoint}: {type(error).__name__}: {error}. "
                "Start one with `runmill up`, or name one with RUNMILL_ENDPOINT."
            ) from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._server.endpoint)
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=self._certificate)
            return http.client.HTTPSConnection(parts.netloc, timeout=self._timeout_seconds, context=trust)
        return http.client.HTTPConnection(parts.netloc, timeout=self._timeout_seconds)

    def _sent(self) -> dict[str, str]:
        sent = {"Accept": "application/json", "User-Agent": f"runmill/{__version__}", **dict(self._headers)}
        if self._server.token:
            sent["Authorization"] = f"Bearer {self._server.token}"
        return sent

    def _error(self, target: str, response: http.client.HTTPResponse) -> RunmillError:
        try:
            told = json.loads(response.read())["error"]
            return _ERRORS.get(told["code"], Unavailable)(told["message"])
        except (ValueError, KeyError, TypeError):
            return Unavailable(
                f"{self._server.endpoint}{target} answered {response.status}: that is no runmill server, or an older "
                "one. Runs are read from `runmill up`; name it with RUNMILL_ENDPOINT."
            )


def _file_route(run_id: str, path: str) -> str:
    return f"/runs/{quote(run_id, safe='')}/files/{quote(path)}"


def _query(parameters: Mapping[str, object]) -> str:
    """Write the parameters that are given; a list repeats its name."""
    given = {name: _texts(value) for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _model_version(item: dict[str, Any]) -> model.ModelVersion:
    return _read(model.ModelVersion, {**item, "files": [_read(model.Artifact, file) for file in item["files"]]})


def _read(kind: type[_Value], item: Mapping[str, Any]) -> _Value:
    """Make the value; keys that a newer server added are left aside."""
    return kind(**{field.name: item[field.name] for field in fields(kind) if field.name in item})
