"""Which pages of other sites may send OTLP from a browser: none, unless the configuration names them.

Source: Fetch standard, CORS protocol; OpenTelemetry Collector, config/confighttp, cors.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import Field

from runmill.collector.asgi import ASGIApp, Message, Receive, Scope, Send, headers_of, send_response
from runmill.collector.values import Section

__all__ = ["Cors", "CorsConfig"]

# What every OTLP request has; a page may send these without being asked for them in the configuration.
_OTLP_HEADERS: Final = ("content-type", "content-encoding")


class CorsConfig(Section):
    """Source: OpenTelemetry Collector, config/confighttp, cors."""

    allowed_origins: list[str] = Field(default_factory=list)
    """Origins such as `https://app.example.com`; `*` stands for anything within one: `https://*.example.com`."""
    allowed_headers: list[str] = Field(default_factory=list)
    """Headers a page may send beside those that OTLP needs; `*`: any."""
    exposed_headers: list[str] = Field(default_factory=list)
    """Headers of the answer that a page may read."""
    max_age: int = Field(default=0, ge=0)
    """For so many seconds a browser need not ask again; 0: its own default."""


class Cors:
    """Says to browsers which origins may send to *paths*; *app* answers the requests."""

    def __init__(self, config: CorsConfig, paths: frozenset[str], app: ASGIApp) -> None:
        self._config = config
        self._paths = paths
        self._app = app
        exposed = ", ".join(config.exposed_headers)
        self._exposed = {"access-control-expose-headers": exposed} if exposed else {}
        self._origins = [_pattern(origin) for origin in config.allowed_origins]

    def allows(self, scope: Scope, origin: str) -> bool:
        """Say whether a page of *origin* may send this request."""
        return scope["path"] in self._paths and any(pattern.fullmatch(origin) for pattern in self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; pass on any other request, and add to its answer that the page may read it."""
        headers = headers_of(scope)
        origin = headers.get("origin")
        if origin is None or not self.allows(scope, origin):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            asked = headers.get("access-control-request-headers", "")
            await send_response(send, HTTPStatus.NO_CONTENT, self._preflight(origin, asked), b"")
        else:
            await self._app(scope, receive, self._allowing(origin, send))

    def _preflight(self, origin: str, asked: str) -> Mapping[str, str]:
        any_header = "*" in self._config.allowed_headers
        known = ", ".join((*_OTLP_HEADERS, *self._config.allowed_headers))
        headers = {
            **_allowance(origin),
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": asked if any_header else known,
        }
        return headers | ({"access-control-max-age": str(self._config.max_age)} if self._config.max_age else {})

    def _allowing(self, origin: str, send: Send) -> Send:
        fields = _allowance(origin) | self._exposed
        added = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]

        async def send_allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        return send_allowing


def _allowance(origin: str) -> dict[str, str]:
    # Credentials too, as upstream: an origin is always named, never `*`.
    return {"access-control-allow-origin": origin, "access-control-allow-credentials": "true", "vary": "Origin"}


def _pattern(origin: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, origin.split("*"))), re.IGNORECASE)
