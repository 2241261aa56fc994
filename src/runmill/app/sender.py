"""Sends encoded OTLP over HTTP, and says by exception what the answer means. No retries here, no threads.

The standard library's client: the exporters of the OpenTelemetry SDK log through the very loggers they serve.
"""

import gzip
import http.client
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final, Literal
from urllib.parse import urlsplit

from runmill._version import __version__
from runmill.app.settings import Settings
from runmill.errors import Refused, Rejected, Unavailable
from runmill.home import Server
from runmill.otlp import runs
from runmill.otlp.partial import PartialSuccess, decode_partial_success
from runmill.otlp.status import outcome_of_http

__all__ = ["DEFAULT_ENDPOINT", "Sender", "TooLarge", "WrongReceiver"]

DEFAULT_ENDPOINT: Final = "http://localhost:4318"

# These say nothing of the data: the address is not a receiver's, or the token is wrong. That can be mended.
_WRONG_RECEIVER: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    | {HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.MISDIRECTED_REQUEST}
    | {status for status in HTTPStatus if 300 <= status < 400}  # noqa: PLR2004 - redirections
)
_TAKES_NO_FILES: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_PIECE_BYTES: Final = 1 << 16
_MOST_ANSWER_BYTES: Final = 4 << 20


class TooLarge(Rejected):
    """The receiver takes no request of this size: send less at once."""


class WrongReceiver(Unavailable):
    """Who answered is not who takes our data, or does not let us in: the address or the token can be mended."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Request:
    method: Literal["HEAD", "POST", "PUT"]
    url: str
    body: bytes | IO[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: str
    upload_offset: str
    body: bytes


class Sender:
    """One connection to whoever takes this process's data; opened when needed, kept while it works."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: http.client.HTTPConnection | None = None
        self._origin = ""

    def server(self) -> Server:
        """Say where data goes now: the setting, else the home's server, else OTLP's default address."""
        if self._settings.endpoint is not None:
            return Server(self._settings.endpoint, 0, "")
        return self._settings.home.find_server() or Server(DEFAULT_ENDPOINT, 0, "")

    def send(
        self,
        signal: Literal["logs", "metrics"],
        payload: bytes,
        *,
        producer_id: str,
        sequence: int,
        timeout_seconds: float,
    ) -> PartialSuccess | None:
        """Deliver one request; give what was not taken of it.

        Raises Unavailable (nobody answers), Refused (send again later), Rejected (never send again) or TooLarge.
        """
        headers = {"Content-Type": "application/x-protobuf", runs.PRODUCER_HEADER: producer_id}
        headers[runs.SEQUENCE_HEADER] = str(sequence)
        if self._settings.compression == "gzip":
            payload = gzip.compress(payload, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        server = self.server()
        own = self._settings.logs_endpoint if signal == "logs" else self._settings.metrics_endpoint
        request = _Request("POST", own or f"{server.endpoint}/v1/{signal}", payload, headers)
        answer = self._exchange(request, server, timeout_seconds)
        _check(request, answer)
        return decode_partial_success(answer.body)

    def put(self, sha256: str, path: Path, *, timeout_seconds: float) -> None:
        """Deliver the bytes of a file; where an upload of it broke off, only the rest.

        Raises as `send` does; Rejected also where the receiver takes no files.
        """
        server = self.server()
        url = f"{server.endpoint}/api/v1/artifacts/{sha256}"
        found = self._exchange(_Request("HEAD", url), server, timeout_seconds)
        if found.status == HTTPStatus.OK:
            return
        with path.open("rb") as file:
            request = _Request("PUT", url, file, _headers_of_rest(file, found.upload_offset))
            answer = self._exchange(request, server, timeout_seconds)
        if answer.status in _TAKES_NO_FILES:
            raise Rejected(f"{url} answered {answer.status}: it takes no files")
        if answer.status == HTTPStatus.CONFLICT:  # another sender of the same bytes was faster
            raise Refused(f"{url} answered {answer.status}: it has another part of the file by now")
        _check(request, answer)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, request: _Request, server: Server, timeout_seconds: float) -> _Answer:
        """Ask once; once more when a connection that was kept turns out to be closed by the other side.

        Not with a file: how much of it arrived must be asked first.
        """
        was_kept = self._connection is not None
        try:
            return self._ask(request, server, timeout_seconds)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            may_repeat = was_kept and (request.body is None or isinstance(request.body, bytes))
            if not (may_repeat and isinstance(error, ConnectionError)):
                raise Unavailable(f"{request.url}: {type(error).__name__}: {error}") from error
        try:
            return self._ask(request, server, timeout_seconds)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise Unavailable(f"{request.url}: {type(error).__name__}: {error}") from error

    def _ask(self, request: _Request, server: Server, timeout_seconds: float) -> _Answer:
        parts = urlsplit(request.url)
        connection = self._connect(f"{parts.scheme}://{parts.netloc}", timeout_seconds)
        headers = {"User-Agent": f"runmill/{__version__}", **request.headers, **dict(self._settings.headers)}
        if server.token:
            headers["Authorization"] = f"Bearer {server.token}"
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        deadline = time.monotonic() + timeout_seconds
        connection.request(request.method, target or "/", body=request.body, headers=headers)
        response = connection.getresponse()
        body = _read(response, connection, deadline)
        if not response.isclosed():  # more than an answer may have: the rest would be taken for the next one
            self.close()
        retry_after, upload_offset = (response.getheader(name, "") for name in ("Retry-After", "Upload-Offset"))
        return _Answer(response.status, retry_after, upload_offset, body)

    def _connect(self, origin: str, timeout_seconds: float) -> http.client.HTTPConnection:
        if self._connection is not None and self._origin != origin:
            self.close()
        if self._connection is None:
            self._connection = self._open(origin, timeout_seconds)
            self._origin = origin
        self._connection.timeout = timeout_seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_seconds)
        return self._connection

    def _open(self, origin: str, timeout_seconds: float) -> http.client.HTTPConnection:
        parts = urlsplit(origin)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.netloc, timeout=timeout_seconds, context=_trust(self._settings))
        return http.client.HTTPConnection(parts.netloc, timeout=timeout_seconds)


