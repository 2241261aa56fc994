"""OTLP over HTTP: one request in, one answer out, and the answer tells the sender whether to send again.

Source: OTLP specification, OTLP/HTTP Response.
"""

import asyncio
import hmac
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from runmill.collector.asgi import ASGIApp, Headers, Receive, Scope, Send, headers_of, send_response
from runmill.collector.component import Batch, Consumer, Signal
from runmill.collector.metadata import read_metadata
from runmill.collector.receivers.body import ClientGone, TooLarge, read_body
from runmill.collector.receivers.otlp_config import HttpConfig
from runmill.collector.receivers.producer import read_producer
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected, WireError
from runmill.otlp import protojson, status
from runmill.otlp.count import count_records

__all__ = ["OtlpHttp"]

_log: Final = logging.getLogger(__name__)

# Turning JSON of this size into protobuf would keep the event loop longer than handing it to a thread costs.
_LARGE_JSON_BYTES: Final = 64 * 2**10

_RETRY_AFTER_SECONDS: Final = 1.0

_MEDIA_TYPES: Final = (status.PROTOBUF, status.JSON)


@dataclass(slots=True)
class _Refusal(Exception):  # noqa: N818 - how a request ends early; the sender's mistake, not ours
    """What is answered instead of success."""

    http_status: HTTPStatus
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


class OtlpHttp:
    """Answers OTLP requests, and leaves every other path to *others*."""

    def __init__(
        self,
        config: HttpConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        others: ASGIApp | None,
        token: str | None,
        metadata_names: frozenset[str],
    ) -> None:
        self._signals = config.signals_by_path()
        self._max_bytes = config.max_request_body_size
        self._read_seconds = config.read_timeout
        self._consumers = consumers
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._others = others
        self._token = token
        self._encodings = [name or "identity" for name in config.compression_algorithms]
        self._metadata_names = metadata_names if config.include_metadata else frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        signal = self._signals.get(scope["path"])
        if signal is None and self._others is not None:
            await self._others(scope, receive, send)
            return
        headers = headers_of(scope)
        media_type = _media_type(headers)
        try:
            await self._export(scope, headers, receive)
        except ClientGone:
            self._count_failure("client_gone")
        except _Refusal as refusal:
            self._count_failure(str(int(refusal.http_status)))
            body = status.encode_failure(refusal.http_status, refusal.message, media_type=_answer_type(media_type))
            fields = {"content-type": _answer_type(media_type), **refusal.headers}
            await send_response(send, refusal.http_status, fields, body)
        else:
            body = status.encode_success(media_type=media_type)
            await send_response(send, HTTPStatus.OK, {"content-type": media_type}, body)

    def _count_failure(self, reason: str) -> None:
        self._telemetry.add("runmill_receiver_failed_requests_total", receiver=self._receiver_id, reason=reason)

    async def _export(self, scope: Scope, headers: Headers, receive: Receive) -> None:
        """Return when what the request holds is safe; raise what is answered instead."""
        self._check_token(headers)
        signal, consumer = self._find_consumer(scope)
        try:
            batch = await self._read_batch(signal, headers, receive)
            if batch.record_count:  # an empty request is a success. Source: OTLP specification, OTLP/HTTP Request
                await consumer.consume(batch)
        except (WireError, Rejected) as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
        except Refused as error:
            raise _unavailable(str(error), error.retry_after_seconds) from error
        except (_Refusal, ClientGone):
            raise
        except Exception as error:  # the process's edge: a bug of ours must not make the sender drop its data
            _log.exception("receiver %s failed", self._receiver_id)
            raise _unavailable(f"the collector failed: {error!r}. Send the same data again later.") from error

    def _check_token(self, headers: Headers) -> None:
        wanted = f"Bearer {self._token}"
        if self._token is not None and not hmac.compare_digest(
            headers.get("authorization", "").encode(), wanted.encode()
        ):
            raise _Refusal(
                HTTPStatus.UNAUTHORIZED,
                "this collector listens beyond its machine, and wants the header 'Authorization: Bearer TOKEN'. "
                "Set it with OTEL_EXPORTER_OTLP_HEADERS.",
                {"www-authenticate": "Bearer"},
            )

    def _find_consumer(self, scope: Scope) -> tuple[Signal, Consumer]:
        path, signal = scope["path"], self._signals.get(scope["path"])
        if signal is None:
            raise _Refusal(HTTPStatus.NOT_FOUND, f"{path!r} is not served here. Use {', '.join(self._signals)}.")
        if signal not in self._consumers:
            raise _Refusal(
                HTTPStatus.NOT_FOUND,
                f"no pipeline takes {signal}. Add 'service.pipelines.{signal}' with receiver "
                f"{self._receiver_id!r} to the collector's configuration, or stop sending {signal}.",
            )
        if scope["method"] != "POST":
            raise _Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, f"{path!r} takes POST, not {scope['method']}.", {"allow": "POST"}
            )
        return signal, self._consumers[signal]

    async def _read_batch(self, signal: Signal, headers: Headers, receive: Receive) -> Batch:
        media_type = _media_type(headers)
        if media_type not in _MEDIA_TYPES:
            raise _Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"Content-Type {media_type!r} is not OTLP. Use {' or '.join(_MEDIA_TYPES)}.",
            )
        producer = read_producer(headers)
        payload = await self._read_body(headers, receive)
        if media_type == status.JSON:
            payload = await _from_json(signal, payload)
        metadata = read_metadata(headers, self._metadata_names)
        return Batch(signal, payload, count_records(signal, payload), producer, metadata=metadata)

    async def _read_body(self, headers: Headers, receive: Receive) -> bytes:
        encoding = headers.get("content-encoding", "").strip().lower() or "identity"
        if encoding not in self._encodings:
            raise _Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"Content-Encoding {encoding!r} is not known. Use one of {', '.join(self._encodings)}.",
                {"accept-encoding": ", ".join(self._encodings)},
            )
        too_large = _Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the request is larger than {self._max_bytes} bytes. Send smaller batches, or raise "
            f"'max_request_body_size' of receiver {self._receiver_id!r}.",
        )
        if int(headers.get("content-length", 0)) > self._max_bytes:
            raise too_large
        try:
            async with asyncio.timeout(self._read_seconds or None):
                return await read_body(receive, content_encoding=encoding, max_bytes=self._max_bytes)
        except TooLarge as error:
            raise too_large from error
        except TimeoutError as error:
            raise self._too_slow() from error

    def _too_slow(self) -> _Refusal:
        # Not 408, after which a sender of OTLP drops its data; and the rest of the body is not waited for.
        refusal = _unavailable(f"the body did not come within {self._read_seconds:g} s. Send it again, or in parts.")
        refusal.headers = {**refusal.headers, "connection": "close"}
        return refusal


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _answer_type(media_type: str) -> str:
    """Give the request's media type; for what is not OTLP, the one a person can read."""
    return media_type if media_type in _MEDIA_TYPES else status.JSON


async def _from_json(signal: Signal, payload: bytes) -> bytes:
    if len(payload) < _LARGE_JSON_BYTES:
        return protojson.to_protobuf(signal, payload)
    return await asyncio.to_thread(protojson.to_protobuf, signal, payload)


def _unavailable(message: str, retry_after_seconds: float | None = None) -> _Refusal:
    seconds = math.ceil(retry_after_seconds or _RETRY_AFTER_SECONDS)
    return _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": str(seconds)})
