"""Traces and profiles: in over HTTP and gRPC, out over both, in the bytes they came as; nothing stores them."""

import json

import grpc.aio
import httpx
import pytest
from backends import Backend, serving
from collector_fakes import RecordingConsumer, until
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import ExportProfilesServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runmill.collector import config, pipeline
from runmill.collector.component import Batch
from runmill.collector.receivers.otlp_config import GrpcConfig
from runmill.collector.receivers.otlp_grpc import OtlpGrpcReceiver
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry
from runmill.errors import ConfigError
from runmill.home import Home
from runmill.otlp.services import METHODS

PROTOBUF = {"content-type": "application/x-protobuf"}
TEXT = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: }
exporters:
  otlp_http: {endpoint: HTTP, compression: none}
  otlp_grpc: {endpoint: "http://GRPC", compression: none}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [otlp_http, otlp_grpc]}
    profiles: {receivers: [otlp], processors: [batch], exporters: [otlp_http, otlp_grpc]}
"""


def traces() -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name="step", trace_id=bytes(16), span_id=bytes(8))
    return request.SerializeToString()


def profiles() -> bytes:
    """Two profiles of three samples, which refer to the request's dictionary."""
    request = ExportProfilesServiceRequest()
    scope = request.resource_profiles.add().scope_profiles.add()
    for sample_count in (1, 2):
        profile = scope.profiles.add(profile_id=bytes(range(16)))
        for _ in range(sample_count):
            profile.samples.add(stack_index=1, values=[1])
    request.dictionary.string_table.extend(["", "cpu"])
    return request.SerializeToString()


@pytest.fixture
async def forwarding(tmp_path):
    """A collector, its backend of HTTP, and the consumer of its backend of gRPC."""
    consumer = RecordingConsumer()
    grpc_backend = OtlpGrpcReceiver(
        GrpcConfig(endpoint="127.0.0.1:0"),
        {"traces": consumer, "profiles": consumer},
        receiver_id="backend",
        telemetry=Telemetry(),
        choose_port=str,
        token=None,
    )
    await grpc_backend.start()
    async with serving(Backend()) as backend:
        text = TEXT.replace("HTTP", backend.url).replace("GRPC", grpc_backend.endpoint)
        built = pipeline.build(
            config.loads(text, environment={}), Settings(open_store=lambda _: None, home=Home(tmp_path))
        )
        await built.start()
        yield built, backend, consumer
        await built.shutdown()
    await grpc_backend.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal", "path", "make", "count"),
    [("traces", "/v1/traces", traces, 1), ("profiles", "/v1development/profiles", profiles, 3)],
    ids=["traces", "profiles"],
)
async def test_passes_in_the_bytes_it_came_as(forwarding, signal, path, make, count):
    """Whichever protocol it came by: both backends get both requests, and they are counted by what is in them."""
    built, backend, consumer = forwarding
    payload = make()
    async with httpx.AsyncClient() as client:
        url = f"http://{built.endpoints['otlp']}{path}"
        assert (await client.post(url, content=payload, headers=PROTOBUF)).status_code == 200
    async with grpc.aio.insecure_channel(built.endpoints["otlp.grpc"]) as channel:
        assert await channel.unary_unary(METHODS[signal])(payload) == b""
    await until(lambda: len(backend.accepted) == len(consumer.batches) == 2)
    assert [(request.path, request.body) for request in backend.accepted] == [(path, payload)] * 2
    assert consumer.batches == [Batch(signal, payload, count)] * 2


async def test_profiles_in_json_are_taken(forwarding):
    """Their ids are hexadecimal, as all of OTLP/JSON's."""
    built, backend, _ = forwarding
    profile = {"profileId": "00FF" * 8, "samples": [{"values": [7]}]}
    document = {"resourceProfiles": [{"scopeProfiles": [{"profiles": [profile]}]}]}
    async with httpx.AsyncClient() as client:
        url = f"http://{built.endpoints['otlp']}/v1development/profiles"
        answer = await client.post(url, content=json.dumps(document), headers={"content-type": "application/json"})
    await until(lambda: backend.accepted)
    request = ExportProfilesServiceRequest.FromString(backend.accepted[0].body)
    [profile] = request.resource_profiles[0].scope_profiles[0].profiles
    assert (answer.json(), profile.profile_id.hex(), list(profile.samples[0].values)) == ({}, "00ff" * 8, [7])


@pytest.mark.parametrize("signal", ["traces", "profiles"])
def test_the_run_store_takes_none_of_them(signal):
    """It is said when the configuration is read, not when the first request is lost."""
    text = TEXT.partition("exporters:")[0] + (
        f"exporters: {{run_store: {{url: x}}}}\nservice: {{pipelines: {{{signal}: "
        "{receivers: [otlp], exporters: [run_store]}}}"
    )
    with pytest.raises(ConfigError, match=rf"exporter 'run_store' takes logs and metrics, not {signal}"):
        config.loads(text, environment={})
