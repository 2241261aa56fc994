"""Lets pages of this machine, as a notebook's, read the API from the browser; pages of other hosts cannot."""

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LocalPages"]

_LOCAL: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?")
_READABLE: Final = "/api/v1/"


class LocalPages:
    """Adds to answers of the API that a page of a loopback origin may read them.

    Who may ask at all stays the token's matter: no credentials are allowed, so a page cannot ride on a cookie.
    Source: Fetch standard, CORS protocol.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""
        origin = Headers(scope=scope).get("origin", "") if scope["type"] == "http" else ""
        if not (_LOCAL.fullmatch(origin) and scope["method"] == "GET" and scope["path"].startswith(_READABLE)):
            await self._app(scope, receive, send)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_readable)
