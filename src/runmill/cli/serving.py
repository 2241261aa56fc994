"""What a serving process has around it: where it listens, when it stops, and in which order."""

import asyncio
import errno
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, closing
from typing import Final

from runmill.cli.render import say
from runmill.collector.asgi import ASGIApp
from runmill.collector.component import Component
from runmill.collector.guard import Guard, Health
from runmill.collector.receivers import otlp
from runmill.collector.server import HttpServer
from runmill.collector.values import is_loopback, split_endpoint
from runmill.errors import Conflict

__all__ = ["Portal", "bind_here_or_near", "is_wide", "local_address", "port_here_or_near", "serve_until_stopped"]

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

# Each connection and each file that is followed is one; many systems allow 1,024 unless asked.
_OPEN_FILES: Final = 16_384


def bind_here_or_near(endpoint: str) -> socket.socket:
    """Listen on ``HOST:PORT``, or on a free port of that host when the port is taken, and say so."""
    try:
        return otlp.bind(endpoint)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    listening = otlp.bind(f"{endpoint.rpartition(':')[0]}:0")
    say(f"{endpoint} is taken by another program; using port {listening.getsockname()[1]} instead.")
    return listening


def port_here_or_near(endpoint: str) -> str:
    """Give *endpoint* with a port that is free: its own, or another of that host, and say so.

    For servers that bind for themselves; somebody else may be faster.
    """
    with closing(bind_here_or_near(endpoint)) as listening:
        return f"{endpoint.rpartition(':')[0]}:{listening.getsockname()[1]}"


def local_address(endpoint: str, *, is_tls: bool = False) -> str:
    """Give the URL by which this machine reaches a server that listens on ``HOST:PORT``."""
    host, port = split_endpoint(endpoint)
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        host = "localhost"
    scheme = "https" if is_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def is_wide(endpoint: str) -> bool:
    """Say whether other machines reach what listens on ``HOST:PORT``."""
    return not is_loopback(split_endpoint(endpoint)[0])


class Portal:
    """Serves the views alone, guarded as a collector's port is."""

    def __init__(self, app: ASGIApp, endpoint: str) -> None:
        self._app = app
        self._health = Health()
        self._server: HttpServer | None = None
        self.endpoint = endpoint
        """``HOST:PORT``; the real port once it has started."""

    async def start(self) -> None:
        """Return once requests are answered. Raises OSError when the address cannot be had."""
        host, _ = split_endpoint(self.endpoint)
        listening = otlp.bind(self.endpoint)
        self.endpoint = f"{self.endpoint.rpartition(':')[0]}:{listening.getsockname()[1]}"
        # No token here: the views ask for theirs, and take a browser's cookie for it.
        self._server = HttpServer(Guard(self._app, self._health, host), listening)
        await self._server.start()
        self._health.status = "ok"

    async def shutdown(self) -> None:
        """Finish what was asked, and close."""
        self._health.status = "stopping"
        if self._server is not None:
            await self._server.shutdown()


async def serve_until_stopped(
    component: Component,
    *,
    announced: Callable[[], AbstractContextManager[None]],
    idle: Callable[[], Awaitable[None]] | None = None,
    reload: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Start *component*, announce it, and shut it down after a stop signal or once *idle* (if given) returns.

    A second signal while it shuts down ends the process at once. SIGHUP calls *reload*; where there is none, or where
    it means that the terminal is gone, it is a stop signal.
    """
    _allow_many_files()
    hangup = asyncio.Event()
    stopping = _on_signals(hangup if reload else None)
    try:
        await component.start()
    except OSError as error:
        raise Conflict(error.strerror or str(error)) from error
    try:
        with announced():
            others = [each for each in (idle and idle(), reload and _again_and_again(reload, hangup)) if each]
            await _first(stopping, *map(asyncio.ensure_future, others))
    finally:
        await component.shutdown()


async def _again_and_again(reload: Callable[[], Awaitable[None]], hangup: asyncio.Event) -> None:
    """Reload once for however many hangups came meanwhile."""
    while await hangup.wait():
        hangup.clear()
        await reload()


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _has_terminal() -> bool:
    return any(map(os.isatty, range(3)))


def _on_signals(hangup: asyncio.Event | None) -> "asyncio.Future[None]":
    """Give what is done when the process is told to stop; *hangup* is set by a SIGHUP that means something else."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    had_terminal = _has_terminal()
    # What is ignored stays so: that is how nohup keeps a program when its terminal closes.
    numbers = [n for n in (*_STOP_SIGNALS, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]

    def stop() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        told.set_result(None)

    def hang_up() -> None:
        if hangup is None or (had_terminal and not _has_terminal()):
            stop()
        else:
            hangup.set()

    for number in numbers:
        loop.add_signal_handler(number, hang_up if number == signal.SIGHUP else stop)
    return told


async def _first(*futures: "asyncio.Future[None]") -> None:
    """Return when one of *futures* is done, and raise what it raised; the others are cancelled."""
    done, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    for future in pending:
        future.cancel()
    for future in done:
        future.result()
