"""The whole collector: what is wired to what, in which order it starts and stops, and how it counts."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
from collector_fakes import RecordingConsumer, RecordingStore, batch, logs, until

from runmill.collector import config, pipeline
from runmill.collector.guard import Health
from runmill.collector.pipeline import Collector, FanOut
from runmill.collector.receivers.otlp import bind
from runmill.collector.settings import Settings
from runmill.collector.telemetry import CountedExporter, CountedReceiver, Telemetry
from runmill.errors import ConfigError, Conflict, Refused, Rejected

PROTOBUF = {"content-type": "application/x-protobuf"}

TWO_STORES = """
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
  otlp/second: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  memory_limiter: {check_interval: 1h, limit_percentage: 100, spike_limit_percentage: 1}
  batch: {timeout: 1ms}
exporters:
  run_store: {url: one}
  run_store/copy: {url: two}
  debug: {}
service:
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [run_store, run_store/copy]}
    logs/second: {receivers: [otlp, otlp/second], exporters: [run_store/copy]}
    metrics: {receivers: [otlp/second], processors: [batch], exporters: [run_store]}
"""


# The first receiver's logs go to the first store only.
ONE_STORE = TWO_STORES.replace("[run_store, run_store/copy]", "[run_store]")
ONE_STORE = ONE_STORE.replace("[otlp, otlp/second]", "[otlp/second]")


@asynccontextmanager
async def running(text, stores, **settings):
    """A started collector of a configuration, and a client for each of its receivers."""
    built = pipeline.build(config.loads(text, environment={}), Settings(open_store=stores.__getitem__, **settings))
    await built.start()
    clients = {name: httpx.AsyncClient(base_url=f"http://{address}") for name, address in built.endpoints.items()}
    try:
        yield built, clients
    finally:
        for client in clients.values():
            await client.aclose()
        await built.shutdown()


class Part:
    """A component that notes its start and stop in a log shared by all."""

    endpoint = None

    def __init__(self, name, log, *, start_error=None, shutdown_error=None):
        self._name, self._log = name, log
        self._start_error, self._shutdown_error = start_error, shutdown_error

    async def start(self):
        self._log.append(f"start {self._name}")
        if self._start_error:
            raise self._start_error

    async def shutdown(self):
        self._log.append(f"stop {self._name}")
        if self._shutdown_error:
            raise self._shutdown_error


def collector_of(log, **errors):
    """A collector of four parts; *errors* by the name of the part and what fails."""
    made = {
        name: Part(name, log, start_error=errors.get(f"{name}_start"), shutdown_error=errors.get(f"{name}_shutdown"))
        for name in ("receiver", "first", "second", "exporter")
    }
    return Collector(
        {"receiver": made["receiver"]},
        [made["second"], made["first"]],
        [made["exporter"]],
        entrances={},
        telemetry=Telemetry(),
        health=Health(),
    )


async def test_parts_start_from_the_end_and_stop_from_the_front():
    """Data always flows into something that is at work."""
    log = []
    built = collector_of(log)
    await built.start()
    await built.shutdown()
    assert log == [
        "start exporter", "start second", "start first", "start receiver",
        "stop receiver", "stop first", "stop second", "stop exporter",
    ]  # fmt: skip


async def test_part_that_cannot_start_stops_those_that_have():
    """The error is its own; nothing is left running, itself included."""
    log = []
    with pytest.raises(Conflict, match=r"^taken$"):
        await collector_of(log, first_start=Conflict("taken")).start()
    assert log == ["start exporter", "start second", "start first", "stop first", "stop second", "stop exporter"]


async def test_part_that_cannot_stop_does_not_keep_the_others_from_it():
    """All of them flush; then what went wrong is raised."""
    log = []
    built = collector_of(log, receiver_shutdown=ValueError("one"), second_shutdown=ValueError("two"))
    await built.start()
    with pytest.raises(ExceptionGroup) as failed:
        await built.shutdown()
    assert [str(error) for error in failed.value.exceptions] == ["one", "two"]
    assert log[4:] == ["stop receiver", "stop first", "stop second", "stop exporter"]


async def test_batches_go_through_every_pipeline_of_their_receiver_and_signal():
    """A receiver in two pipelines feeds both; an exporter in two is one and the same."""
    stores = {"one": RecordingStore(), "two": RecordingStore()}
    async with running(TWO_STORES, stores) as (_, clients):
        for name, body in (("otlp", "a"), ("otlp/second", "b")):
            response = await clients[name].post("/v1/logs", content=logs(body), headers=PROTOBUF)
            assert response.status_code == 200
        no_metrics = await clients["otlp"].post("/v1/metrics", content=b"", headers=PROTOBUF)
        metrics = await clients["otlp/second"].post("/v1/metrics", content=b"", headers=PROTOBUF)
    flat = {name: sorted(body for group in store.bodies() for body in group) for name, store in stores.items()}
    assert flat == {"one": ["a"], "two": ["a", "a", "b"]}
    assert (no_metrics.status_code, metrics.status_code) == (404, 200)


async def test_everything_is_counted_under_the_component_it_belongs_to():
    """Accepted, sent, refused and dropped records, by the OpenTelemetry Collector's names."""
    stores = {"one": RecordingStore(None, Refused("full"), Rejected("no")), "two": RecordingStore()}
    async with running(ONE_STORE, stores) as (built, clients):
        for body in ("taken", "refused", "rejected"):
            await clients["otlp"].post("/v1/logs", content=logs(body, body), headers=PROTOBUF)
        found = built.telemetry.snapshot()
    assert {name: count for name, count in found.items() if "batch_send" not in name} == {
        'otelcol_exporter_send_failed_log_records{exporter="run_store"}': 4,
        'otelcol_exporter_sent_log_records{exporter="run_store"}': 2,
        'otelcol_receiver_accepted_log_records{receiver="otlp"}': 2,
        'otelcol_receiver_refused_log_records{receiver="otlp"}': 4,
        'runmill_dropped_records_total{component="otlp",reason="rejected",signal="logs"}': 2,
        'runmill_receiver_failed_requests_total{reason="400",receiver="otlp"}': 1,
        'runmill_receiver_failed_requests_total{reason="503",receiver="otlp"}': 1,
        'runmill_run_store_commits_total{exporter="run_store"}': 1,
        'runmill_run_store_repeated_batches_total{exporter="run_store"}': 0,
        'runmill_run_store_set_aside_records_total{exporter="run_store",signal="logs"}': 2,
    }


