"""The collector's own metrics as OTLP, in the words of OpenTelemetry's configuration schema."""

import httpx
import pytest
from backends import Answer, Backend, serving
from collector_fakes import logs, until
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from runmill._version import __version__
from runmill.collector import config, pipeline
from runmill.collector.settings import Settings
from runmill.errors import ConfigError
from runmill.home import Home

TEXT = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters: {debug: {verbosity: basic}}
service:
  telemetry:
    resource: {service.name: fleet, team: ml}
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}
        - periodic:
            interval: 20
            exporter:
              otlp:
                protocol: http/protobuf
                endpoint: URL
                headers: [{name: x-key, value: secret}]
  pipelines: {logs: {receivers: [otlp], exporters: [debug]}}
"""


@pytest.fixture
async def collecting(tmp_path):
    started = []

    async def start(url):
        settings = Settings(open_store=lambda _: None, home=Home(tmp_path))
        built = pipeline.build(config.loads(TEXT.replace("URL", url), environment={}), settings)
        await built.start()
        started.append(built)
        return built

    yield start
    for one in started:
        await one.shutdown()


def points(request):
    """Value by name and labels, and whether it is a sum."""
    metrics = ExportMetricsServiceRequest.FromString(request.body).resource_metrics[0].scope_metrics[0].metrics
    return {
        (metric.name, *(pair.value.string_value for pair in point.attributes)): (metric.HasField("sum"), point.as_int)
        for metric in metrics
        for point in (metric.sum if metric.HasField("sum") else metric.gauge).data_points
    }


async def send(built):
    headers = {"content-type": "application/x-protobuf"}
    async with httpx.AsyncClient() as client:
        url = f"http://{built.endpoints['otlp']}/v1/logs"
        assert (await client.post(url, content=logs("a", "b"), headers=headers)).status_code == 200


async def test_metrics_are_pushed_as_otlp_and_served_to_prometheus(collecting):
    """The same numbers under the same names: counters as cumulative sums, with the labels as attributes."""
    async with serving(Backend()) as backend:
        built = await collecting(backend.url)
        await send(built)
        accepted = ("otelcol_receiver_accepted_log_records", "otlp")
        await until(lambda: backend.accepted and points(backend.accepted[-1]).get(accepted) == (True, 2))
        pushed = backend.accepted[-1]
        async with httpx.AsyncClient() as client:
            served = (await client.get(f"http://{built.endpoints['metrics']}/metrics")).text
    resource = ExportMetricsServiceRequest.FromString(pushed.body).resource_metrics[0].resource
    described = {pair.key: pair.value.string_value for pair in resource.attributes}
    assert (described["service.name"], described["team"], described["service.version"]) == ("fleet", "ml", __version__)
    assert (pushed.path, pushed.headers["x-key"]) == ("/v1/metrics", "secret")
    assert 'otelcol_receiver_accepted_log_records{receiver="otlp"} 2\n' in served


async def test_push_that_fails_is_counted_and_the_next_one_says_everything(collecting, caplog):
    """Sums are cumulative: nothing has to be kept. It is said once an outage, not once an attempt."""
    async with serving(Backend(Answer(503), Answer(503))) as backend:
        built = await collecting(backend.url)
        await send(built)
        await until(lambda: backend.accepted)
        found = points(backend.accepted[0])
    assert found["otelcol_receiver_accepted_log_records", "otlp"] == (True, 2)
    assert found["runmill_own_metrics_failed_pushes",] == (True, 2)
    assert caplog.text.count("the collector's own metrics cannot be pushed") == 1


async def test_what_was_counted_last_is_pushed_at_the_end(collecting):
    """A collector that stops has said everything."""
    async with serving(Backend()) as backend:
        built = await collecting(backend.url)
        await send(built)
        await built.shutdown()
        assert points(backend.accepted[-1])["otelcol_exporter_sent_log_records", "debug"] == (True, 2)


def test_reader_that_is_neither_pulled_nor_periodic_is_a_config_error():
    """And an endpoint without a scheme is told what is missing."""
    with pytest.raises(ConfigError) as wrong:
        config.loads(
            TEXT.replace("- pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}", "- {}"), environment={}
        )
    assert "readers[0]: a reader is either pulled or periodic. Write one of 'pull:' and 'periodic:'." in str(
        wrong.value
    )
    assert "otlp: endpoint 'URL' is no URL. Write it as http://HOST:PORT or https://HOST:PORT." in str(wrong.value)
