"""Write the bytes that the official SDK's exporters send: run by hand, the result is kept beside this file.

python tests/golden/otlp/capture.py
"""

from pathlib import Path

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

HERE = Path(__file__).parent
RESOURCE = Resource({"service.name": "golden", "run.id": "r1"})
TIME = 1_700_000_000_000_000_000


def logs() -> bytes:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    span = SpanContext(
        0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174, is_remote=False, trace_flags=TraceFlags(1)
    )
    logger = provider.get_logger("train.loop", "1.0")
    logger.emit(
        LogRecord(
            timestamp=TIME,
            observed_timestamp=TIME + 1,
            context=set_span_in_context(NonRecordingSpan(span)),
            severity_number=SeverityNumber.WARN,
            severity_text="WARNING",
            body="disk at 91 %",
            attributes={"a": "b", "n": -3, "x": 0.5, "ok": True, "list": [1, 2], "map": {"k": b"\x01"}},
            event_name="disk.full",
        )
    )
    logger.emit(LogRecord(observed_timestamp=TIME + 2, body={"step": 3, "loss": float("nan")}))
    return encode_logs(exporter.get_finished_logs()).SerializeToString()


def metrics() -> bytes:
    reader = InMemoryMetricReader()
    exponential = View(instrument_name="sizes", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=RESOURCE, views=[exponential])
    meter = provider.get_meter("train.meter")
    meter.create_counter("steps", unit="1", description="Steps done").add(5, {"rank": 0})
    meter.create_gauge("loss").set(0.25)
    meter.create_histogram("latency", explicit_bucket_boundaries_advisory=[1, 10]).record(3)
    meter.create_histogram("sizes").record(4)
    return encode_metrics(reader.get_metrics_data()).SerializeToString()


if __name__ == "__main__":
    (HERE / "sdk_logs.binpb").write_bytes(logs())
    (HERE / "sdk_metrics.binpb").write_bytes(metrics())
