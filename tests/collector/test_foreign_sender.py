"""The official OpenTelemetry SDK as the sender, the default pipeline, and a real run store: what was sent is there."""

import asyncio
import logging
import threading
from contextlib import contextmanager

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from runmill import store
from runmill.collector import config, pipeline
from runmill.collector.settings import Settings
from runmill.store.query import LogQuery

RESOURCE = Resource({"service.name": "foreign"})


@contextmanager
def default_collector(home):
    """The default pipeline in a thread of its own, as `runmill up` runs it; gives its address and its store."""
    overrides = {f"receivers.otlp.protocols.{name}.endpoint": "127.0.0.1:0" for name in ("http", "grpc")}
    settings = config.load(config.DEFAULT_FILE, overrides=overrides, environment={"RUNMILL_HOME": str(home)})
    opened = store.open(home / "store")
    loop, started = asyncio.new_event_loop(), threading.Event()
    collector = pipeline.build(settings, Settings(open_store=lambda _: opened))

    def serve():
        loop.run_until_complete(collector.start())
        started.set()
        loop.run_forever()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert started.wait(10)
        yield f"http://{collector.endpoints['otlp']}", opened
    finally:
        asyncio.run_coroutine_threadsafe(collector.shutdown(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        opened.close()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_logs_of_the_sdk_are_stored_when_its_flush_returns(tmp_path, compression):
    """Acknowledged means committed: after the flush the records are found, each once, with what they carried."""
    with default_collector(tmp_path) as (url, opened):
        provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
        exporter = OTLPLogExporter(endpoint=f"{url}/v1/logs", compression=compression)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_export_batch_size=100))
        logger = provider.get_logger("train.loop")
        for step in range(250):
            record = LogRecord(timestamp=step + 1, severity_number=SeverityNumber.WARN, body=f"step {step}")
            record.attributes = {"step": step}
            logger.emit(record)
        assert provider.force_flush()
        found = opened.logs(LogQuery(service="foreign", limit=1000)).records
        provider.shutdown()
    assert [(r.time_unix_nano, r.severity_number, r.logger, r.body, r.attributes) for r in found] == [
        (step + 1, 13, "train.loop", f"step {step}", {"step": step}) for step in range(250)
    ]


def test_metrics_of_the_sdk_are_stored(tmp_path):
    """A counter and a histogram become points."""
    with default_collector(tmp_path) as (url, opened):
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{url}/v1/metrics"), 1e9)
        provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
        meter = provider.get_meter("train")
        meter.create_counter("samples").add(5)
        meter.create_histogram("seconds").record(0.5)
        assert provider.force_flush()
        assert opened.facts().point_count == 2
        provider.shutdown()


def test_sdk_gives_up_on_a_signal_without_a_pipeline_and_says_why(tmp_path, caplog):
    """404 is not tried again, and its text tells what to configure."""
    with default_collector(tmp_path) as (url, _), caplog.at_level(logging.ERROR):
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{url}/v1/traces"), 1e9)
        provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
        provider.get_meter("train").create_counter("samples").add(5)
        provider.force_flush()
        provider.shutdown()
    assert "404" in caplog.text


def test_many_senders_at_once_lose_and_double_nothing(tmp_path):
    """Several SDKs in threads against one store: every record is there once."""
    senders, each = 4, 500

    def send(url, name):
        provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
        provider.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{url}/v1/logs"), max_export_batch_size=64)
        )
        logger = provider.get_logger(name)
        for number in range(each):
            logger.emit(LogRecord(timestamp=number + 1, body=f"{name} {number}"))
        assert provider.force_flush()
        provider.shutdown()

    with default_collector(tmp_path) as (url, opened):
        threads = [threading.Thread(target=send, args=(url, f"sender-{n}")) for n in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = sorted(record.body for record in opened.logs(LogQuery(limit=10_000)).records)
    assert found == sorted(f"sender-{n} {number}" for n in range(senders) for number in range(each))
