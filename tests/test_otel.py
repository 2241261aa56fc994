"""A program that runs the OpenTelemetry SDK keeps it, and gains the journal and the run's name."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

import runmill
from runmill.app import current
from runmill.app import outlet as outlets
from runmill.journal.records import RunIdentity, run_key
from runmill.otel import JournalLogExporter, JournalMetricExporter, RunResourceDetector, run_resource
from runmill.testing import RecordingCollector

RESOURCE = Resource({"service.name": "shop", "team": "payments"})
RUN = {"run.id": "r1", "run.experiment": "diabetes", "run.rank": 0}


@pytest.fixture(autouse=True)
def fresh(recording_collector: RecordingCollector, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test is a program of its own that delivers to the recording collector."""
    monkeypatch.setenv("RUNMILL_ENDPOINT", recording_collector.endpoint)
    outlets.choose_default(None)
    yield
    while outlets._outlets:
        outlets._outlets.popitem()[1].close()
    outlets.choose_default(None)


@pytest.fixture
def in_a_run() -> Iterator[None]:
    token = current.enter(run_key(RunIdentity("r1", "diabetes", None, 0)))
    yield
    current.leave(token)


def emit(provider: LoggerProvider, body: str) -> None:
    provider.get_logger("app.pay").emit(
        LogRecord(timestamp=1, body=body, severity_number=SeverityNumber.INFO, attributes={"n": 1})
    )


def test_logs_of_the_sdk_arrive_as_they_are(recording_collector: RecordingCollector) -> None:
    """With their own resource, scope and attributes, each on its own or many at once."""
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(JournalLogExporter()))
    for n in range(20):
        emit(provider, f"paid {n}")
    assert provider.force_flush()
    assert runmill.flush(5) == 0
    assert [record.body for record in recording_collector.logs] == [f"paid {n}" for n in range(20)]
    first = recording_collector.logs[0]
    assert (first.scope, first.resource, first.attributes, first.severity_number) == (
        "app.pay",
        dict(RESOURCE.attributes),
        {"n": 1},
        9,
    )
    assert {"runmill-producer", "runmill-sequence"} <= set(recording_collector.requests[0].headers)
    provider.shutdown()


def test_metrics_of_the_sdk_arrive_as_they_are(recording_collector: RecordingCollector) -> None:
    """A counter's sum, by its own resource and unit."""
    reader = PeriodicExportingMetricReader(JournalMetricExporter(), export_interval_millis=60_000)
    provider = MeterProvider([reader], resource=RESOURCE)
    provider.get_meter("app.pay").create_counter("payments", unit="1").add(3, {"card": "visa"})
    provider.force_flush()
    assert runmill.flush(5) == 0
    [point] = recording_collector.points
    assert (point.metric, point.value, point.attributes, point.resource) == (
        "payments",
        3,
        {"card": "visa"},
        dict(RESOURCE.attributes),
    )
    provider.shutdown()


@pytest.mark.usefixtures("in_a_run")
def test_a_run_is_named_where_the_provider_was_made_before_it(recording_collector: RecordingCollector) -> None:
    """What is exported during a run belongs to it; a resource that names its run is left alone."""
    for resource in (RESOURCE, RESOURCE.merge(run_resource())):
        provider = LoggerProvider(resource=resource)
        provider.add_log_record_processor(SimpleLogRecordProcessor(JournalLogExporter()))
        emit(provider, "in a run")
    assert runmill.flush(5) == 0
    assert [record.resource for record in recording_collector.logs] == [dict(RESOURCE.attributes) | RUN] * 2


@pytest.mark.usefixtures("in_a_run")
def test_the_detector_gives_the_current_run() -> None:
    """Its entry point is the one the SDK looks for."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    group = "opentelemetry_resource_detector"
    detector = EntryPoint("runmill", project["entry-points"][group]["runmill"], group).load()
    assert detector is RunResourceDetector
    assert dict(detector().detect().attributes) == RUN


def test_without_a_run_there_is_nothing_to_say() -> None:
    """No run, no attributes."""
    assert dict(run_resource().attributes) == {}
