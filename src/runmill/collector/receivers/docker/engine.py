"""The Engine API of Docker and podman: as much of it as telling which containers there are and what they print takes.

Source: Docker Engine API 1.41; podman's differences as seen in 4.3.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from runmill.collector.receivers.docker.download import opened, socket_of
from runmill.collector.receivers.docker.frames import Frames, Multiplexed, Terminal
from runmill.errors import RunmillError

__all__ = ["Asked", "Engine", "EngineError", "Event", "NoSuchContainer"]

_NEWEST: Final = (1, 47)
_VERSION: Final = re.compile(r"\d+\.\d+")
_EVENTS: Final = ("create", "start")


class EngineError(RunmillError):
    """The engine does not answer, or not as it should. Ask again later."""


class NoSuchContainer(EngineError):  # noqa: N818 - named by what happened
    """The container was removed."""


_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
"""Docker answers with the second one while it removes a container."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a container."""

    container_id: str
    action: str
    """``create`` or ``start``."""


class Engine:
    """A client of one engine. Everything here raises EngineError."""

    def __init__(self, endpoint: str, *, api_version: str = "", timeout_seconds: float = 5) -> None:
        """Make one; *endpoint* and an *api_version* that is not agreed on are as the configuration has them."""
        self._endpoint = endpoint
        self._wanted_version = api_version
        self._timeout_seconds = timeout_seconds
        self._client = _client(endpoint, timeout_seconds)
        self._base = ""
        self._podman_version = ""

    @property
    def runtime(self) -> str:
        """``docker`` or ``podman``."""
        return "podman" if self._podman_version else "docker"

    async def greet(self) -> None:
        """Find out who answers, and agree on a version."""
        headers = (await self._get("/_ping")).headers
        self._podman_version = headers.get("Libpod-API-Version", "")
        self._base = f"/v{self._wanted_version or _older(headers.get('API-Version', ''))}"

    async def containers(self) -> list[dict[str, Any]]:
        """Give a summary of every container, ended ones too."""
        found: list[dict[str, Any]] = (await self._get(f"{self._base}/containers/json", all="1")).json()
        return found

    async def inspect(self, container_id: str) -> dict[str, Any]:
        """Give all that is known of a container. Raises NoSuchContainer."""
        found: dict[str, Any] = (await self._get(f"{self._base}/containers/{container_id}/json")).json()
        return found

    @asynccontextmanager
    async def output(self, container_id: str, asked: "Asked") -> AsyncIterator[tuple[AsyncIterator[bytes], Frames]]:
        """Give what a container printed, and what cuts that into pieces. Raises NoSuchContainer."""
        base, frames = self._base, Terminal() if asked.is_terminal else Multiplexed()
        if asked.is_terminal and self._podman_version:
            # Its Docker API puts a time before each piece of a line, at places that nothing tells.
            base, frames = f"/v{self._podman_version}/libpod", Multiplexed(is_terminal=True)
        parameters = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": 1,
            "follow": int(asked.follows),
            "since": asked.since_seconds,
        }
        path = f"{base}/containers/{container_id}/logs?{urlencode(parameters)}"
        async with self._told(), opened(self._endpoint, path, timeout_seconds=self._timeout_seconds) as download:
            self._check(download.status, await download.rest() if download.is_error else b"")
            yield download.blocks(), frames

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[Event]]:
        """Give what happens to containers from now on; it ends when the engine does."""
        filters = json.dumps({"type": ["container"], "event": list(_EVENTS)})
        patience = httpx.Timeout(self._timeout_seconds, read=None)  # nothing may happen for days
        async with (
            self._told(),
            self._client.stream(
                "GET", f"{self._base}/events", params={"filters": filters}, timeout=patience
            ) as response,
        ):
            self._check(response.status_code, await response.aread() if response.is_error else b"")
            yield (_event(line) async for line in response.aiter_lines() if line)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def _get(self, path: str, **parameters: str) -> httpx.Response:
        async with self._told():
            response = await self._client.get(path, params=parameters)
        self._check(response.status_code, response.content)
        return response

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        try:
            yield
        except (httpx.HTTPError, OSError, asyncio.IncompleteReadError) as error:
            raise EngineError(
                f"the container engine at {self._endpoint} does not answer ({str(error) or repr(error)}). Start it, or "
                "let this user open its socket"
            ) from error

    def _check(self, status: int, answer: bytes) -> None:
        if status in _GONE:
            raise NoSuchContainer(f"the container engine at {self._endpoint} says: {_message(answer)}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise EngineError(f"the container engine at {self._endpoint} answers {status}: {_message(answer)}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a container's output is asked for."""

    since_seconds: int
    """From this time on."""
    is_terminal: bool
    """Whether the container has one."""
    follows: bool
    """To its end, or as far as it has come."""


def _client(endpoint: str, timeout_seconds: float) -> httpx.AsyncClient:
    socket = socket_of(endpoint)
    return httpx.AsyncClient(
        base_url="http://engine" if socket else endpoint.replace("tcp://", "http://"),
        # None is kept: an engine that is started again would find those of its predecessor.
        transport=httpx.AsyncHTTPTransport(uds=socket, limits=httpx.Limits(max_keepalive_connections=0)),
        timeout=timeout_seconds,
        trust_env=False,
    )


def _older(theirs: str) -> str:
    """Give their version, or ours where theirs is newer."""
    parts = tuple(map(int, theirs.split("."))) if _VERSION.fullmatch(theirs) else _NEWEST
    return ".".join(map(str, min(parts, _NEWEST)))


def _event(line: str) -> Event:
    found = json.loads(line)
    return Event(found["Actor"]["ID"], found["Action"])


def _message(answer: bytes) -> str:
    try:
        found = json.loads(answer)
        return str(found["message"])
    except (ValueError, TypeError, KeyError):
        return answer.decode(errors="replace").strip() or "nothing more"
