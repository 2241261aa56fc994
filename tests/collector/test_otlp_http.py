"""OTLP over HTTP as a sender sees it: what is taken, and the answer to everything else."""

import asyncio
import gzip
import json
import tracemalloc
import zlib

import pytest
from backports import zstd
from collector_fakes import batch, logs, settle
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from runmill.collector.component import Batch, Producer
from runmill.errors import Refused, Rejected

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
JSON_LOGS = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1", "body": {"stringValue": "a"}}]}]}]}


def failure(response) -> tuple[int, str, int, str]:
    """The status and type of a response, and the google.rpc.Status in it."""
    media_type = response.headers["content-type"]
    if media_type == "application/json":
        found = response.json()
        return response.status_code, media_type, found["code"], found["message"]
    status = Status.FromString(response.content)
    return response.status_code, media_type, status.code, status.message


async def test_protobuf_is_taken_in_the_bytes_it_came_as(receiving):
    """What is forwarded is not encoded again; the answer is an empty response of the same type."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=logs("a", "b"), headers=PROTOBUF)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportLogsServiceResponse.FromString(response.content).HasField("partial_success")
    assert server.consumer.batches == [batch("a", "b")]


async def test_json_is_taken_whatever_parameters_its_type_has(receiving):
    """Behind the receiver there is only protobuf; the answer is JSON again."""
    server = await receiving()
    response = await server.client.post(
        "/v1/logs", content=json.dumps(JSON_LOGS), headers={"content-type": "Application/JSON; charset=utf-8"}
    )
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {}
    [sent] = server.consumer.batches
    [record] = ExportLogsServiceRequest.FromString(sent.payload).resource_logs[0].scope_logs[0].log_records
    assert (sent.signal, sent.record_count, record.body.string_value) == ("logs", 1, "a")


async def test_large_json_is_taken(receiving):
    """It is read in a thread, so that other requests go on."""
    server = await receiving()
    document = JSON_LOGS | {"padding": "x" * 100_000}  # names that OTLP does not have are left out
    response = await server.client.post("/v1/logs", json=document)
    assert (response.status_code, [sent.record_count for sent in server.consumer.batches]) == (200, [1])


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("deflate", zlib.compress),
        ("zlib", zlib.compress),
        ("zstd", zstd.compress),
        ("zstd", lambda body: zstd.compress(body[:5]) + zstd.compress(body[5:])),
        ("identity", bytes),
    ],
    ids=["gzip", "members", "deflate", "zlib", "zstd", "frames", "identity"],
)
async def test_compressed_body_is_taken(receiving, encoding, compress):
    """gzip, also in several members, and deflate as HTTP means it."""
    server = await receiving()
    headers = PROTOBUF | {"content-encoding": encoding}
    response = await server.client.post("/v1/logs", content=compress(logs("a")), headers=headers)
    assert (response.status_code, server.consumer.batches) == (200, [batch("a")])


@pytest.mark.parametrize(("headers", "body"), [(PROTOBUF, b""), (JSON, b"{}")])
async def test_empty_request_is_a_success_that_goes_nowhere(receiving, headers, body):
    """Source: OTLP specification, OTLP/HTTP Request."""
    server = await receiving()
    response = await server.client.post("/v1/metrics", content=body, headers=headers)
    assert (response.status_code, server.consumer.batches) == (200, [])


async def test_producer_travels_with_the_batch(receiving):
    """By producer and sequence the store recognises what is sent again."""
    server = await receiving()
    headers = PROTOBUF | {"Runmill-Producer": "p", "Runmill-Sequence": "7"}
    await server.client.post("/v1/logs", content=logs("a"), headers=headers)
    assert server.consumer.batches == [batch("a", producer=Producer("p", 7))]


@pytest.mark.parametrize(
    "headers",
    [
        {"Runmill-Producer": "p"},
        {"Runmill-Sequence": "1"},
        {"Runmill-Producer": "", "Runmill-Sequence": "1"},
        {"Runmill-Producer": "p", "Runmill-Sequence": "-1"},
        {"Runmill-Producer": "p", "Runmill-Sequence": "one"},
    ],
)
async def test_half_a_producer_is_refused_for_good(receiving, headers):
    """Stored without it, the batch could be stored twice."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF | headers)
    assert failure(response)[::2] == (400, 3)
    assert server.consumer.batches == []


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("application/x-protobuf", b"\xff\xff"), ("application/json", b"{"), ("application/json", b'{"resourceLogs": 5}')],
)
async def test_body_that_is_not_otlp_gets_a_status_in_its_own_encoding(receiving, media_type, body):
    """400: the same bytes would fail again."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=body, headers={"content-type": media_type})
    status, answered_type, code, message = failure(response)
    assert (status, answered_type, code) == (400, media_type, 3)
    assert message
    assert server.telemetry.snapshot() == {
        'runmill_receiver_failed_requests_total{reason="400",receiver="otlp"}': 1,
    }


async def test_rejected_batch_is_answered_with_400(receiving):
    """Never again: sending it again cannot help."""
    server = await receiving(Rejected("no table takes it"))
    response = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)
    assert failure(response) == (400, "application/x-protobuf", 3, "no table takes it")


@pytest.mark.parametrize(("seconds", "header"), [(None, "1"), (2.5, "3")])
async def test_refused_batch_is_answered_with_503_and_when_to_come_again(receiving, seconds, header):
    """Retry-After is whole seconds, never too early."""
    server = await receiving(Refused("full", retry_after_seconds=seconds))
    response = await server.client.post("/v1/logs", content=json.dumps(JSON_LOGS), headers=JSON)
    assert failure(response) == (503, "application/json", 14, "full")
    assert response.headers["retry-after"] == header


async def test_crash_behind_the_receiver_is_answered_with_503(receiving, caplog):
    """A bug of ours must not make the sender drop its data: 500 would."""
    server = await receiving(ZeroDivisionError("oops"))
    response = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)
    assert failure(response)[:3] == (503, "application/x-protobuf", 14)
    assert "ZeroDivisionError" in caplog.text


async def test_sender_waits_until_its_batch_is_safe(receiving):
    """The answer comes after the commit, not before."""
    server = await receiving()
    server.consumer.open.clear()
    sending = asyncio.create_task(server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF))
    await asyncio.wait_for(server.consumer.arrived.wait(), 10)
    await settle()
    assert not sending.done()
    server.consumer.open.set()
    assert (await sending).status_code == 200


async def test_body_larger_than_allowed_is_413(receiving):
    """By its declared length, and by what really comes when it declares none."""
    server = await receiving(max_request_body_size=100)
    declared = await server.client.post("/v1/logs", content=bytes(101), headers=PROTOBUF)

    async def pieces():
        for _ in range(3):
            yield bytes(50)

    streamed = await server.client.post("/v1/logs", content=pieces(), headers=PROTOBUF)
    for response in (declared, streamed):
        status, _, code, message = failure(response)
        assert (status, code) == (413, 8)
        assert message.startswith("the request is larger than 100 bytes.")


async def test_body_of_exactly_the_allowed_size_is_taken(receiving):
    """The limit itself is allowed, compressed or not."""
    body = logs("a" * 100)
    server = await receiving(max_request_body_size=len(body))
    plain = await server.client.post("/v1/logs", content=body, headers=PROTOBUF)
    headers = PROTOBUF | {"content-encoding": "gzip"}
    compressed = await server.client.post("/v1/logs", content=gzip.compress(body), headers=headers)
    assert (plain.status_code, compressed.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
    ids=["gzip", "deflate", "zstd"],
)
async def test_zip_bomb_is_413_in_bounded_memory(receiving, encoding, compress):
    """A small body that decompresses to more than is allowed is stopped at the limit."""
    server = await receiving(max_request_body_size=1_000_000)
    bomb = compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    response = await server.client.post("/v1/logs", content=bomb, headers=PROTOBUF | {"content-encoding": encoding})
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (response.status_code, peak_bytes < 8_000_000) == (413, True)


async def test_compressed_body_of_very_many_parts_is_400(receiving):
    """Each part begins anew: so many tiny ones would take seconds of everybody's time."""
    server = await receiving()
    headers = PROTOBUF | {"content-encoding": "gzip"}
    response = await server.client.post("/v1/logs", content=gzip.compress(b"") * 2000, headers=headers)
    assert failure(response)[::3] == (
        400,
        "the compressed body has more than 1000 parts. Compress it as one.",
    )


