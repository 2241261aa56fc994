"""An HTTP server in the running event loop, that listens on a socket it is given and stops within a limit."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, cast

import uvicorn

from runmill.collector.asgi import ASGIApp, Message, Receive, Scope, Send
from runmill.collector.connections import Connection, Waiting, most_connections
from runmill.errors import Unavailable

__all__ = ["HttpServer"]

_STOP_LIMIT_SECONDS: Final = 10

# Source: OpenTelemetry Collector, config/confighttp, idle_timeout. Many senders come every few seconds.
_KEEP_ALIVE_SECONDS: Final = 60

# Of a body, when nothing of it comes for so long, nothing will.
_SILENCE_SECONDS: Final = 60


class HttpServer:
    """Serves *app* on *listening*, over TLS where *tls* is given; the socket is closed with it."""

    def __init__(self, app: ASGIApp, listening: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        self._stopping = asyncio.Event()
        self._listening = listening
        waiting = Waiting(most_connections())
        config = uvicorn.Config(
            _StopsWaiting(app, self._stopping),
            http=cast("Any", partial(Connection, waiting)),
            ssl_context_factory=None if tls is None else lambda *_: tls,
            ws="none",
            lifespan="off",
            # The process's logging is its owner's; ours may be attached to it, and must not log its own requests.
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_LIMIT_SECONDS,
        )
        self._server = _Server(config, waiting, self._stopping)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once requests are answered."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]), name="http server")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._serving
            raise Unavailable("the HTTP server stopped before it had started.")

    async def shutdown(self) -> None:
        """Take no new requests, finish those at work within 10 s, and close."""
        self._stopping.set()
        if self._serving is not None:
            await self._serving
        self._listening.close()


class _Server(uvicorn.Server):
    """Leaves the signals to the process, says when it listens, and wakes up once a second rather than ten times."""

    def __init__(self, config: uvicorn.Config, waiting: Waiting, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._waiting = waiting
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not self._stopping.is_set():
            await self.on_tick(0)  # keeps the Date header
            self._waiting.cut_late()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)


class _StopsWaiting:
    """Tells requests that their client has left: when a body stops coming, and, once the server stops, live streams."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_read = False

        async def receive_until_stopped() -> Message:
            nonlocal is_read
            if not is_read:  # the body is still coming: a request that has begun is finished
                message = await _within_silence(receive)
                is_read = not message.get("more_body", False)
                return message
            waiting = asyncio.ensure_future(receive())
            stopping = asyncio.ensure_future(self._stopping.wait())
            done, pending = await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            return waiting.result() if waiting in done else {"type": "http.disconnect"}

        await self._app(scope, receive_until_stopped, send)


async def _within_silence(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(_SILENCE_SECONDS):
            return await receive()
    except TimeoutError:
        return {"type": "http.disconnect"}
