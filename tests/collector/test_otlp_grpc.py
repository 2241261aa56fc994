"""OTLP over gRPC as a sender sees it, and our exporter as such a sender."""

import asyncio

import grpc
import grpc.aio
import pytest
from collector_fakes import DEADLINE_SECONDS, RecordingConsumer, batch, logs, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from runmill.collector.component import Producer
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig
from runmill.collector.exporters.otlp_grpc import GrpcSender
from runmill.collector.receivers.otlp_config import GrpcConfig
from runmill.collector.receivers.otlp_grpc import OtlpGrpcReceiver
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected
from runmill.otlp.retry_info import DETAILS_KEY, decode_retry_info
from runmill.otlp.services import METHODS


class Grpc:
    """A started receiver, what it hands on, and a raw call to it."""

    def __init__(self, receiver, consumer, channel):
        self.receiver, self.consumer, self.channel = receiver, consumer, channel

    async def export(self, payload, signal="logs", **call):
        return await self.channel.unary_unary(METHODS[signal])(payload, **call)

    async def fails(self, payload, signal="logs", **call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await self.export(payload, signal, **call)
        return error.value


@pytest.fixture
async def serve():
    """Give a function that starts a receiver on a free port; logs have a pipeline, traces have none."""
    started = []

    async def start(*errors, token=None, **settings):
        consumer = RecordingConsumer(*errors)
        config = GrpcConfig(**{"endpoint": "127.0.0.1:0", **settings})
        receiver = OtlpGrpcReceiver(
            config, {"logs": consumer}, receiver_id="otlp", telemetry=Telemetry(), choose_port=str, token=token
        )
        await receiver.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{receiver.endpoint.rpartition(':')[2]}")
        started.append((receiver, channel))
        return Grpc(receiver, consumer, channel)

    yield start
    for receiver, channel in started:
        await channel.close()
        await receiver.shutdown()


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_request_is_taken_in_the_bytes_it_came_as(serve, compression):
    """Not decoded, whatever it was compressed with; the producer is in the metadata."""
    server = await serve()
    metadata = (("runmill-producer", "p"), ("runmill-sequence", "7"))
    answer = await server.export(logs("a", "b"), metadata=metadata, compression=compression)
    assert ExportLogsServiceResponse.FromString(answer) == ExportLogsServiceResponse()
    assert server.consumer.batches == [batch("a", "b", producer=Producer("p", 7))]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("never"), grpc.StatusCode.INVALID_ARGUMENT), (Refused("later"), grpc.StatusCode.UNAVAILABLE),
        (RuntimeError("bug"), grpc.StatusCode.UNAVAILABLE),
    ],
)  # fmt: skip
async def test_answer_tells_whether_to_send_again(serve, error, code):
    """INVALID_ARGUMENT: never; UNAVAILABLE: the data is fine."""
    server = await serve(error)
    assert (await server.fails(logs("a"))).code() is code


async def test_refusal_says_when_to_come_again(serve):
    """As RetryInfo, which every OTLP sender reads."""
    server = await serve(Refused("full", retry_after_seconds=1.5))
    error = await server.fails(logs("a"))
    assert decode_retry_info(dict(error.trailing_metadata())[DETAILS_KEY]) == 1.5


@pytest.mark.parametrize("metadata", [(("runmill-producer", "p"),), (("runmill-sequence", "1"),)])
async def test_half_a_producer_and_bytes_that_are_no_otlp_are_invalid(serve, metadata):
    """The same bytes would fail again."""
    server = await serve()
    assert (await server.fails(logs("a"), metadata=metadata)).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await server.fails(b"\xff\xff")).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert server.consumer.batches == []