def _headers_of_rest(file: IO[bytes], upload_offset: str) -> dict[str, str]:
    """Say which bytes of *file* are sent, and leave it where they begin."""
    size = file.seek(0, os.SEEK_END)
    start = int(upload_offset) if upload_offset.isascii() and upload_offset.isdigit() else 0
    start = file.seek(start if start <= size else 0)
    headers = {"Content-Length": str(size - start), "Content-Type": "application/octet-stream"}
    if start:
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}" if start < size else f"bytes */{size}"
    return headers


def _trust(settings: Settings) -> ssl.SSLContext:
    """Say whom this process trusts, and who it says it is. Raises OSError: a file cannot be used."""
    context = ssl.create_default_context(cafile=settings.certificate)
    if settings.client_certificate is not None:
        context.load_cert_chain(settings.client_certificate, settings.client_key)
    return context


def _read(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """Read the answer's body. Raises TimeoutError when it drips in: a socket's own limit is for each piece."""
    body = b""
    while len(body) < _MOST_ANSWER_BYTES:
        if (remaining := deadline - time.monotonic()) <= 0:
            raise TimeoutError(f"the answer did not end in time, after {len(body)} bytes of its body")
        if connection.sock is not None:
            connection.sock.settimeout(remaining)
        if not (piece := response.read1(_PIECE_BYTES)):
            break
        body += piece
    return body


def _check(request: _Request, answer: _Answer) -> None:
    """Raise what the status says: of the receiver, of its mood, or of the data."""
    outcome = outcome_of_http(answer.status)
    if outcome == "accepted":
        return
    said = answer.body[:300].decode(errors="replace").strip()
    text = f"{request.url} answered {answer.status} {said!r}"
    if outcome == "retry":
        raise Refused(text, retry_after_seconds=_seconds(answer.retry_after))
    if answer.status in _WRONG_RECEIVER:
        raise WrongReceiver(text, status=answer.status)
    raise TooLarge(text) if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else Rejected(text)


def _seconds(retry_after: str) -> float | None:
    """Read ``Retry-After``: seconds or an HTTP date; None when it says nothing usable."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
