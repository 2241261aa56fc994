"""A collector behind TLS, behind a path, or one that says when to come again: records get there all the same."""

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)

import runmill
from runmill.testing import ReceivedRequest, RecordingCollector


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate, and those of a server and a client that it answers for."""
    folder, authority = tmp_path_factory.mktemp("keys"), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, host in (("server", "127.0.0.1"), ("client", "client.example")):
        pair = authority.issue_cert(host)
        pair.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        pair.private_key_pem.write_to_path(folder / f"{name}.key")
        pair.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}-both.pem")
    return folder


@pytest.fixture
def tls_collector(keys: Path) -> Iterator[RecordingCollector]:
    """Takes records over TLS, from those alone who show a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=keys / "ca.pem")
    context.load_cert_chain(keys / "server.pem", keys / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    collector = RecordingCollector()
    collector._server.socket = context.wrap_socket(collector._server.socket, server_side=True)
    with collector:
        yield collector


@pytest.fixture
def show(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the standard variables to files among the keys."""

    def set_variables(**files: str) -> None:
        for name, file in files.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name.upper()}", str(keys / file))

    return set_variables


def attached(endpoint: str | None = None) -> logging.Logger:
    logger = logging.Logger("app")  # noqa: LOG001 - not in the tree: nothing is left behind
    logger.addHandler(runmill.Handler(endpoint=endpoint))
    return logger


def secure(collector: RecordingCollector) -> str:
    return collector.endpoint.replace("http://", "https://")


@pytest.mark.parametrize(
    "own",
    [
        {"client_certificate": "client.pem", "client_key": "client.key"},
        {"client_certificate": "client-both.pem"},
    ],
    ids=["two files", "one file"],
)
def test_records_arrive_over_tls(
    own: dict[str, str], tls_collector: RecordingCollector, show: Callable[..., None]
) -> None:
    """The certificate to trust and the one to show are named by the standard variables."""
    show(certificate="ca.pem", **own)
    attached(secure(tls_collector)).info("encrypted")
    assert runmill.flush(30) == 0
    assert [record.body for record in tls_collector.logs] == ["encrypted"]


def test_records_wait_while_the_collector_is_not_trusted(
    tls_collector: RecordingCollector, show: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent and nothing is lost; that it is the certificate is said."""
    show(client_certificate="client-both.pem")
    attached(secure(tls_collector)).info("kept")
    assert runmill.flush(2) == 1
    assert tls_collector.requests == []
    assert "What is logged stays in the journal. See OTEL_EXPORTER_OTLP_CERTIFICATE" in capfd.readouterr().err


def test_records_wait_while_this_process_is_not_trusted(
    tls_collector: RecordingCollector, show: Callable[..., None]
) -> None:
    """A collector that asks for a certificate gets nothing without one, and nothing is lost."""
    show(certificate="ca.pem")
    attached(secure(tls_collector)).info("kept")
    assert runmill.flush(2) == 1
    assert tls_collector.requests == []


def test_records_arrive_over_grpc_with_tls(
    keys: Path, show: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same variables, with certificates on both sides."""
    bodies: list[str] = []

    class Receiver(LogsServiceServicer):
        def Export(self, request: ExportLogsServiceRequest, _: grpc.ServicerContext) -> ExportLogsServiceResponse:  # noqa: N802 - gRPC's name
            bodies.extend(
                record.body.string_value
                for group in request.resource_logs
                for scope in group.scope_logs
                for record in scope.log_records
            )
            return ExportLogsServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    add_LogsServiceServicer_to_server(Receiver(), server)
    pair = (keys / "server.key").read_bytes(), (keys / "server.pem").read_bytes()
    credentials = grpc.ssl_server_credentials([pair], (keys / "ca.pem").read_bytes(), require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    show(certificate="ca.pem", client_certificate="client.pem", client_key="client.key")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    attached(f"https://127.0.0.1:{port}").info("encrypted")
    try:
        assert runmill.flush(30) == 0
    finally:
        server.stop(None).wait()
    assert bodies == ["encrypted"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_endpoint_may_have_a_path(slash: str, recording_collector: RecordingCollector) -> None:
    """OTLP's own path is put behind it, as behind a proxy that serves several."""
    attached(f"{recording_collector.endpoint}/otlp/team{slash}").info("routed")
    assert runmill.flush(10) == 0
    assert [request.path for request in recording_collector.requests] == ["/otlp/team/v1/logs"]


def test_an_address_for_logs_alone_is_used_as_it_is(
    recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is put behind the address of one signal, its query included."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"{recording_collector.endpoint}/ingest?tenant=a%20b")
    attached().info("routed")
    assert runmill.flush(10) == 0
    assert [request.path for request in recording_collector.requests] == ["/ingest?tenant=a%20b"]


class BusyCollector(RecordingCollector):
    """Answers the first request with 503, and notes when requests come."""

    def __init__(self) -> None:
        super().__init__()
        self.came_at: list[float] = []
        self.status = 503

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        self.came_at.append(time.monotonic())
        answer = super().receive(request)
        self.status = 200
        return answer


@pytest.mark.slow
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_collector_says_when_to_come_again(form: str) -> None:
    """Retry-After as a number of seconds and as a date: nobody comes before."""
    with BusyCollector() as collector:
        at = datetime.now(UTC) + timedelta(seconds=3)
        collector.retry_after_seconds = 2 if form == "seconds" else format_datetime(at, usegmt=True)
        attached(collector.endpoint).info("later")
        assert runmill.flush(30) == 0
        assert [record.body for record in collector.logs] == ["later"]
        first, second = collector.came_at
    assert 1.5 < second - first < 20  # a date has whole seconds