async def test_signal_without_a_pipeline_is_unimplemented(serve):
    """Nothing would keep it, so it is not taken."""
    server = await serve()
    assert (await server.fails(b"", "traces")).code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_request_larger_than_allowed_is_resource_exhausted(serve, compression):
    """Before and after decompression: a small one that grows is stopped too."""
    server = await serve(max_recv_msg_size_mib=1)
    error = await server.fails(logs("a" * 2_000_000), compression=compression)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_other_machines_need_the_token(serve):
    """Where it listens wider than loopback."""
    server = await serve(endpoint="0.0.0.0:0", token="secret")
    assert (await server.fails(logs("a"))).code() is grpc.StatusCode.UNAUTHENTICATED
    await server.export(logs("a"), metadata=(("authorization", "Bearer secret"),))
    assert server.consumer.batches == [batch("a")]


async def test_request_that_comes_too_slowly_is_cut_off(serve):
    """Its sender is asked to try again; a request that never ends is not waited for."""
    server = await serve(read_timeout="50ms")
    call = server.channel.stream_unary(METHODS["logs"])(trickling())
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "the request did not come within 0.05 s. Send it again, or in parts."


async def trickling():
    """A request whose message does not come."""
    await asyncio.Event().wait()
    yield b""


@pytest.mark.slow
async def test_more_connections_than_there_may_be_are_closed(serve, monkeypatch):
    """Who comes then is turned away before anything is read of him, and let in once another has left."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (40, 40))  # as a system that lets us have ten of them
    server = await serve()
    host, _, port = server.receiver.endpoint.rpartition(":")
    made = [await asyncio.open_connection(host, int(port)) for _ in range(12)]
    async with asyncio.timeout(DEADLINE_SECONDS):
        greetings = [await reader.read(9) for reader, _ in made]
    assert [len(greeting) for greeting in greetings] == [9] * 10 + [0] * 2
    assert (await server.fails(logs("a"))).code() == grpc.StatusCode.UNAVAILABLE
    for _, writer in made:
        writer.close()
    await server.export(logs("a"), wait_for_ready=True, timeout=DEADLINE_SECONDS)
    assert server.consumer.batches == [batch("a")]


async def test_port_that_is_taken_is_an_os_error(serve):
    """Two collectors never share a port."""
    server = await serve()
    with pytest.raises(OSError, match="cannot listen on"):
        await serve(endpoint=server.receiver.endpoint)


@pytest.fixture
async def sender():
    """Give a function that starts the exporter's sender."""
    started = []

    async def start(endpoint, **settings):
        config = OtlpGrpcConfig(endpoint=endpoint, tls={"insecure": True}, **settings)
        made = GrpcSender(config, exporter_id="otlp", telemetry=Telemetry())
        await made.start()
        started.append(made)
        return made

    yield start
    for one in started:
        await one.shutdown()


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_exporter_sends_the_bytes_it_was_given(serve, sender, compression):
    """From collector to collector: the same batch, its producer included."""
    server = await serve()
    sent = batch("a", producer=Producer("p", 1))
    await (await sender(server.receiver.endpoint, compression=compression)).consume(sent)
    assert server.consumer.batches == [sent]


async def test_exporter_reads_the_answers(serve, sender):
    """Refused with what was asked for, Rejected, and then taken."""
    server = await serve(Refused("full", retry_after_seconds=2), Rejected("bad"))
    exporter = await sender(server.receiver.endpoint)
    with pytest.raises(Refused, match="UNAVAILABLE 'full'") as refused:
        await exporter.consume(batch("a"))
    assert refused.value.retry_after_seconds == 2
    with pytest.raises(Rejected, match="INVALID_ARGUMENT 'bad'"):
        await exporter.consume(batch("a"))
    await exporter.consume(batch("a"))


async def test_exporter_is_refused_by_a_backend_that_hangs_or_is_gone(serve, sender):
    """A deadline, and a connection that cannot be made: both pass."""
    server = await serve()
    server.consumer.open.clear()
    exporter = await sender(server.receiver.endpoint, timeout="100ms")
    with pytest.raises(Refused, match="DEADLINE_EXCEEDED"):
        await exporter.consume(batch("a"))
    server.consumer.open.set()
    await until(lambda: server.consumer.batches)
    gone = await sender("127.0.0.1:1")
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await gone.consume(batch("a"))