async def test_zstd_frame_that_wants_much_memory_is_400(receiving):
    """What it refers back to is held while it is decompressed: 8 MiB is what a decoder is asked for."""
    server = await receiving(max_request_body_size=100_000_000)
    greedy = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    body = greedy.compress(bytes(1000)) + greedy.flush()
    response = await server.client.post("/v1/logs", content=body, headers=PROTOBUF | {"content-encoding": "zstd"})
    assert failure(response)[::2] == (400, 3)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(logs("a"))[:-4], b"not gzip", gzip.compress(logs("a")) + b"tail"],
    ids=["cut short", "not gzip", "with a tail"],
)
async def test_broken_compression_is_400(receiving, body):
    """Cut short, not compressed at all, or followed by something else."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=body, headers=PROTOBUF | {"content-encoding": "gzip"})
    assert failure(response)[:3] == (400, "application/x-protobuf", 3)


async def test_only_configured_compressions_are_taken(receiving):
    """Of which empty text is none at all."""
    server = await receiving(compression_algorithms=["", "gzip"])
    codings = {"gzip": gzip.compress(logs("a")), "identity": logs("b"), "zstd": zstd.compress(logs("c"))}
    answers = {
        coding: await server.client.post("/v1/logs", content=body, headers=PROTOBUF | {"content-encoding": coding})
        for coding, body in codings.items()
    }
    assert {coding: answer.status_code for coding, answer in answers.items()} == {
        "gzip": 200, "identity": 200, "zstd": 415,
    }  # fmt: skip


async def test_unknown_compression_is_415_and_names_the_known_ones(receiving):
    """The header is not ignored, and the sender learns what it may use."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=b"x", headers=PROTOBUF | {"content-encoding": "br"})
    assert failure(response) == (
        415,
        "application/x-protobuf",
        3,
        "Content-Encoding 'br' is not known. Use one of identity, gzip, zstd, zlib, deflate.",
    )
    assert response.headers["accept-encoding"] == "identity, gzip, zstd, zlib, deflate"


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {}])
async def test_unknown_content_type_is_415(receiving, headers):
    """Answered in JSON, which a person can read."""
    server = await receiving()
    response = await server.client.post("/v1/logs", content=b"x", headers=headers)
    assert failure(response)[:3] == (415, "application/json", 3)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_other_method_is_405(receiving, method):
    """With what is allowed instead."""
    server = await receiving()
    response = await server.client.request(method, "/v1/logs")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_signal_without_a_pipeline_is_404_and_says_how_to_add_one(receiving):
    """Nothing would keep it, so it is not taken."""
    server = await receiving()
    response = await server.client.post("/v1/traces", content=b"", headers=PROTOBUF)
    status, _, _, message = failure(response)
    assert status == 404
    assert message.startswith("no pipeline takes traces. Add 'service.pipelines.traces'")


