"""What stands before every HTTP request: who may ask at all, and ``GET /health``.

A server on this machine's loopback address is reached by every page the user's browser shows, so a request must prove
that it is meant: its Host must name this machine (a page cannot make its own domain do that, not even by pointing the
name at 127.0.0.1), and one that changes something must not come from a foreign page. Asking for a token is left to
each app: it knows whether its callers are programs or people.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlsplit

from runmill._version import __version__
from runmill.collector.asgi import ASGIApp, Headers, Receive, Scope, Send, headers_of, send_response
from runmill.collector.values import is_loopback

__all__ = ["Guard", "Health"]

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Health:
    """Whether the collector is at work: 503 until everything has started, and again once it stops."""

    status: Literal["starting", "ok", "stopping"] = "starting"
    start_seconds: float = field(default_factory=time.monotonic)

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer ``GET /health``."""
        uptime = round(time.monotonic() - self.start_seconds, 3)
        answer = {"status": self.status, "version": __version__, "uptime_seconds": uptime}
        status = HTTPStatus.OK if self.status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
        await _send_json(send, status, answer)


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets a request through to *app*, or refuses it."""

    app: ASGIApp
    health: Health
    host: str
    """Where the server listens: a loopback name or address, or something wider."""
    may_write: Callable[[Scope, str], bool] | None = None
    """Which requests a foreign origin may make all the same; by default none that changes something."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = headers_of(scope)
        if refusal := self._refusal(scope, headers):
            await _refuse(send, *refusal)
        elif scope["path"] == "/health" and scope["method"] in ("GET", "HEAD"):
            await self.health(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[HTTPStatus, str] | None:
        host = headers.get("host", "")
        if is_loopback(self.host) and not is_loopback(_host_name(host)):
            return HTTPStatus.MISDIRECTED_REQUEST, (
                f"Host {host!r} is not this machine, and only this machine is served here. Use http://localhost, or "
                "have the server listen wider with a token."
            )
        origin = headers.get("origin")
        if origin is not None and scope["method"] not in _SAFE_METHODS and not self._is_known(scope, origin, host):
            return HTTPStatus.FORBIDDEN, (
                f"a page from {origin!r} may not change anything on {host!r}. Send the request without a browser, or "
                "from a page of this server."
            )
        return None

    def _is_known(self, scope: Scope, origin: str, host: str) -> bool:
        return urlsplit(origin).netloc == host or (self.may_write is not None and self.may_write(scope, origin))


_CODES: Final = {
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.MISDIRECTED_REQUEST: "misdirected",
}


async def _send_json(send: Send, status: int, answer: object) -> None:
    await send_response(send, status, {"content-type": "application/json"}, json.dumps(answer).encode())


async def _refuse(send: Send, status: HTTPStatus, message: str) -> None:
    await _send_json(send, status, {"error": {"code": _CODES[status], "message": message}})


def _host_name(host: str) -> str:
    """Give the Host header without its port."""
    return urlsplit(f"//{host}").hostname or ""
