"""One ASGI application over a store: the API under ``/api/v1``, MLflow's, the portal at ``/``, and ``/health``."""

import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from runmill.store.interface import Store
from runmill.views.answers import JsonResponse
from runmill.views.api import create_api
from runmill.views.gate import SecurityHeaders, TokenGate
from runmill.views.mlflow.app import Tell, create_mlflow
from runmill.views.notebooks import LocalPages
from runmill.views.portal.collector_page import LookAtCollector
from runmill.views.portal.pages import create_portal

__all__ = ["create_app"]


def create_app(
    store: Store,
    *,
    version: str,
    token: str | None = None,
    tell: Tell | None = None,
    look_at_collector: LookAtCollector | None = None,
) -> Starlette:
    """Give the application; with a *token* only who brings it is let in. The store stays the caller's to close.

    What MLflow clients log goes to *tell*, which returns once it is stored; without it they can only read. The page of
    the collector shows what *look_at_collector* gives.

    A live view ends when its client leaves: a server that stops should tell it so (``http.disconnect``).
    """
    middleware = [Middleware(SecurityHeaders), Middleware(LocalPages)]
    if token is not None:
        middleware.append(Middleware(TokenGate, token))
    routes = [
        Route("/health", _health(version)),
        Mount("/api/v1", create_api(store, version=version)),
        Mount("/api/2.0", create_mlflow(store, tell)),
        Mount("/", create_portal(store, version=version, look_at_collector=look_at_collector)),
    ]
    return Starlette(routes=routes, middleware=middleware)


def _health(version: str) -> Callable[[Request], Awaitable[Response]]:
    started = time.monotonic()

    async def health(_: Request) -> Response:
        uptime = round(time.monotonic() - started, 3)
        return JsonResponse({"status": "ok", "version": version, "uptime_seconds": uptime})

    return health
