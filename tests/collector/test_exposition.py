"""What the collector says of itself on `/metrics`."""

import httpx
import pytest
from collector_fakes import logs

from runmill.collector import config, pipeline
from runmill.collector.exposition import exposition
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry

YAML = """
receivers: {otlp: {protocols: {http: {endpoint: "HOST:0"}}}}
exporters: {debug: }
service:
  telemetry: {metrics: {level: LEVEL, endpoint: "HOST:0"}}
  pipelines: {logs: {receivers: [otlp], exporters: [debug]}}
"""


@pytest.fixture
async def collecting():
    started = []

    async def start(*, host="127.0.0.1", level="normal"):
        found = config.loads(YAML.replace("HOST", host).replace("LEVEL", level))
        collector = pipeline.build(found, Settings(open_store=lambda _: None, token="secret"))
        await collector.start()
        started.append(collector)
        return {name: f"http://127.0.0.1:{at.rpartition(':')[2]}" for name, at in collector.endpoints.items()}

    yield start
    for collector in started:
        await collector.shutdown()


def test_series_are_bounded_and_their_labels_escaped():
    """What is too much is counted together; a quote in a name breaks no line."""
    telemetry = Telemetry()
    for number in range(2010):
        telemetry.add("seen_total", name=f'{number}"')
    found = telemetry.snapshot()
    assert (len(found), sum(found.values())) == (2001, 2010)
    assert found['seen_total{otel_metric_overflow="true"}'] == 10
    assert r'seen_total{name="7\""}' in found


def test_counters_are_written_as_prometheus_reads_them():
    """A type a family, a line a series; queues and files are gauges."""
    counts = {'a_total{x="1"}': 2, 'a_total{x="2"}': 3, 'q_size{exporter="e"}': 0}
    assert exposition(counts) == (
        '# TYPE a_total counter\na_total{x="1"} 2\na_total{x="2"} 3\n# TYPE q_size gauge\nq_size{exporter="e"} 0\n'
    )


async def test_metrics_are_served_on_their_address_and_on_the_otlp_port(collecting):
    """The same on both, with the OpenTelemetry Collector's names."""
    urls = await collecting()
    async with httpx.AsyncClient() as client:
        await client.post(
            f"{urls['otlp']}/v1/logs", content=logs("a", "b"), headers={"content-type": "application/x-protobuf"}
        )
        own, shared = [await client.get(f"{urls[name]}/metrics") for name in ("metrics", "otlp")]
        other = await client.get(f"{urls['metrics']}/else")
    assert (own.status_code, own.text, other.status_code) == (200, shared.text, 404)
    assert own.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'otelcol_receiver_accepted_log_records{receiver="otlp"} 2' in own.text.splitlines()


async def test_level_none_serves_nothing(collecting):
    """As upstream; the OTLP port still answers."""
    assert set(await collecting(level="none")) == {"otlp"}


async def test_other_machines_need_the_token(collecting):
    """Counters name pipelines and rules: not for everyone in the network."""
    urls = await collecting(host="0.0.0.0")
    async with httpx.AsyncClient() as client:
        for url in urls.values():
            assert (await client.get(f"{url}/metrics")).status_code == 401
            allowed = await client.get(f"{url}/metrics", headers={"authorization": "Bearer secret"})
            assert allowed.status_code == 200