async def test_paths_can_be_configured(receiving):
    """As with the OpenTelemetry Collector's `logs_url_path`."""
    server = await receiving(logs_url_path="/otlp/logs")
    taken = await server.client.post("/otlp/logs", content=logs("a"), headers=PROTOBUF)
    other = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)
    assert (taken.status_code, other.status_code) == (200, 404)


async def test_other_paths_are_answered_by_the_other_app(receiving):
    """API, portal and OTLP share one port."""

    async def others(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    server = await receiving(others=others)
    assert (await server.client.get("/api/v1/runs")).text == "/api/v1/runs"
    assert (await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)).status_code == 200


async def test_other_app_is_told_to_stop_waiting_when_the_server_stops(receiving):
    """A live stream that waits for its reader to leave does not hold the shutdown up."""
    waiting, left = asyncio.Event(), asyncio.Event()

    async def others(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        assert (await receive())["type"] == "http.request"
        waiting.set()
        assert (await receive())["type"] == "http.disconnect"
        left.set()

    server = await receiving(others=others)
    async with server.client.stream("GET", "/stream") as stream:
        assert await anext(aiter(stream.aiter_bytes())) == b"first"
        await waiting.wait()
        async with asyncio.timeout(5):
            await server.receiver.shutdown()
    assert left.is_set()


async def test_request_under_way_is_answered_before_the_server_stops(receiving):
    """Stopping waits for what was taken."""
    server = await receiving()
    server.consumer.open.clear()
    sending = asyncio.create_task(server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF))
    await asyncio.wait_for(server.consumer.arrived.wait(), 10)
    stopping = asyncio.create_task(server.receiver.shutdown())
    await settle()
    server.consumer.open.set()
    await stopping
    assert (await sending).status_code == 200


async def test_metrics_are_counted_as_data_points(receiving):
    """`record_count` of metrics is the number of points, not of metrics."""
    server = await receiving()
    points = [{"timeUnixNano": "1", "asDouble": 0.5}, {"timeUnixNano": "2", "asInt": "3"}]
    document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": points}}]}]}]}
    await server.client.post("/v1/metrics", json=document)
    assert [(sent.signal, sent.record_count) for sent in server.consumer.batches] == [("metrics", 2)]


def test_batch_of_the_fakes_is_what_a_receiver_makes():
    """Keeps the comparison above honest."""
    assert batch("a") == Batch("logs", logs("a"), 1, None)
