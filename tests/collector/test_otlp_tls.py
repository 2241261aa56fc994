"""TLS and client certificates, over HTTP and gRPC, as OpenTelemetry's own exporters use them."""

import asyncio
import ssl
from types import SimpleNamespace

import grpc
import httpx
import pytest
import trustme
from collector_fakes import RecordingStore, logs
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from runmill.collector import config, pipeline
from runmill.collector.settings import Settings
from runmill.errors import ConfigError
from runmill.otlp.services import METHODS

PROTOBUF = {"content-type": "application/x-protobuf"}
BOTH = """
receivers:
  otlp:
    protocols:
      http: {{endpoint: "{host}:0", tls: {{cert_file: {cert}, key_file: {key}, {more}}}}}
      grpc: {{endpoint: "{host}:0", tls: {{cert_file: {cert}, key_file: {key}, {more}}}}}
exporters:
  run_store: {{url: store, commit_interval: 1ms}}
service:
  pipelines:
    logs: {{receivers: [otlp], exporters: [run_store]}}
"""


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Certificates of an authority: the server's, a client's, and a client's of somebody else."""
    folder = tmp_path_factory.mktemp("keys")
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    made = {
        "server": authority.issue_cert("localhost", "127.0.0.1"),
        "client": authority.issue_cert("client.example"),
        "stranger": stranger.issue_cert("client.example"),
    }
    for name, pair in made.items():
        pair.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        pair.private_key_pem.write_to_path(folder / f"{name}.key")
    return folder


@pytest.fixture
async def serve(keys):
    """Give a function that starts a collector with both protocols over TLS."""
    started = []

    async def start(*, host="127.0.0.1", more="", **settings):
        text = BOTH.format(host=host, cert=keys / "server.pem", key=keys / "server.key", more=more)
        store = RecordingStore()
        built = pipeline.build(config.loads(text, environment={}), Settings(open_store=lambda _: store, **settings))
        await built.start()
        started.append(built)
        ports = {name: address.rpartition(":")[2] for name, address in built.endpoints.items()}
        return SimpleNamespace(
            store=store, http=f"https://localhost:{ports['otlp']}", grpc=f"localhost:{ports['otlp.grpc']}"
        )

    yield start
    for one in started:
        await one.shutdown()


def client_context(keys, name=None):
    context = ssl.create_default_context(cafile=keys / "ca.pem")
    if name:
        context.load_cert_chain(keys / f"{name}.pem", keys / f"{name}.key")
    return context


async def post(server, keys, name=None):
    async with httpx.AsyncClient(verify=client_context(keys, name)) as client:
        return (await client.post(f"{server.http}/v1/logs", content=logs("a"), headers=PROTOBUF)).status_code


async def call(server, keys, name=None):
    pair = ((keys / f"{name}.key").read_bytes(), (keys / f"{name}.pem").read_bytes()) if name else ()
    credentials = grpc.ssl_channel_credentials((keys / "ca.pem").read_bytes(), *pair)
    async with grpc.aio.secure_channel(server.grpc, credentials) as channel:
        return await channel.unary_unary(METHODS["logs"])(logs("a"))


@pytest.mark.slow
async def test_client_certificate_is_proof_enough(serve, keys):
    """With client_ca_file it may listen wide without a token: who has no certificate of it gets no connection."""
    server = await serve(host="0.0.0.0", more=f"client_ca_file: {keys / 'ca.pem'}")
    assert await post(server, keys, "client") == 200
    assert await call(server, keys, "client") == b""
    for name in (None, "stranger"):
        with pytest.raises((httpx.HTTPError, ssl.SSLError)):
            await post(server, keys, name)
        with pytest.raises(grpc.aio.AioRpcError):
            await call(server, keys, name)
    assert [body for group in server.store.bodies() for body in group] == ["a", "a"]


async def test_tls_without_client_certificates_still_wants_the_token(serve, keys):
    """TLS hides what is sent; it does not say who sends."""
    with pytest.raises(ConfigError, match="nothing keeps strangers out"):
        await serve(host="0.0.0.0")
    server = await serve(host="0.0.0.0", token="secret")
    assert await post(server, keys) == 401


async def test_plain_client_gets_no_answer_from_a_tls_server(serve, keys):
    """And the server goes on."""
    server = await serve()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.HTTPError):
            await client.post(server.http.replace("https", "http"), content=b"")
    assert await post(server, keys) == 200


def sdk_http(server, keys):
    return HttpLogExporter(
        endpoint=f"{server.http}/v1/logs",
        certificate_file=str(keys / "ca.pem"),
        client_certificate_file=str(keys / "client.pem"),
        client_key_file=str(keys / "client.key"),
    )


def sdk_grpc(server, keys):
    credentials = grpc.ssl_channel_credentials(
        *((keys / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem"))
    )
    return GrpcLogExporter(endpoint=server.grpc, credentials=credentials)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", [sdk_http, sdk_grpc], ids=["http", "grpc"])
async def test_official_exporters_send_over_tls(serve, keys, exporter, monkeypatch):
    """OpenTelemetry's SDK, set up as its documentation says, with a certificate of its own."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would go before the certificate it is given
        monkeypatch.delenv(name, raising=False)
    server = await serve(more=f"client_ca_file: {keys / 'ca.pem'}")

    def emit():
        provider = LoggerProvider(shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter(server, keys)))
        provider.get_logger("sdk").emit(LogRecord(timestamp=1, severity_number=SeverityNumber.INFO, body="hello"))
        provider.shutdown()

    await asyncio.to_thread(emit)
    assert server.store.bodies() == [["hello"]]


def test_keys_that_cannot_be_used_are_found_when_the_configuration_is_read(keys, tmp_path):
    """Not there, no key, the key of another: each mistake with its path, before anything starts."""
    (tmp_path / "empty.pem").touch()
    for cert, key, expected in (
        (keys / "none.pem", keys / "server.key", "cert_file '.*none.pem' is no file"),
        (tmp_path / "empty.pem", keys / "server.key", "cannot be used"),
        (keys / "server.pem", keys / "client.key", "cannot be used"),
    ):
        with pytest.raises(ConfigError, match=rf"receivers\.otlp\.protocols\.http\.tls: .*{expected}"):
            config.loads(BOTH.format(host="localhost", cert=cert, key=key, more=""), environment={})
