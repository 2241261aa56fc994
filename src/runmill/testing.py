"""For the tests of programs that log: an OTLP/HTTP server in a thread that records what arrives.

```python
def test_a_failed_payment_is_logged():
    with RecordingCollector() as collector:
        log = logging.getLogger("payments")
        log.addHandler(runmill.Handler(endpoint=collector.endpoint))
        log.error("card refused", extra={"order": 17})
        [record] = collector.wait_for_logs(1)
    assert (record.body, record.attributes["order"]) == ("card refused", 17)
```
"""

import gzip
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from runmill.model import Attributes, AttributeValue
from runmill.otlp import runs
from runmill.otlp.values import decode_key_value, decode_value

__all__ = ["ReceivedLog", "ReceivedPoint", "ReceivedRequest", "RecordingCollector"]

_OK: Final = 200
_PROTOBUF: Final = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it came; the body is as it was sent, compressed or not. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ReceivedLog:
    """A log record in OTLP's words, with whose it is."""

    resource: Attributes
    scope: str
    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    body: AttributeValue
    attributes: Attributes
    event_name: str
    trace_id: str
    """32 hexadecimal digits, or nothing."""
    span_id: str


@dataclass(frozen=True, slots=True)
class ReceivedPoint:
    """One number of a gauge or sum, with the metric it belongs to."""

    resource: Attributes
    scope: str
    metric: str
    description: str
    unit: str
    metadata: Attributes
    attributes: Attributes
    time_unix_nano: int
    value: float | int


class RecordingCollector:
    """Takes logs and metrics by OTLP/HTTP (protobuf, gzip or not) on loopback, and keeps them.

    On *port*; 0 takes a free one. A context manager: the port is open inside, and closed with every connection at the
    end. Safe to read while data comes in. Set `status` to see what a program does when the collector cannot take its
    data: what was answered with another status than 200 is in `requests` only. So is a batch that comes again under its
    producer and sequence number because its sender was killed before it heard the answer: it is recognised, as
    runmill's store does.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.status = _OK
        """Answered to every request from now on."""
        self.retry_after_seconds: int | None = None
        """Sent as ``Retry-After`` with it."""
        self.requests: list[ReceivedRequest] = []
        self.logs: list[ReceivedLog] = []
        self.points: list[ReceivedPoint] = []
        self._taken: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def endpoint(self) -> str:
        """The base address, as ``OTEL_EXPORTER_OTLP_ENDPOINT`` wants it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.close_all()
        self._thread.join()

    def wait_for(self, is_enough: Callable[[Self], bool], *, timeout_seconds: float = 10) -> None:
        """Return as soon as *is_enough* holds; it is asked whenever something came. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_enough(self), timeout_seconds):
                raise TimeoutError(
                    f"not enough after {timeout_seconds} s: {len(self.requests)} requests, "
                    f"{len(self.logs)} log records, {len(self.points)} points"
                )

    def wait_for_logs(self, count: int, *, timeout_seconds: float = 10) -> list[ReceivedLog]:
        """Give all log records as soon as there are *count*. Raises TimeoutError."""
        self.wait_for(lambda collector: len(collector.logs) >= count, timeout_seconds=timeout_seconds)
        return list(self.logs)

    def wait_for_points(self, count: int, *, timeout_seconds: float = 10) -> list[ReceivedPoint]:
        """Give all metric points as soon as there are *count*. Raises TimeoutError."""
        self.wait_for(lambda collector: len(collector.points) >= count, timeout_seconds=timeout_seconds)
        return list(self.points)

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        """Keep *request* and what is in it; give the status and the body to answer. Called by the server's threads."""
        with self._changed:
            self.requests.append(request)
            status, answer = (self.status, b"") if self.status != _OK else self._decode(request)
            self._changed.notify_all()
        return status, answer

    def _decode(self, request: ReceivedRequest) -> tuple[int, bytes]:
        try:
            if self._has_taken(request):
                return _OK, b""
            body = (
                gzip.decompress(request.body) if "gzip" in request.headers.get("content-encoding", "") else request.body
            )
            if request.path == "/v1/logs":
                self.logs.extend(_logs(ExportLogsServiceRequest.FromString(body)))
                return _OK, ExportLogsServiceResponse().SerializeToString()
            if request.path == "/v1/metrics":
                self.points.extend(_points(ExportMetricsServiceRequest.FromString(body)))
                return _OK, ExportMetricsServiceResponse().SerializeToString()
        except (DecodeError, OSError, EOFError) as error:
            return 400, str(error).encode()
        # All else (files, traces) is in `requests`.
        return _OK, b""

    def _has_taken(self, request: ReceivedRequest) -> bool:
        producer_id = request.headers.get(runs.PRODUCER_HEADER.lower())
        if producer_id is None:  # not from runmill: OTLP has nothing to know a batch by
            return False
        batch = (producer_id, request.headers.get(runs.SEQUENCE_HEADER.lower(), ""))
        was_taken = batch in self._taken
        self._taken.add(batch)
        return was_taken


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping it ends them: a stopped collector answers nobody."""

    daemon_threads = True

    def __init__(self, collector: RecordingCollector, port: int) -> None:
        self.collector = collector
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong, except that a client is gone: programs under test are killed, too."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # whatever the server was given

    def close_all(self) -> None:
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # the client was first
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Take one export, or a file."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        collector = self.server.collector
        status, answer = collector.receive(ReceivedRequest(self.command, self.path, headers, body))
        self.send_response(status)
        if collector.retry_after_seconds is not None:
            self.send_header("Retry-After", str(collector.retry_after_seconds))
        self.send_header("Content-Type", _PROTOBUF)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST  # noqa: N815 - the name the standard library calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the standard library
        """Say nothing: the test's own output is what counts."""


def _logs(request: ExportLogsServiceRequest) -> Iterator[ReceivedLog]:
    for resource_logs in request.resource_logs:
        resource = _attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                yield ReceivedLog(
                    resource=resource,
                    scope=scope_logs.scope.name,
                    time_unix_nano=record.time_unix_nano,
                    observed_time_unix_nano=record.observed_time_unix_nano,
                    severity_number=record.severity_number,
                    severity_text=record.severity_text,
                    body=decode_value(record.body.SerializeToString()),
                    attributes=_attributes(record.attributes),
                    event_name=record.event_name,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                )


def _points(request: ExportMetricsServiceRequest) -> Iterator[ReceivedPoint]:
    for resource_metrics in request.resource_metrics:
        resource = _attributes(resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                for point in (*metric.gauge.data_points, *metric.sum.data_points):
                    yield ReceivedPoint(
                        resource=resource,
                        scope=scope_metrics.scope.name,
                        metric=metric.name,
                        description=metric.description,
                        unit=metric.unit,
                        metadata=_attributes(metric.metadata),
                        attributes=_attributes(point.attributes),
                        time_unix_nano=point.time_unix_nano,
                        value=point.as_int if point.WhichOneof("value") == "as_int" else point.as_double,
                    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return dict(decode_key_value(pair.SerializeToString()) for pair in pairs)
