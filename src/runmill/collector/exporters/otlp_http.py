"""``otlp_http``: one attempt to hand a batch to a backend over OTLP/HTTP, and what its answer means."""

import asyncio
import time
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from runmill._version import __version__
from runmill.collector.component import Batch
from runmill.collector.exporters.losses import Losses
from runmill.collector.exporters.otlp_config import OtlpHttpConfig
from runmill.collector.exporters.partial import count_partial_success
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected, WireError
from runmill.otlp.runs import PRODUCER_HEADER, SEQUENCE_HEADER
from runmill.otlp.status import JSON, PROTOBUF, outcome_of_http

__all__ = ["HttpSender", "retry_after_seconds"]

# A third of the time of the usual level 6, for a tenth more bytes.
_LEVEL: Final = 1
_WINDOW_BITS: Final[Mapping[str, int]] = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_SMALL_BYTES: Final = 16 * 2**10

# Source: OTLP specification: a response may have 4 MiB. Of a backend's mistake, its first words will do.
_MOST_ANSWER_BYTES: Final = 4 * 2**20
_SHOWN_CHARACTERS: Final = 200


class HttpSender:
    """Sends batches as they are; opens connections when they are needed and keeps them."""

    def __init__(self, config: OtlpHttpConfig, *, exporter_id: str, telemetry: Telemetry) -> None:
        self._config = config
        self._losses = Losses(exporter_id, telemetry)
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Prepare connections; the backend need not be there yet."""
        self._client = httpx.AsyncClient(
            verify=self._config.tls.context(),
            timeout=None,  # noqa: S113 - the whole attempt has one, in consume
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            headers={"user-agent": f"runmill-collector/{__version__}", "accept-encoding": "identity"}
            | self._config.headers,
        )

    async def shutdown(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def consume(self, batch: Batch, /) -> None:
        """Return when the backend has *batch*. Raises Refused or Rejected, by what its answer says."""
        url = self._config.url_of(batch.signal)
        if not url:
            raise Rejected(
                f"no address for {batch.signal} is configured. Give 'endpoint' or '{batch.signal}_endpoint'."
            )
        headers = self._headers(batch)
        body = await _compressed(await self._encoded(batch), self._config.compression)
        try:
            async with asyncio.timeout(self._config.timeout or None):
                response, answer = await self._post(url, headers, body)
        except TimeoutError as error:
            raise Refused(f"{url} did not answer within {self._config.timeout:g} s.") from error
        except httpx.HTTPError as error:
            raise Refused(f"{url} cannot be reached: {str(error) or type(error).__name__}.") from error
        self._judge(batch, url, response, answer)

    def _is_json(self, batch: Batch) -> bool:
        return self._config.encoding == "json" and batch.signal != "profiles"

    async def _encoded(self, batch: Batch) -> bytes:
        return await asyncio.to_thread(_json_of, batch) if self._is_json(batch) else batch.payload

    def _headers(self, batch: Batch) -> dict[str, str]:
        headers = {"content-type": JSON if self._is_json(batch) else PROTOBUF}
        if self._config.compression in _WINDOW_BITS:
            headers["content-encoding"] = self._config.compression
        if batch.producer is not None:
            headers[PRODUCER_HEADER] = batch.producer.producer_id
            headers[SEQUENCE_HEADER] = str(batch.producer.sequence)
        return headers

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[httpx.Response, bytes]:
        if self._client is None:
            raise Refused("the exporter is not at work. Send the same data again later.")
        answer = bytearray()
        async with self._client.stream("POST", url, headers=headers, content=body) as response:
            async for piece in response.aiter_bytes():
                answer += piece
                if len(answer) > _MOST_ANSWER_BYTES:
                    break
        return response, bytes(answer)

    def _judge(self, batch: Batch, url: str, response: httpx.Response, answer: bytes) -> None:
        outcome = outcome_of_http(response.status_code)
        if outcome == "accepted":
            count_partial_success(answer, batch, self._losses, is_json=self._is_json(batch))
            return
        said = answer.decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
        text = f"{url} answered {response.status_code} {said!r}."
        if outcome == "never":
            raise Rejected(text)
        raise Refused(text, retry_after_seconds=retry_after_seconds(response.headers.get("retry-after")))


def _json_of(batch: Batch) -> bytes:
    from runmill.otlp.to_json import to_json  # noqa: PLC0415 - few want it, and it loads all of protobuf

    try:
        return to_json(batch.signal, batch.payload)
    except WireError as error:
        raise Rejected(str(error)) from error


async def _compressed(payload: bytes, compression: str) -> bytes:
    if compression not in _WINDOW_BITS:
        return payload
    if len(payload) < _SMALL_BYTES:
        return _compress(payload, compression)
    return await asyncio.to_thread(_compress, payload, compression)  # zlib gives the interpreter lock back


def _compress(payload: bytes, compression: str) -> bytes:
    deflate = zlib.compressobj(_LEVEL, wbits=_WINDOW_BITS[compression])
    return deflate.compress(payload) + deflate.flush()


def retry_after_seconds(header: str | None, *, now_seconds: float | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date; None where there is none, or it is neither.

    Source: RFC 9110, section 10.2.3.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, at - (time.time() if now_seconds is None else now_seconds))
