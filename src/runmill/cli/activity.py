"""Whether anybody needs the server: requests, commits, running runs. What started by itself stops by itself."""

import asyncio
from typing import Final

from runmill.collector.asgi import ASGIApp, Receive, Scope, Send
from runmill.model import RunStatus
from runmill.store.interface import Committed, Store
from runmill.store.query import RunQuery

__all__ = ["Activity"]

_AT_WORK: Final[frozenset[RunStatus]] = frozenset(
    {"Queued", "Preparing", "Provisioning", "Starting", "Running", "CancelRequested", "Finalizing"}
)
"""A run that is NotResponding keeps nobody waiting."""

_LOOK_AGAIN_SECONDS: Final = 0.5


class Activity:
    """Stands before *app* and behind the store's commits, and knows when both were last used."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._last_seconds = self._loop.time()
        self._open_count = 0
        self._unsubscribe = store.subscribe(self._on_commit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; one that is open, such as a live view, counts for as long as it is."""
        self._open_count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open_count -= 1
            self._last_seconds = self._loop.time()

    async def idle(self, seconds: float | None) -> None:
        """Return once nothing was asked or committed for *seconds*, and no run is at work; None: never."""
        if seconds is None:
            await self._loop.create_future()
            return
        # No event says that nothing happens: looked at again when it could first be over.
        while self._quiet_seconds() < seconds or self._open_count or await asyncio.to_thread(self._has_running):  # noqa: ASYNC110
            await asyncio.sleep(max(seconds - self._quiet_seconds(), _LOOK_AGAIN_SECONDS))

    def _quiet_seconds(self) -> float:
        return self._loop.time() - self._last_seconds

    def close(self) -> None:
        """Listen no longer."""
        self._unsubscribe()

    def _has_running(self) -> bool:
        return bool(self._store.runs(RunQuery(status=_AT_WORK, include_children=True, limit=1)))

    def _on_commit(self, committed: Committed) -> None:
        del committed  # that there was one is all that counts
        # A float assigned from the committing thread: one store, no lock needed.
        self._last_seconds = self._loop.time()
