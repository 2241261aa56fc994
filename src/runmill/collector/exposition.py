"""The collector's counters as Prometheus reads them: ``GET /metrics``.

Source: Prometheus, text-based exposition format.
"""

import hmac
import itertools
from collections.abc import Mapping
from typing import Final

from runmill.collector.asgi import ASGIApp, Headers, Receive, Scope, Send, headers_of, send_response
from runmill.collector.guard import Guard, Health
from runmill.collector.receivers.otlp import Bind
from runmill.collector.server import HttpServer
from runmill.collector.telemetry import Telemetry, is_gauge
from runmill.collector.values import split_endpoint

__all__ = ["MetricsApp", "MetricsServer", "exposition"]

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(counts: Mapping[str, int]) -> str:
    """Write counters and gauges, each family under its type; *counts* as `Telemetry.snapshot` gives them."""
    lines = list[str]()
    for family, series in itertools.groupby(sorted(counts.items()), key=lambda item: item[0].partition("{")[0]):
        kind = "gauge" if is_gauge(family) else "counter"
        lines.append(f"# TYPE {family} {kind}")
        lines += [f"{name} {value}" for name, value in series]
    return "".join(f"{line}\n" for line in lines)


class MetricsApp:
    """Answers ``/metrics`` to who brings *token* (None: to everyone), and leaves every other path to *others*."""

    def __init__(self, telemetry: Telemetry, others: ASGIApp | None = None, *, token: str | None = None) -> None:
        self._telemetry = telemetry
        self._others = others
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD"):
            if not self._is_allowed(headers_of(scope)):
                text = b"The header 'Authorization: Bearer TOKEN' is wanted from other machines.\n"
                await send_response(send, 401, {"content-type": "text/plain", "www-authenticate": "Bearer"}, text)
                return
            body = exposition(self._telemetry.snapshot()).encode()
            await send_response(send, 200, {"content-type": _MEDIA_TYPE}, body)
        elif self._others is not None:
            await self._others(scope, receive, send)
        else:
            text = b"Only /metrics and /health are served here.\n"
            await send_response(send, 404, {"content-type": "text/plain"}, text)

    def _is_allowed(self, headers: Headers) -> bool:
        given, wanted = headers.get("authorization", ""), f"Bearer {self._token}"
        return self._token is None or hmac.compare_digest(given.encode(), wanted.encode())


class MetricsServer:
    """Serves ``/metrics`` on an address of its own."""

    def __init__(self, endpoint: str, telemetry: Telemetry, *, health: Health, bind: Bind, token: str | None) -> None:
        self._configured = endpoint
        self._bind = bind
        host, _ = split_endpoint(endpoint)
        self._app = Guard(MetricsApp(telemetry, token=token), health, host)
        self._server: HttpServer | None = None
        self.endpoint: str | None = None
        """Where it listens, once it has started."""

    async def start(self) -> None:
        """Listen; raises OSError when the address cannot be had."""
        listening = self._bind(self._configured)
        self.endpoint = f"{self._configured.rpartition(':')[0]}:{listening.getsockname()[1]}"
        self._server = HttpServer(self._app, listening)
        await self._server.start()

    async def shutdown(self) -> None:
        """Answer what has come, and stop listening."""
        if self._server is not None:
            await self._server.shutdown()
