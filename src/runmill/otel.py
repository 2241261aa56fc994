"""For programs that run the OpenTelemetry SDK already: its logs and metrics by runmill's journal, with the run's name.

```python
logs = LoggerProvider(resource=Resource.create().merge(run_resource()))
logs.add_log_record_processor(SimpleLogRecordProcessor(JournalLogExporter()))
metrics = MeterProvider([PeriodicExportingMetricReader(JournalMetricExporter())])
```

The SDK encodes, the journal keeps: what was exported survives the process and any outage, and reaches runmill's store
once. An export costs no network, so the simple processor is the right one: nothing waits in the SDK's queue to be
lost. What the SDK is told of (resource, scopes, histograms, temporality) stays as it is; `scrub` does not reach it.

Needs the ``otel`` extra: ``pip install 'runmill[otel]'``.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as EncodedResource
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource, ResourceDetector

from runmill.app.current import current_run_key
from runmill.app.outlet import Outlet, default_outlet
from runmill.journal.records import REQUEST
from runmill.otlp import runs
from runmill.otlp.encode import encode_resource
from runmill.otlp.journalled import run_attributes

__all__ = ["JournalLogExporter", "JournalMetricExporter", "RunResourceDetector", "run_resource"]

_MILLISECONDS: Final = 1000.0


def run_resource() -> Resource:
    """Give the attributes of the current run (``run.id``, ``run.experiment``, ...); none where no run is current.

    The resource of a provider is fixed when it is made. For runs that start later, the exporters of this module add
    these attributes to what has none.
    """
    return Resource(run_attributes(current_run_key()))


class RunResourceDetector(ResourceDetector):
    """`run_resource` as a detector: ``OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=runmill`` finds it by its entry point."""

    def detect(self) -> Resource:
        """Give the current run's attributes."""
        return run_resource()


class JournalLogExporter(LogRecordExporter):
    """Keeps the log records of the SDK in runmill's journal; delivered like everything else there."""

    def __init__(self) -> None:
        self._outlet = default_outlet()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Keep *batch*; safe when this returns."""
        request = encode_logs(batch)
        _add_run(each.resource for each in request.resource_logs)
        _keep(self._outlet, "logs", request)
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what is in the journal; False when some of it was not acknowledged in time."""
        return self._outlet.flush(timeout_millis / _MILLISECONDS) == 0

    def shutdown(self) -> None:
        """Do nothing: the end of the process delivers within its budget, and the journal keeps the rest."""


class JournalMetricExporter(MetricExporter):
    """Keeps the metrics of the SDK in runmill's journal. Arguments: those of the SDK's `MetricExporter`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._outlet = default_outlet()

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any) -> MetricExportResult:
        """Keep *metrics_data*; safe when this returns, which takes no time to speak of."""
        del timeout_millis
        request = encode_metrics(metrics_data)
        _add_run(each.resource for each in request.resource_metrics)
        _keep(self._outlet, "metrics", request)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """As for logs."""
        return self._outlet.flush(timeout_millis / _MILLISECONDS) == 0

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: Any) -> None:
        """As for logs."""


def _add_run(resources: Iterable[EncodedResource]) -> None:
    """Say whose run it is, where the program's own resource does not."""
    attributes = run_attributes(current_run_key())
    if not attributes:
        return
    encoded = encode_resource(attributes)
    for resource in resources:
        if not any(pair.key == runs.RUN_ID for pair in resource.attributes):
            resource.MergeFromString(encoded)


def _keep(outlet: Outlet, signal: str, request: Any) -> None:
    outlet.write((REQUEST, signal, request.SerializeToString()))
