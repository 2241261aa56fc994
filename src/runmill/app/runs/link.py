"""What the objects of a workspace write to and read from: one outlet, and the server behind it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runmill.app.runs.autostart import ensure_server, is_server_gone
from runmill.app.runs.client import Client
from runmill.app.settings import Settings
from runmill.errors import Unavailable
from runmill.home import Home, Server
from runmill.journal.records import Record
from runmill.journal.wills import Will

__all__ = ["Link", "WayOut"]

_FLUSH_SECONDS = 30.0


class WayOut(Protocol):
    """What is asked of ``runmill.app.outlet.Outlet``."""

    @property
    def home(self) -> Home:
        """Where the journal and the spool are."""

    @property
    def settings(self) -> Settings:
        """How it delivers."""

    @property
    def resource(self) -> Mapping[str, Any]:
        """What this process is, as OTLP resource attributes."""

    @property
    def write(self) -> Callable[[Record], None]:
        """Keep one record; returns at once."""

    def leave_will(self, record: Record, *, name: str) -> Will | None:
        """Have an event said if this process dies without taking the will back; None where that cannot be."""

    def flush(self, timeout_seconds: float) -> int:
        """Deliver what was written; give how many records are not acknowledged."""

    def server(self) -> Server:
        """Say where it delivers to now."""


@dataclass(frozen=True, slots=True)
class Link:
    """Writing goes to the outlet; reading goes to the server it delivers to."""

    outlet: WayOut

    @property
    def portal(self) -> str:
        """Base address of the pages."""
        return self.outlet.server().endpoint

    def client(self) -> Client:
        """Give a reader of what the server has now."""
        settings = self.outlet.settings
        return Client(self.outlet.server(), headers=settings.headers, certificate=settings.certificate)

    def ensure_server(self) -> None:
        """Start the home's server where none is configured and none runs; a failure is said, and harms nothing."""
        chosen = self.outlet.settings
        if chosen.endpoint is None and chosen.logs_endpoint is None and not chosen.is_disabled:
            ensure_server(self.outlet.home)

    def flush(self, timeout_seconds: float = _FLUSH_SECONDS) -> None:
        """Return when the store has all that this process wrote. Raises Unavailable: it is kept, and sent later."""
        if is_server_gone(self.outlet.home):  # stopped when idle, or was killed
            self.ensure_server()
        deadline = time.monotonic() + timeout_seconds
        pending = self.outlet.flush(timeout_seconds)
        if pending:
            # One that was killed just now is not gone yet: its process has a number until somebody asks how it ended.
            self.ensure_server()
            pending = self.outlet.flush(max(0.0, deadline - time.monotonic()))
        if pending:
            raise Unavailable(
                f"{pending} records have not reached {self.portal}: nobody answers there, or not in time. "
                f"They are safe in the journal below {str(self.outlet.home.path)!r} and are delivered as soon as it "
                "answers. `runmill up` starts a server of this home."
            )

    def fresh_client(self) -> Client:
        """Give a reader that sees everything this process wrote before. Raises Unavailable."""
        self.flush()
        return self.client()
