"""One way to read: the HTTP API, of the home's server when one answers, else in this process over the store itself."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import quote

from runmill.app.notices import notice
from runmill.errors import Conflict, InvalidArgument, NotFound, RunmillError, Unavailable
from runmill.home import Home, Server
from runmill.journal.backlog import backlogs
from runmill.otlp.runs import as_run_id

if TYPE_CHECKING:  # the protocol names Arrow tables, and a command that asks a server needs none
    import httpx

    from runmill.store.interface import Store

__all__ = ["Json", "Parameters", "Reader", "Tell"]

Json: TypeAlias = dict[str, Any]
"""A JSON object as the API answered it."""

Parameters: TypeAlias = Mapping[str, "str | int | bool | list[str] | None"]
"""A query string; what is None is left out."""

Tell: TypeAlias = Callable[[str, Json], None]
"""Takes the name and the data of a server-sent event."""

_KINDS: Final[dict[str, type[RunmillError]]] = {
    "conflict": Conflict,
    "invalid_argument": InvalidArgument,
    "not_found": NotFound,
    "unavailable": Unavailable,
}
_IN_PROCESS: Final = "http://runmill.invalid"
_HELLO_TIMEOUT_SECONDS: Final = 2.0
_ANSWER_TIMEOUT_SECONDS: Final = 60.0
_MOST_NAMED: Final = 20


class Reader:
    """Reads one home's runs, or those of the store at *url*, through the routes of docs/http-api.md; a context manager.

    Where no server of the home answers, ``RUNMILL_STORE`` names the store that is read.

    Entering it raises NotFound when nothing was ever stored there, and Conflict when another process holds the store
    without answering.
    """

    def __init__(self, home: Home, url: str | None = None) -> None:
        self._home = home
        self._url = url
        self._runner = asyncio.Runner()
        self._store: Store | None = None
        self._client: httpx.AsyncClient
        self.server: Server | None = None
        """The server that answers; None when the store was opened by this process."""

    def __enter__(self) -> Self:
        server = self._home.find_server() if self._url is None else None
        if server is not None and self._answers(server):
            self.server = server
            self._client = _remote_client(server)
        else:
            self._tell_what_waits()
            self._client = self._local_client(self._url or os.environ.get("RUNMILL_STORE"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        if self._store is not None:
            self._store.close()

    def get(self, path: str, parameters: Parameters | None = None) -> Json:
        """Give the answer of one route under ``/api/v1``; what it refused is raised in the words it gave."""
        answer = self._runner.run(self._get(path, parameters or {}))
        content: Json = answer.json()
        return content

    def run(self, wanted: str) -> Json:
        """Give a run by its id, a unique prefix of one, or the word ``latest``. Raises NotFound, or InvalidArgument."""
        if not wanted:
            raise InvalidArgument("The run is ''. Name one by its id, a unique prefix of it, or 'latest'.")
        if wanted != "latest":
            return self.get(f"/runs/{_segment(as_run_id(wanted))}")
        runs = self.get("/runs", {"limit": 1, "include_children": True})["runs"]
        if not runs:
            raise NotFound(f"There is no latest run: no run was ever started in {self._home.path}.")
        newest: Json = runs[0]
        return newest

    def points(self, run_id: str, metric: str | None = None) -> Iterator[Json]:
        """Give every point of a run, or of one of its metrics, in the order it was logged."""
        for series in self.get(f"/runs/{_segment(run_id)}/points", {"metric": metric})["points"]:
            yield from _each_point(series)

    def require_experiment(self, name: str) -> None:
        """Raise NotFound, with those there are, when no run is of that experiment."""
        there = [each["name"] for each in self.get("/experiments")["experiments"]]
        if name not in there:
            raise NotFound(f"There is no experiment {name!r}. Those there are: {_listed(there)}.")

    def require_service(self, name: str) -> None:
        """Raise NotFound, with those that logged without a run, when nothing of that service is stored."""
        if not self.get("/logs", {"service": name, "limit": 1})["records"]:
            there = [each["name"] for each in self.get("/services")["services"]]
            raise NotFound(f"No service {name!r} has logged. Those that have, outside of runs: {_listed(there)}.")

    def follow(self, path: str, parameters: Parameters, tell: Tell, *, linger_seconds: float) -> None:
        """Call *tell* with each event of a stream as it comes; return *linger_seconds* after the run's own end.

        Raises Unavailable when the server goes away.
        """
        self._runner.run(self._follow(path, parameters, tell, linger_seconds))

    async def _get(self, path: str, parameters: Parameters) -> "httpx.Response":
        with _in_words(self.server):
            answer = await self._client.get(path, params=_given(parameters))
        if answer.is_error:
            raise _problem(answer)
        return answer

    async def _follow(self, path: str, parameters: Parameters, tell: Tell, linger_seconds: float) -> None:
        with _in_words(self.server), suppress(TimeoutError):
            async with self._client.stream("GET", path, params=_given(parameters)) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise _problem(answer)
                async with asyncio.timeout(None) as deadline:
                    async for name, data in _events(answer.aiter_lines()):
                        tell(name, data)
                        if name == "run" and data["end_time_unix_nano"] is not None:
                            # What the process says at its very end may be committed just after its last event.
                            deadline.reschedule(asyncio.get_running_loop().time() + linger_seconds)
                raise Unavailable("The server stopped, so nothing new can arrive; what was stored can still be read.")

    def _answers(self, server: Server) -> bool:
        import httpx  # noqa: PLC0415 - 12 MB, and `runmill up`, which loads all commands, reads nothing

        # A server.json may outlive its server (kill -9): only an answer counts.
        try:
            address = f"{server.endpoint}/health"
            return httpx.get(address, timeout=_HELLO_TIMEOUT_SECONDS, trust_env=False, verify=_trust(server)).is_success
        except httpx.HTTPError:
            return False

    def _tell_what_waits(self) -> None:
        """Say that there is more than can be shown: without a server nobody puts the journals into the store."""
        if count := sum(journal.pending_count for journal in backlogs(self._home)):
            notice(
                f"{count} records wait in journals below {str(self._home.path)!r} and are not shown: no server runs "
                "there. They are taken in by: runmill up"
            )

    def _local_client(self, url: str | None) -> "httpx.AsyncClient":
        if url is None and not self._home.store.exists():
            raise NotFound(
                f"There is no run store in {self._home.path}: nothing was ever logged there. "
                "Name another home with --home or RUNMILL_HOME, or start with: runmill demo"
            )
        import httpx  # noqa: PLC0415 - as above

        # Imported here: with a server at hand none of this is needed, and a command answers at once.
        from runmill import store  # noqa: PLC0415
        from runmill._version import __version__  # noqa: PLC0415
        from runmill.views.app import create_app  # noqa: PLC0415

        self._store = store.open(url) if url else store.open(self._home.store, artifacts=self._home.artifacts)
        transport = httpx.ASGITransport(create_app(self._store, version=__version__))
        return httpx.AsyncClient(transport=transport, base_url=f"{_IN_PROCESS}/api/v1")


def _remote_client(server: Server) -> "httpx.AsyncClient":
    import httpx  # noqa: PLC0415 - as above

    # trust_env off: a proxy from the environment has no business between this machine and itself.
    return httpx.AsyncClient(
        base_url=f"{server.endpoint}/api/v1",
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=_ANSWER_TIMEOUT_SECONDS,
        trust_env=False,
        verify=_trust(server),
    )


def _trust(server: Server) -> ssl.SSLContext | bool:
    """Give what proves the server to be itself: with TLS, what the senders of this machine are told to trust."""
    if not server.endpoint.startswith("https://"):
        return True
    return ssl.create_default_context(cafile=os.environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE"))


def _each_point(series: Json) -> Iterator[Json]:
    """Turn the columns of a MetricPoints into an object a point; what is no list is the same for each."""
    varying = {name: column for name, column in series.items() if isinstance(column, list)}
    shared = {name: value for name, value in series.items() if name not in varying and name != "count"}
    for items in zip(*varying.values(), strict=True):
        yield shared | dict(zip(varying, items, strict=True))


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED]))
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown or "none"


def _given(parameters: Parameters) -> dict[str, Any]:
    return {name: _sendable(value) for name, value in parameters.items() if value is not None}


def _sendable(value: str | int | list[str]) -> Any:
    """Replace what is not text: bytes of an argument that are no UTF-8 came as lone surrogates."""
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _segment(text: str) -> str:
    """Quote *text* so that it stays one segment of a path; ``..`` would be a step up."""
    return quote(text, safe="", errors="replace").replace(".", "%2E")


@contextmanager
def _in_words(server: Server | None) -> Iterator[None]:
    import httpx  # noqa: PLC0415 - as above

    try:
        yield
    except httpx.HTTPError as error:
        where = server.endpoint if server else "the store"
        raise Unavailable(f"{where} does not answer: {str(error) or type(error).__name__}.") from error
    except httpx.InvalidURL as error:
        raise InvalidArgument(f"This cannot be asked for: {error}. Shorten the arguments.") from error


def _problem(answer: "httpx.Response") -> RunmillError:
    try:
        problem = answer.json()["error"]
        return _KINDS.get(problem["code"], RunmillError)(problem["message"])
    except (ValueError, KeyError, TypeError):
        return RunmillError(f"{answer.url} answered {answer.status_code} and not in runmill's words.")


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Json]]:
    """Read (event, data) off the lines of our own server. Source: WHATWG HTML, Server-sent events."""
    name, data = "", ""
    async for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data = value
        elif not line and data:
            yield name, json.loads(data)
            name, data = "", ""
