"""OTLP over gRPC: the same answers as over HTTP, in its own words. Messages are taken as bytes, never as objects.

Source: OTLP specification, OTLP/gRPC.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import grpc
import grpc.aio

from runmill.collector.component import Batch, Consumer, Signal
from runmill.collector.connections import most_connections
from runmill.collector.metadata import read_metadata
from runmill.collector.receivers.otlp_config import GrpcConfig
from runmill.collector.receivers.producer import read_producer
from runmill.collector.receivers.tls import ServerTlsConfig
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected, WireError
from runmill.otlp.count import count_records
from runmill.otlp.retry_info import DETAILS_KEY, encode_retry_info
from runmill.otlp.services import METHODS

__all__ = ["OtlpGrpcReceiver"]

_log: Final = logging.getLogger(__name__)

_STOP_LIMIT_SECONDS: Final = 10

# Who says nothing is let go: each connection takes one of the files the process may open.
_HANDSHAKE_MS: Final = 10_000
_IDLE_MS: Final = 120_000
# At once over one connection, each with a message: its client lets the others wait.
_MOST_STREAMS: Final = 100
_MIB: Final = 2**20


class OtlpGrpcReceiver:
    """Receives OTLP over gRPC for *consumers*; a signal without one is UNIMPLEMENTED."""

    def __init__(
        self,
        config: GrpcConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        choose_port: Callable[[str], str],
        token: str | None,
        metadata_names: frozenset[str] = frozenset(),
    ) -> None:
        self._config = config
        self._consumers = consumers
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._choose_port = choose_port
        self._token = token
        self._metadata_names = metadata_names if config.include_metadata else frozenset()
        self._server: Any = None
        self.endpoint: str | None = None
        """Where it listens, once it has started: ``127.0.0.1:4317``."""

    async def start(self) -> None:
        """Listen; raises OSError when the address cannot be had."""
        options = (
            ("grpc.max_receive_message_length", self._config.max_recv_msg_size_mib * _MIB),
            ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
            ("grpc.max_allowed_incoming_connections", most_connections() // 2),  # half as many as over HTTP
            ("grpc.max_connection_idle_ms", _IDLE_MS),
            ("grpc.max_concurrent_streams", _MOST_STREAMS),
            ("grpc.so_reuseport", 0),  # or two collectors would share a port, each with half of the data
        )
        server = grpc.aio.server(options=options)
        server.add_generic_rpc_handlers((self._handler(),))
        port = self._listen(server)
        await server.start()
        self._server = server
        self.endpoint = f"{self._config.endpoint.rpartition(':')[0]}:{port}"

    def _listen(self, server: Any) -> int:
        """Give the port."""
        configured = self._choose_port(self._config.endpoint)
        address = f"[::]{configured}" if configured.startswith(":") else configured
        try:
            if self._config.tls is None:
                return int(server.add_insecure_port(address))
            return int(server.add_secure_port(address, _credentials(self._config.tls)))
        except RuntimeError as error:
            raise OSError(
                0, f"cannot listen on {configured!r} for gRPC: it is taken or not of this machine. Configure another."
            ) from error

    async def shutdown(self) -> None:
        """Take no new requests, finish those at work within 10 s, and close."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(_STOP_LIMIT_SECONDS)

    def _handler(self) -> grpc.GenericRpcHandler:
        methods = {
            # Taken as a stream of one message, as only then is it ours how long it may take to come.
            METHODS[signal]: grpc.stream_unary_rpc_method_handler(self._export_to(signal, consumer))
            for signal, consumer in self._consumers.items()
        }

        class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
            def service(self, call: grpc.HandlerCallDetails) -> Any:
                return methods.get(call.method)

        return Handler()

    def _export_to(self, signal: Signal, consumer: Consumer) -> Any:
        async def export(messages: AsyncIterator[bytes], context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            if not self._is_allowed(metadata):
                await self._fail(context, grpc.StatusCode.UNAUTHENTICATED, "the metadata 'authorization: Bearer TOKEN'"
                                 " is wanted from other machines. Set it with OTEL_EXPORTER_OTLP_HEADERS.")  # fmt: skip
            payload = await self._received(messages, context)
            try:
                batch = self._batch(signal, payload, metadata)
                if batch.record_count:
                    await consumer.consume(batch)
            except (WireError, Rejected) as error:
                await self._fail(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except Refused as error:
                await self._refuse(context, str(error), error.retry_after_seconds)
            except Exception as error:  # noqa: BLE001 - the edge of the process: our bug must not cost data
                _log.exception("receiver %s failed", self._receiver_id)
                await self._refuse(context, f"the collector failed: {error!r}. Send the same data again later.", None)
            return b""  # an Export*ServiceResponse that says all was taken

        return export

    def _batch(self, signal: Signal, payload: bytes, metadata: Mapping[str, str]) -> Batch:
        kept = read_metadata(metadata, self._metadata_names)
        return Batch(signal, payload, count_records(signal, payload), read_producer(metadata), metadata=kept)

    async def _received(self, messages: AsyncIterator[bytes], context: Any) -> bytes:
        """Give the request's message; one that does not come in time ends the request."""
        seconds = self._config.read_timeout
        try:
            async with asyncio.timeout(seconds or None):
                async for message in messages:
                    return message
        except TimeoutError:
            late = f"the request did not come within {seconds:g} s. Send it again, or in parts."
            await self._refuse(context, late, None)
        return b""

    def _is_allowed(self, metadata: Mapping[str, str]) -> bool:
        wanted = f"Bearer {self._token}"
        return self._token is None or hmac.compare_digest(metadata.get("authorization", "").encode(), wanted.encode())

    async def _refuse(self, context: Any, message: str, retry_after_seconds: float | None) -> None:
        code = grpc.StatusCode.UNAVAILABLE
        if retry_after_seconds is not None:
            details = encode_retry_info(code.value[0], message, seconds=retry_after_seconds)
            context.set_trailing_metadata(((DETAILS_KEY, details),))
        await self._fail(context, code, message)

    async def _fail(self, context: Any, code: grpc.StatusCode, message: str) -> None:
        """End the request; raises what ends it."""
        self._telemetry.add("runmill_receiver_failed_requests_total", receiver=self._receiver_id, reason=code.name)
        await context.abort(code, message)


def _credentials(tls: ServerTlsConfig) -> Any:
    pair = (tls.key_file.read_bytes(), tls.cert_file.read_bytes())
    authority = tls.client_ca_file.read_bytes() if tls.client_ca_file else None
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)
