"""What stands before every route: the headers that keep a page harmless, and the token where one is wanted."""

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runmill.views.answers import JsonResponse

__all__ = ["SecurityHeaders", "TokenGate"]

# data: for the images Plotly measures text and draws icons with; styles and scripts are our own files only.
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_COOKIE: Final = "runmill-token"
_OPEN_PATHS: Final = ("/health", "/static/")


class SecurityHeaders:
    """Adds the security headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class TokenGate:
    """Lets through who brings the token: programs as a Bearer, people by an address with ``?token=`` once."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, turn the token of an address into a cookie, or answer 401."""
        if scope["type"] != "http" or scope["path"].startswith(_OPEN_PATHS) or self._has_token(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        await (self._welcome(scope) or _refusal())(scope, receive, send)

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        bearer = credentials if scheme.lower() == "bearer" else ""
        return self._is_token(bearer) or self._is_token(_cookie(headers.get("cookie", "")))

    def _welcome(self, scope: Scope) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if not self._is_token(dict(query).get("token", "")):
            return None
        # The token leaves the address bar, and with it the history and what is copied from there.
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303)
        answer.set_cookie(_COOKIE, self._token, httponly=True, samesite="strict", max_age=30 * 86_400)
        return answer

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _refusal() -> Response:
    message = "This server wants its token: send 'Authorization: Bearer TOKEN', or open the address it printed."
    content = {"error": {"code": "unauthenticated", "message": message}}
    return JsonResponse(content, 401, {"WWW-Authenticate": "Bearer"})
