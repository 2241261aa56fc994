"""What the program that runs the collector decides, as opposed to what its configuration says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runmill import home as homes
from runmill.collector.asgi import ASGIApp
from runmill.collector.explain import Explainer
from runmill.collector.lasting import Lasting
from runmill.collector.receivers.journal import PutArtifact
from runmill.collector.receivers.otlp import Bind, bind
from runmill.home import Home

if TYPE_CHECKING:  # a collector without a run store loads nothing of one
    from runmill.collector.exporters.run_store import OpenStore

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Set by code."""

    open_store: "OpenStore"
    """Gives the store at a URL, the same one each time; who passes it closes it."""
    fallback_app: ASGIApp | None = None
    """Answers every HTTP request that is not OTLP, so that one port serves everything; it asks for the token itself."""
    bind: Bind = bind
    """Listens on ``HOST:PORT``; another may choose another port when this one is taken."""
    choose_port: Callable[[str], str] = str
    """Gives the ``HOST:PORT`` where gRPC, which binds for itself, shall listen for the configured one."""
    home: Home = field(default_factory=homes.find)
    """Whose journals are gathered, and where receivers keep how far they have read."""
    lasting: Lasting = field(default_factory=Lasting)
    """The receivers that go on from one collector to the next."""
    put_artifact: PutArtifact | None = None
    """Takes the files that dead processes left; None where no store is at hand: then the files stay where they are."""
    token: str | None = None
    """What OTLP requests must bring (``Authorization: Bearer``) where an endpoint is wider than loopback."""
    explainer: Explainer | None = None
    """Told which rule of a processor dropped or changed which record; None: nobody asked."""
    is_insecure: bool = False
    """Everybody is let in everywhere."""
