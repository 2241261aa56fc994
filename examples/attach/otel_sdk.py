"""A program that runs the OpenTelemetry SDK already: keep it, and give its logs and metrics a way that loses nothing.

    pip install 'runmill[otel]'
    python otel_sdk.py

Native log calls go through runmill's handler, which reads the active span when the call is made. What goes through the
SDK's own providers is encoded by the SDK and kept in runmill's journal, in place of the SDK's queue.
"""

import logging

from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import runmill
from runmill.otel import JournalLogExporter, JournalMetricExporter, run_resource

# As in your program, except for the two exporters. `run_resource` says which run this is, where there is one.
resource = Resource.create({"service.name": "shop"}).merge(run_resource())
trace.set_tracer_provider(TracerProvider(resource=resource))
logger_provider = LoggerProvider(resource=resource)
logger_provider.add_log_record_processor(SimpleLogRecordProcessor(JournalLogExporter()))
set_logger_provider(logger_provider)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(JournalMetricExporter())], resource=resource))

logging.basicConfig(level=logging.INFO, handlers=[runmill.Handler()])


def main() -> None:
    orders = metrics.get_meter("shop").create_counter("orders")
    with trace.get_tracer("shop").start_as_current_span("checkout") as span:
        logging.getLogger("shop.native").info("paid")  # has the trace and span id of "checkout"
        logger_provider.get_logger("shop.sdk").emit(LogRecord(body="packed", severity_number=SeverityNumber.INFO))
        orders.add(3)
        print(f"{span.get_span_context().trace_id:032x}")


if __name__ == "__main__":
    main()