async def test_full_store_makes_senders_wait_and_none_of_their_records_is_lost():
    """Back-pressure end to end: 503 while too much waits, and what is sent again is stored."""
    size = len(logs("x"))
    text = ONE_STORE.replace("{url: one}", f"{{url: one, max_waiting_bytes: {size}}}")
    stores = {"one": RecordingStore(), "two": RecordingStore()}
    stores["one"].open.clear()
    async with running(text, stores) as (_, clients):
        first = asyncio.create_task(clients["otlp"].post("/v1/logs", content=logs("x"), headers=PROTOBUF))
        await until(lambda: stores["one"].appends)
        refused = await clients["otlp"].post("/v1/logs", content=logs("y"), headers=PROTOBUF)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        stores["one"].open.set()
        again = await clients["otlp"].post("/v1/logs", content=logs("y"), headers=PROTOBUF)
        assert ((await first).status_code, again.status_code) == (200, 200)
    assert stores["one"].bodies() == [["x"], ["y"]]


async def test_shutdown_commits_what_senders_wait_for():
    """A request that was taken is answered with what came of it, though the collector stops."""
    stores = {"one": RecordingStore(), "two": RecordingStore()}
    stores["one"].open.clear()
    async with running(TWO_STORES, stores) as (built, clients):
        sending = asyncio.create_task(clients["otlp"].post("/v1/logs", content=logs("a"), headers=PROTOBUF))
        await until(lambda: stores["one"].appends)
        stopping = asyncio.create_task(built.shutdown())
        await asyncio.sleep(0)
        stores["one"].open.set()
        await stopping
        assert (await sending).status_code == 200
    assert stores["one"].bodies() == [["a"]]


