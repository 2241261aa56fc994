"""The logging stacks that `handler.py` compares, and what it measures of each in a process of its own.

A peer is given the collector's address and the path of a file it may write.

    python benchmarks/handler_peers.py PEER call|burst|end --endpoint http://127.0.0.1:4318 --path FILE [--count 0]
"""

import argparse
import json
import logging
import logging.handlers
import queue
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Each child imports what its own stack needs, and nothing of the others'.
# ruff: noqa: PLC0415

CHUNK = 200
CHUNKS = {"plain": 40, "extras": 40, "exception": 10}
EXTRAS = {"run": "r-17", "loss": 0.25, "phase": "train", "ok": True}


@dataclass(frozen=True)
class Peer:
    """A logging stack ready to be called: one function a kind of call, each of which makes *count* calls."""

    calls: dict[str, Callable[[int], None]]
    flush: Callable[[], object] = lambda: None
    close: Callable[[], object] = lambda: None


class Empty(logging.Handler):
    """The least a handler can do."""

    def emit(self, record):
        pass


def fail(depth=2):
    if depth:
        fail(depth - 1)
    raise ValueError("no such step")


def stdlib_calls(handler, name="bench.train"):
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers[:] = [handler]

    def plain(count):
        for step in range(count):
            logger.info("step %d loss %f", step, 0.25)

    def extras(count):
        for step in range(count):
            logger.info("step %d loss %f", step, 0.25, extra={"step": step, **EXTRAS})

    def exception(count):
        for step in range(count):
            try:
                fail()
            except ValueError:
                logger.exception("step %d failed", step)

    return {"plain": plain, "extras": extras, "exception": exception}


def empty(_endpoint, _path):
    return Peer(stdlib_calls(Empty()))


def runmill(endpoint, _path):
    import runmill as package

    handler = package.Handler(endpoint=endpoint)
    return Peer(stdlib_calls(handler), flush=lambda: package.flush(30))


def file_handler(path):
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return handler


def logging_file(_endpoint, path):
    return Peer(stdlib_calls(file_handler(path)))


def queue_listener(_endpoint, path):
    records = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, file_handler(path))
    listener.start()
    return Peer(stdlib_calls(logging.handlers.QueueHandler(records)), close=listener.stop)


def python_json_logger(_endpoint, path):
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.FileHandler(path)
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return Peer(stdlib_calls(handler))


def structlog_file(_endpoint, path):
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(
            Path(path).open("w")  # noqa: SIM115 - open as long as the process lives
        ),
        cache_logger_on_first_use=True,
    )
    return Peer(keyword_calls(structlog.get_logger()))


def loguru_file(_endpoint, path):
    from loguru import logger

    logger.remove()
    logger.add(path, serialize=True)
    return Peer(keyword_calls(logger))


def keyword_calls(logger):
    """Call a logger that takes its fields as keywords."""

    def plain(count):
        for step in range(count):
            logger.info("step done", step=step, loss=0.25)

    def extras(count):
        for step in range(count):
            logger.info("step done", step=step, **EXTRAS)

    def exception(count):
        for step in range(count):
            try:
                fail()
            except ValueError:
                logger.exception("step failed", step=step)

    return {"plain": plain, "extras": extras, "exception": exception}


def opentelemetry_sdk(endpoint, _path):
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{endpoint}/v1/logs")))
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())  # "queue full", thousands of times
    return Peer(stdlib_calls(LoggingHandler(logger_provider=provider)), flush=provider.force_flush)


def logfire(endpoint, _path):
    import logfire as package
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    package.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces"))],
    )
    return Peer(stdlib_calls(package.LogfireLoggingHandler()), flush=package.force_flush)


PEERS = {
    each.__name__: each
    for each in (
        empty, runmill, logging_file, queue_listener, python_json_logger, structlog_file, loguru_file,
        opentelemetry_sdk, logfire,
    )
}  # fmt: skip
SENDERS = ("runmill", "opentelemetry_sdk", "logfire")


def measure_call(peer):
    """Give per kind the microseconds a call and its ratio to the empty handler's, medians over the chunks."""
    floor = stdlib_calls(Empty(), "bench.floor")
    measured = {}
    for kind, chunk_count in CHUNKS.items():
        pairs = []
        for _ in range(chunk_count + 2):
            pairs.append((thread_us(floor[kind]), thread_us(peer.calls[kind])))
            peer.flush()
        ratios = [ours / theirs for theirs, ours in pairs[2:]]  # the first ones fill caches
        measured[kind] = statistics.median(ours for _, ours in pairs[2:]), statistics.median(ratios)
    peer.close()
    return measured


def thread_us(call):
    began = time.thread_time_ns()
    call(CHUNK)
    return (time.thread_time_ns() - began) / CHUNK / 1000


def measure_burst(peer, count):
    """Log as fast as the loop goes; the parent counts what arrived, and what the whole process took."""
    cpu_before, began = time.process_time(), time.perf_counter()
    peer.calls["plain"](count)
    took = time.perf_counter() - began
    peer.close()
    return {"wall_us": took / count * 1e6, "cpu_before": cpu_before, "peak_mb": peak_mb()}


def peak_mb():
    """Give the most memory this process took; rusage would count what it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_end(peer, count):
    """Log, and say when: the parent knows when the process is gone."""
    peer.calls["plain"](count)
    peer.close()
    return {"logged_at": time.time()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("measurement", choices=["call", "burst", "end"])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--count", type=int, default=0)
    given = parser.parse_args()
    peer = PEERS[given.peer](given.endpoint, given.path)
    if given.measurement == "call":
        said = measure_call(peer)
    elif given.measurement == "burst":
        said = measure_burst(peer, given.count)
    else:
        said = measure_end(peer, given.count)
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
