"""A new configuration while data keeps coming: nobody is turned away, nothing is lost, a bad one changes nothing."""

import asyncio
import socket

import httpx
import pytest
from collector_fakes import RecordingStore, logs

from runmill.collector import config
from runmill.collector.service import Service
from runmill.collector.settings import Settings
from runmill.errors import ConfigError

PROTOBUF = {"content-type": "application/x-protobuf"}
TEXT = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}, {grpc}}}}}}}
exporters: {{run_store: {{url: {url}, commit_interval: 1ms}}}}
service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [run_store]}}}}}}
"""


def read(url="one", grpc=""):
    return config.loads(TEXT.format(url=url, grpc=grpc), source="FILE", environment={})


@pytest.fixture
async def stores():
    return {"one": RecordingStore(), "two": RecordingStore()}


@pytest.fixture
async def service(stores):
    """A service at work with the store `one`."""
    changes = []
    made = Service(read(), Settings(open_store=stores.__getitem__), on_change=changes.append)
    made.changes = changes
    await made.start()
    yield made
    await made.shutdown()


def bodies(store):
    return sorted(body for group in store.bodies() for body in group)


async def test_every_request_around_a_reload_is_taken(service, stores):
    """On one socket, before, while and after: what was answered is in the one store or the other, once."""
    url = f"http://{service.endpoints['otlp']}"
    reloaded = asyncio.Event()

    async def keep_sending(sender):
        sent, after = 0, 0
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            while after < 3:
                try:
                    response = await client.post("/v1/logs", content=logs(f"{sender} {sent}"), headers=PROTOBUF)
                except httpx.RemoteProtocolError:
                    continue  # a connection that was kept alive was closed just then: senders connect again
                assert response.status_code == 200
                sent += 1
                after += reloaded.is_set()
        return {f"{sender} {number}" for number in range(sent)}

    sending = [asyncio.create_task(keep_sending(sender)) for sender in range(4)]
    for target in ("two", "one", "two"):
        assert await service.reload(lambda target=target: read(target)) == "FILE: read anew, and at work."
    reloaded.set()
    sent = set().union(*await asyncio.gather(*sending))
    found = bodies(stores["one"]) + bodies(stores["two"])
    assert (sorted(found), len(bodies(stores["two"])) > 0) == (sorted(sent), True)
    assert service.telemetry.snapshot()['otelcol_receiver_accepted_log_records{receiver="otlp"}'] == len(sent)
    assert [len(service.changes), url] == [4, f"http://{service.endpoints['otlp']}"]


def refuse():
    raise ConfigError("FILE: no such thing.")


async def test_bad_configuration_leaves_the_old_one_at_work(service, stores):
    """Whether it cannot be read or cannot start: said, counted, and the sender notices nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        metrics = f"127.0.0.1:{taken.getsockname()[1]}"
        telemetry = f"service: {{telemetry: {{metrics: {{endpoint: '{metrics}'}}}}, "
        text = TEXT.format(url="two", grpc="").replace("service: {", telemetry)
        cannot_start = config.loads(text, environment={})
        said = [await service.reload(one) for one in (refuse, lambda: cannot_start)]
    assert said[0] == "The new configuration is not used, and the one before goes on: FILE: no such thing."
    assert f"cannot listen on '{metrics}'" in said[1]
    async with httpx.AsyncClient() as client:
        url = f"http://{service.endpoints['otlp']}/v1/logs"
        assert (await client.post(url, content=logs("still"), headers=PROTOBUF)).status_code == 200
    assert (bodies(stores["one"]), bodies(stores["two"])) == (["still"], [])
    assert service.telemetry.snapshot()['runmill_config_reloads_total{result="failed"}'] == 2


async def test_a_protocol_can_come_and_go(service):
    """gRPC is switched on, and off again with its port."""
    await service.reload(lambda: read(grpc='grpc: {endpoint: "127.0.0.1:0"}'))
    assert sorted(service.endpoints) == ["otlp", "otlp.grpc"]
    await service.reload(read)
    assert sorted(service.endpoints) == ["otlp"]


async def test_shutdown_waits_for_a_reload(service, stores):
    """And nothing listens any more after it."""
    host, _, port = service.endpoints["otlp"].rpartition(":")
    reloading = asyncio.create_task(service.reload(lambda: read("two")))
    await asyncio.sleep(0)
    await service.shutdown()
    await reloading
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, int(port))