async def test_health_is_ok_once_everything_has_started():
    """On each of the ports; what it says before and after is the guard's test."""
    stores = {"one": RecordingStore(), "two": RecordingStore()}
    async with running(TWO_STORES, stores) as (_, clients):
        answers = [await client.get("/health") for client in clients.values()]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "ok"), (200, "ok")]


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_wide_endpoint_without_a_token_is_a_config_error(protocol):
    """Everybody could write into the store; the way out is named."""
    text = TWO_STORES.replace('{http: {endpoint: "127.0.0.1:0"}}', f'{{{protocol}: {{endpoint: "0.0.0.0:4318"}}}}', 1)
    read = config.loads(text, source="FILE", environment={})
    with pytest.raises(ConfigError) as wrong:
        pipeline.build(read, Settings(open_store=lambda _: RecordingStore()))
    assert str(wrong.value) == (
        f"FILE: receivers.otlp.protocols.{protocol}.endpoint: '0.0.0.0:4318' is reached from other machines, and "
        "nothing keeps strangers out. Set RUNMILL_TOKEN, or 'tls' with a 'client_ca_file', or listen on localhost; "
        "--insecure lets everybody in."
    )


@pytest.mark.parametrize(
    ("address", "settings", "expected"),
    [
        ("127.0.0.1:0", {"token": "secret"}, 200),  # nobody else gets there
        ("0.0.0.0:0", {"token": "secret"}, 401),
        ("0.0.0.0:0", {"is_insecure": True}, 200),
    ],
    ids=["loopback", "wide", "insecure"],
)
async def test_token_is_wanted_from_other_machines_unless_everybody_is_let_in(address, settings, expected):
    """Of OTLP and of the collector's own metrics alike."""
    text = TWO_STORES.replace("127.0.0.1:0", address, 1)
    async with running(text, {"one": RecordingStore(), "two": RecordingStore()}, **settings) as (_, clients):
        client = clients["otlp"]
        sent = await client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)
        assert [sent.status_code, (await client.get("/metrics")).status_code] == [expected] * 2


async def test_port_that_is_taken_fails_the_start_and_names_the_address():
    """Nothing keeps running; the address and the way out are in the message."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = TWO_STORES.replace("127.0.0.1:0", address, 1)
        stores = {"one": RecordingStore(), "two": RecordingStore()}
        with pytest.raises(OSError, match=rf"cannot listen on '{address}': Address already in use\. Free it"):
            async with running(text, stores):
                pass


async def test_caller_may_choose_another_port():
    """`bind` is where the command line falls back to a free one; the real address is in `endpoints`."""
    asked = []

    def bind_elsewhere(endpoint):
        asked.append(endpoint)
        return bind("127.0.0.1:0")

    text = TWO_STORES.replace("127.0.0.1:0", "localhost:4318")
    async with running(text, {"one": RecordingStore(), "two": RecordingStore()}, bind=bind_elsewhere) as (built, _):
        assert asked == ["localhost:4318", "localhost:4318"]
        assert sorted(built.endpoints) == ["otlp", "otlp/second"]
        assert not any(address.endswith(":4318") for address in built.endpoints.values())


async def test_fan_out_returns_when_all_are_safe_and_prefers_to_send_again():
    """One that must wait outranks one that will never take it: otherwise the first would lose its data."""
    fine, full, picky = RecordingConsumer(), RecordingConsumer(Refused("full")), RecordingConsumer(Rejected("no"))
    with pytest.raises(Refused, match=r"^full$"):
        await FanOut([fine, picky, full]).consume(batch("a"))
    assert [len(one.batches) for one in (fine, full, picky)] == [1, 1, 1]
    with pytest.raises(Rejected, match=r"^no$"):
        await FanOut([fine, RecordingConsumer(Rejected("no"))]).consume(batch("a"))


async def test_crash_of_an_exporter_becomes_refused_and_is_counted():
    """Its bug costs no records: the sender keeps them."""
    telemetry = Telemetry()
    exporter = CountedExporter("file", RecordingConsumer(ZeroDivisionError("oops")), telemetry)
    with pytest.raises(Refused, match=r"^exporter 'file' failed: ZeroDivisionError\('oops'\)"):
        await exporter.consume(batch("a"))
    assert telemetry.snapshot() == {
        'otelcol_exporter_send_failed_log_records{exporter="file"}': 1,
        'runmill_exporter_crashes_total{exporter="file"}': 1,
    }


async def test_cancelled_request_counts_as_refused():
    """Nobody was told that its records are safe."""
    telemetry = Telemetry()
    consumer = RecordingConsumer()
    consumer.open.clear()
    task = asyncio.create_task(CountedReceiver("otlp", consumer, telemetry).consume(batch("a", "b")))
    await consumer.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert telemetry.snapshot() == {'otelcol_receiver_refused_log_records{receiver="otlp"}': 2}
