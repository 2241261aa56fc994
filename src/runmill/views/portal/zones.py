"""Pages tell times of the reader's zone, which their script says in a cookie; without it, those of this machine."""

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from http.cookies import CookieError, SimpleCookie
from typing import Final
from zoneinfo import ZoneInfo

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ReaderZone", "local", "zone_name"]

_COOKIE: Final = "zone"
_SECOND: Final = 1_000_000_000
_zone: ContextVar[tzinfo | None] = ContextVar("zone", default=None)


class ReaderZone:
    """Sets the zone for as long as a request is answered, its stream and its worker threads included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request in its reader's zone."""
        if scope["type"] == "http":
            _zone.set(_asked(scope))
        await self._app(scope, receive, send)


def local(unix_nano: int) -> datetime:
    """Give a time, to the microsecond, in the reader's zone."""
    moment = datetime.fromtimestamp(unix_nano // _SECOND, UTC)
    return moment.replace(microsecond=unix_nano % _SECOND // 1000).astimezone(_zone.get())


def zone_name() -> str:
    """Give the reader's zone as their script named it; empty where times are those of this machine."""
    return str(_zone.get() or "")


def _asked(scope: Scope) -> tzinfo | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            return _named(value.decode("latin-1"))
    return None


def _named(cookies: str) -> tzinfo | None:
    try:
        cookie = SimpleCookie(cookies).get(_COOKIE)
        return ZoneInfo(cookie.value) if cookie else None
    except (CookieError, ValueError, LookupError, OSError):
        return None  # no zone that this machine knows: a cookie may hold anything, and a small image has no zones
