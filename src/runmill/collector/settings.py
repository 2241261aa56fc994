"""What the program that runs the collector decides, as opposed to what its configuration says."""

from dataclasses import dataclass

from runmill.collector.asgi import ASGIApp
from runmill.collector.exporters.run_store import OpenStore
from runmill.collector.receivers.otlp import Bind, bind

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Set by code."""

    open_store: OpenStore
    """Gives the store at a URL, the same one each time; who passes it closes it."""
    fallback_app: ASGIApp | None = None
    """Answers every HTTP request that is not OTLP, so that one port serves everything; it asks for the token itself."""
    bind: Bind = bind
    """Listens on ``HOST:PORT``; another may choose another port when this one is taken."""
    token: str | None = None
    """What OTLP requests must bring (``Authorization: Bearer``) where an endpoint is wider than loopback."""
