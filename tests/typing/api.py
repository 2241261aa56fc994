"""The public surface as users type it: checked by mypy, never run."""

import logging

import structlog

import runmill
import runmill.json
import runmill.otel
import runmill.structlog
from runmill.testing import ReceivedLog, ReceivedPoint, RecordingCollector


def attach() -> None:
    logging.basicConfig(level=logging.DEBUG, handlers=[runmill.Handler()])
    logging.getLogger().addHandler(
        runmill.Handler(logging.INFO, endpoint="http://localhost:4318", service_name="trainer", headers={"k": "v"})
    )
    structlog.configure(processors=[structlog.stdlib.add_log_level, runmill.structlog.send])
    undelivered: int = runmill.flush(1.0)
    del undelivered


def set_up() -> None:
    with runmill.configure(level={"": "INFO", "httpx": logging.WARNING}, loggers=["uvicorn"], console="json"):
        with runmill.bind(request_id=7):
            logging.getLogger("app").info("inside")

        @runmill.bind(job="nightly")
        def nightly(count: int) -> str:
            return str(count)

        night: str = nightly(3)
        del night
    runmill.configure(level="DEBUG", reattach=True, scrub=False).close()
    formatter: logging.Formatter = runmill.json.JsonFormatter(static_fields={"team": "ml"})
    del formatter
    structlog.configure(processors=[runmill.structlog.to_otel])
    runmill.otel.JournalMetricExporter(preferred_temporality={})
    runmill.otel.JournalLogExporter().export([])


def train() -> str:
    experiment = runmill.Experiment(runmill.Workspace.from_config(), "diabetes")
    with experiment.start_logging() as run:
        run.log("mse", 0.25, step=1)
        run.log("phase", "warm-up")
        run.log_list("Fibonacci", [0, 1, 1, 2])
        run.log_row("mse by alpha", alpha=0.5, mse=0.25)
        run.log_table("sines", {"angle": [0.0, 1.0], "sine": [0.0, 0.84]})
        run.tag("model", "ridge")
        run.upload_file(name="outputs/model.pkl", path_or_stream="model.pkl")
    names: list[str] = run.get_file_names()
    del names
    return run.get_portal_url()


def expect() -> tuple[list[ReceivedLog], list[ReceivedPoint]]:
    with RecordingCollector() as collector:
        collector.status = 503
        collector.wait_for(lambda seen: len(seen.requests) > 1, timeout_seconds=1)
        return collector.wait_for_logs(1), collector.wait_for_points(1)
