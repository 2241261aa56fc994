"""What requests came with: those of different senders leave in different requests, from socket to socket."""

import sqlite3
from dataclasses import replace

import grpc.aio
import httpx
import pytest
from backends import HANG, Backend, serving
from collector_fakes import batch, logs, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill.collector import config, pipeline
from runmill.collector.exporters.queue_file import QueueFile
from runmill.collector.settings import Settings
from runmill.home import Home
from runmill.otlp.services import METHODS

PROTOBUF = {"content-type": "application/x-protobuf"}
GROUPING = "{min_size: 6, flush_timeout: 1h, partition: {metadata_keys: [X-Tenant]}}"
TEXT = """
receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:0", include_metadata: INCLUDE}
      grpc: {endpoint: "127.0.0.1:0", include_metadata: INCLUDE}
processors: {batch: {metadata_keys: [x-tenant]}}
exporters: {otlp_http: {endpoint: URL, sending_queue: {num_consumers: 1, batch: GROUPING}}}
service: {pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [otlp_http]}}}
"""


@pytest.mark.parametrize("include", [True, False])
async def test_requests_of_two_tenants_are_not_joined(tmp_path, include):
    """By a header over HTTP or as metadata over gRPC, whatever its case; unless receivers were not told to keep it."""
    async with serving(Backend()) as backend:
        text = TEXT.replace("GROUPING", GROUPING).replace("URL", backend.url).replace("INCLUDE", str(include).lower())
        collector = pipeline.build(config.loads(text), Settings(open_store=lambda _: None, home=Home(tmp_path)))
        await collector.start()
        for number in range(3):
            await send_as("red", number, collector.endpoints)
            await send_as("blue", number, collector.endpoints)
        await until(lambda: len(backend.accepted) == 2)
        await collector.shutdown()
    found = [{name.partition(" ")[0] for name in request.bodies()} for request in backend.accepted]
    assert [len(request.bodies()) for request in backend.accepted] == [6, 6]
    assert sorted(map(sorted, found)) == ([["blue"], ["red"]] if include else [["blue", "red"]] * 2)


async def send_as(tenant, number, endpoints):
    async with httpx.AsyncClient() as client:
        payload, headers = logs(f"{tenant} {number}, HTTP"), PROTOBUF | {"X-Tenant": tenant}
        answer = await client.post(f"http://{endpoints['otlp']}/v1/logs", content=payload, headers=headers)
    assert answer.status_code == 200
    async with grpc.aio.insecure_channel(endpoints["otlp.grpc"]) as channel:
        export = channel.unary_unary(METHODS["logs"])
        await export(logs(f"{tenant} {number}, gRPC"), metadata=(("x-tenant", tenant),))


async def test_headers_become_attributes(tmp_path):
    """`from_context`: whatever its case; a request that has none of it gets none."""
    async with serving(Backend()) as backend:
        actions = "[{key: tenant, action: upsert, from_context: metadata.X-Tenant}]"
        edits = f"{{resource: {{attributes: {actions}}}, attributes: {{actions: {actions}}}}}"
        text = TEXT.replace("batch: GROUPING", "").replace("URL", backend.url).replace("INCLUDE", "true")
        text = text.replace("{batch: {metadata_keys: [x-tenant]}}", edits).replace("[batch]", "[resource, attributes]")
        collector = pipeline.build(config.loads(text), Settings(open_store=lambda _: None, home=Home(tmp_path)))
        await collector.start()
        await send_as("red", 0, collector.endpoints)
        async with httpx.AsyncClient() as client:
            await client.post(f"http://{collector.endpoints['otlp']}/v1/logs", content=logs("nobody"), headers=PROTOBUF)
        await until(lambda: len(backend.accepted) == 3)
        await collector.shutdown()
    found = {tuple(request.bodies()): tenants(request) for request in backend.accepted}
    red = [["red"], ["red"]]
    assert found == {("red 0, HTTP",): red, ("red 0, gRPC",): red, ("nobody",): [[], []]}


def tenants(request):
    """What the attribute `tenant` of the resource and of the record says."""
    [group] = ExportLogsServiceRequest.FromString(request.body).resource_logs
    places = (group.resource, group.scope_logs[0].log_records[0])
    return [[pair.value.string_value for pair in place.attributes if pair.key == "tenant"] for place in places]


async def test_tenants_stay_apart_after_a_restart(exporting):
    """What waited in the file is not joined to what came with another value, and the rest of its headers is gone."""
    joining = {"num_consumers": 1, "batch": {"flush_timeout": "50ms", "partition": {"metadata_keys": ["x-tenant"]}}}
    async with serving(Backend(always=HANG)) as dead:
        first = await exporting(dead.url, queue=joining)
        for number in range(4):
            metadata = frozenset({("x-tenant", "ab"[number % 2]), ("x-secret", "s")})
            await first.consumer.consume(replace(batch(str(number)), metadata=metadata))
        await first.component.shutdown()
    async with serving(Backend()) as backend:
        await exporting(backend.url, queue=joining)
        await until(lambda: len(backend.accepted) == 2)
    assert sorted(request.bodies() for request in backend.accepted) == [["0", "2"], ["1", "3"]]


async def test_queue_of_an_earlier_version_is_taken_up(tmp_path):
    """Its file has no column for what requests came with."""
    path = tmp_path / "queue.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table waiting (key integer primary key, signal text not null, record_count integer not null,"
            " producer_id text, sequence integer, payload blob not null)"
        )
        connection.execute("insert into waiting values (1, 'logs', 1, null, null, ?)", (logs("old"),))
    connection.close()
    queue = QueueFile(path)
    [entry] = await queue.open()
    tagged = replace(batch("new"), metadata=frozenset({("x-tenant", "a")}))
    assert await queue.load(entry) == batch("old")
    await queue.add(tagged)
    await queue.close()
    again = QueueFile(path)
    assert [await again.load(each) for each in await again.open()] == [batch("old"), tagged]
    await again.close()


def test_metadata_that_no_receiver_keeps_is_warned_of():
    """Nothing would be held apart, and nobody would know."""
    text = TEXT.replace("GROUPING", GROUPING).replace("URL", "http://backend:4318")
    assert config.loads(text.replace("INCLUDE", "true")).warnings == ()
    remedy = "uses x-tenant, and no otlp receiver keeps it. Write 'include_metadata: true' there."
    warnings = config.loads(text.replace("INCLUDE", "false")).warnings
    assert warnings == (f"processors.batch: {remedy}", f"exporters.otlp_http: {remedy}")
