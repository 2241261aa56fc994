"""A new configuration while data keeps coming: nobody is turned away, nothing is lost, a bad one changes nothing."""

import asyncio
import json
import logging
import socket
import sys

import httpx
import pytest
from collector_fakes import RecordingStore, logs, until

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


async def test_level_of_its_own_messages_is_the_configurations(service):
    """And the next configuration's after a reload: by default, warnings are written."""
    log = logging.getLogger("runmill.collector.exporters")
    for level, says_warnings in (("error", False), ("warn", True), ("error", False), (None, True)):
        telemetry = f"service: {{telemetry: {{logs: {{level: {level}}}}}," if level else "service: {"
        quiet = TEXT.format(url="one", grpc="").replace("service: {", telemetry)
        await service.reload(lambda text=quiet: config.loads(text, source="FILE", environment={}))
        assert log.isEnabledFor(logging.WARNING) == says_warnings


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


PRINTS = """
import sys
print("started", flush=True)
for n in range(2000): print(n, flush=n % 100 == 0)
print("waits", flush=True)
import time; time.sleep(60)
"""
WITH_COMMAND = """
receivers:
  process: {{command: {command}, env: {{A: "{changed}"}}}}
  otlp: {{protocols: {{http: {{endpoint: "{endpoint}"}}}}}}
exporters: {{run_store: {{url: {url}, commit_interval: 1ms}}}}
service: {{pipelines: {{logs: {{receivers: [process, otlp], exporters: [run_store]}}}}}}
"""


def read_with_command(url, changed="", endpoint="127.0.0.1:0"):
    command = [sys.executable, "-c", PRINTS]
    text = WITH_COMMAND.format(command=json.dumps(command), url=url, changed=changed, endpoint=endpoint)
    return config.loads(text, environment={})


async def test_a_command_goes_on_through_reloads_until_its_own_section_changes(stores):
    """It is not run again, and each of its lines is taken once; also where the new configuration cannot start."""
    service = Service(read_with_command("one"), Settings(open_store=stores.__getitem__))
    await service.start()

    def printed():
        return [body for store in stores.values() for body in bodies(store) if "ended" not in body]

    await until(printed)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        for read_next in (lambda: read_with_command("two"), lambda: read_with_command("one", endpoint=endpoint)):
            await service.reload(read_next)
    await until(lambda: "waits" in printed())
    assert service.telemetry.snapshot()['runmill_config_reloads_total{result="failed"}'] == 1
    assert sorted(printed()) == sorted(["started", *map(str, range(2000)), "waits"])
    await service.reload(lambda: read_with_command("two", changed="yes"))
    await until(lambda: printed().count("waits") == 2)
    await service.shutdown()
    assert printed().count("started") == 2
