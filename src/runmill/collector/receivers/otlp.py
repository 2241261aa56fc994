"""``otlp`` over HTTP: listens, and guards what it listens to."""

import socket
from collections.abc import Callable, Mapping

from runmill.collector.asgi import ASGIApp
from runmill.collector.component import Consumer, Signal
from runmill.collector.guard import Guard, Health
from runmill.collector.receivers.cors import Cors
from runmill.collector.receivers.otlp_config import HttpConfig
from runmill.collector.receivers.otlp_http import OtlpHttp
from runmill.collector.server import HttpServer
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import split_endpoint

__all__ = ["Bind", "OtlpReceiver", "bind"]

Bind = Callable[[str], socket.socket]
"""Gives a listening socket for ``HOST:PORT``; its owner decides what happens when the port is taken."""


class OtlpReceiver:
    """Receives OTLP over HTTP for *consumers*; other requests on its port are answered by *others*."""

    def __init__(
        self,
        config: HttpConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        health: Health,
        others: ASGIApp | None,
        bind: Bind,
        token: str | None,
        metadata_names: frozenset[str] = frozenset(),
    ) -> None:
        self._config = config
        self._bind = bind
        self._receiver_id = receiver_id
        host, _ = split_endpoint(config.endpoint)
        otlp = OtlpHttp(
            config,
            consumers,
            receiver_id=receiver_id,
            telemetry=telemetry,
            others=others,
            token=token,
            metadata_names=metadata_names,
        )
        cors = config.cors and Cors(config.cors, frozenset(config.signals_by_path()), otlp)
        self._app = Guard(cors or otlp, health, host, may_write=cors.allows if cors else None)
        self._server: HttpServer | None = None
        self.endpoint: str | None = None
        """Where it listens, once it has started: ``127.0.0.1:4318``."""

    async def start(self) -> None:
        """Listen; raises OSError when the address cannot be had."""
        tls = self._config.tls.context() if self._config.tls else None
        listening = self._bind(self._config.endpoint)
        self.endpoint = _address(listening)
        self._server = HttpServer(self._app, listening, tls=tls)
        await self._server.start()

    async def shutdown(self) -> None:
        """Answer what has come, and stop listening."""
        if self._server is not None:
            await self._server.shutdown()


def bind(endpoint: str) -> socket.socket:
    """Listen on ``HOST:PORT``. Raises OSError naming the address when it cannot be had."""
    host, port = split_endpoint(endpoint)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(endpoint, error) from error
    try:
        # A server that was stopped just now must not keep its port from the next one.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        raise _cannot_listen(endpoint, error) from error
    return listening


def _cannot_listen(endpoint: str, error: OSError) -> OSError:
    return OSError(error.errno, f"cannot listen on {endpoint!r}: {error.strerror}. Free it, or configure another.")


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
