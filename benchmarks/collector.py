"""How many log records or data points a second the collector takes over OTLP and commits to a run store.

Starts a collector process with the default pipeline on a free loopback port and a store of its own, sends one prepared
request over and over on a few connections (bounded: it stops by itself), and prints the figures and what they cost
the server's process. Sender and server share the machine, so the figure a CPU second compares better than the one a
second.

    python benchmarks/collector.py [--requests 200] [--records 1000] [--connections 8] [--set PATH=VALUE]
        [--protocol http|grpc] [--signal logs|metrics]
"""

import argparse
import asyncio
import contextlib
import functools
import http.client
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
import psutil
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from runmill import store
from runmill.collector import config, pipeline
from runmill.collector.settings import Settings
from runmill.otlp.services import METHODS

CONTENT_TYPE = "application/x-protobuf"
WARM_UP = 8


def points_body(point_count):
    """The values of one metric of a run, each with its own time, step and index."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "trainer"
    resource.resource.attributes.add(key="run.id").value.string_value = "run-2f9c1a7be4"
    metric = resource.scope_metrics.add().metrics.add(name="loss")
    metric.metadata.add(key="run.metric.kind").value.string_value = "scalar"
    now = time.time_ns()
    for step in range(point_count):
        point = metric.gauge.data_points.add(time_unix_nano=now + step, as_double=1 / (step + 1))
        point.attributes.add(key="run.step").value.int_value = step
        point.attributes.add(key="run.index").value.int_value = step
    return request.SerializeToString()


def request_body(record_count):
    """Records of about 300 bytes, each with six attributes, one of which changes every time."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "trainer"
    resource.resource.attributes.add(key="host.name").value.string_value = "node-1"
    scope = resource.scope_logs.add()
    scope.scope.name = "train.loop"
    now = time.time_ns()
    for step in range(record_count):
        record = scope.log_records.add(
            time_unix_nano=now + step, observed_time_unix_nano=now + step, severity_number=9, severity_text="INFO",
            trace_id=bytes(range(16)), span_id=bytes(range(8)),
        )  # fmt: skip
        record.body.string_value = f"epoch 3 step {step} loss=0.{4000 + step % 997} lr=3e-4 grad_norm=1.2 ".ljust(
            120, "."
        )
        record.attributes.add(key="code.file.path").value.string_value = "src/train/loop.py"
        record.attributes.add(key="code.function.name").value.string_value = "train_epoch"
        record.attributes.add(key="code.line.number").value.int_value = 100 + step % 300
        record.attributes.add(key="thread.name").value.string_value = "MainThread"
        record.attributes.add(key="phase").value.string_value = "train"
        record.attributes.add(key="step").value.int_value = step
    return request.SerializeToString()


def collector_process(home, address, overrides):
    """Serve until terminated, as `runmill collect` does."""

    async def serve():
        settings = config.load(config.DEFAULT_FILE, overrides=overrides, environment={"RUNMILL_HOME": home})
        with_store = store.open(f"{home}/store")
        collector = pipeline.build(settings, Settings(open_store=lambda _: with_store))
        await collector.start()
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        address.send(collector.endpoints)
        await stop.wait()
        await collector.shutdown()
        facts = with_store.facts()
        address.send(facts.log_count + facts.point_count)
        with_store.close()

    asyncio.run(serve())


BODIES = {"logs": request_body, "metrics": points_body}


@contextlib.contextmanager
def http_sender(endpoints, signal):
    connection = http.client.HTTPConnection(endpoints["otlp"])

    def send(body):
        connection.request("POST", f"/v1/{signal}", body, {"Content-Type": CONTENT_TYPE})
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status

    yield send
    connection.close()


@contextlib.contextmanager
def grpc_sender(endpoints, signal):
    # A channel of its own for each, or all would share one connection.
    with grpc.insecure_channel(endpoints["otlp.grpc"], [("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel.unary_unary(METHODS[signal])


SENDERS = {"http": http_sender, "grpc": grpc_sender}


def send(sender, body, request_count, latencies):
    with sender as send_one:
        for _ in range(request_count):
            start = time.perf_counter()
            send_one(body)
            latencies.append(time.perf_counter() - start)


def load(sender, body, *, request_count, connection_count):
    """Send *request_count* requests over as many connections, each one that *sender* makes."""
    latencies = []
    each = max(1, request_count // connection_count)
    senders = [threading.Thread(target=send, args=(sender(), body, each, latencies)) for _ in range(connection_count)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    return sorted(latencies)


def measure(given, home):
    """Start a collector on *home*, send the load, stop it, and give the figures."""
    overrides = {f"receivers.otlp.protocols.{protocol}.endpoint": "127.0.0.1:0" for protocol in ("http", "grpc")}
    overrides |= dict(pair.split("=", 1) for pair in given.set)
    body = BODIES[given.signal](given.records)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=collector_process, args=(home, theirs, overrides))
    process.start()
    theirs.close()  # so that a server that cannot start ends the wait below
    sender = functools.partial(SENDERS[given.protocol], ours.recv(), given.signal)
    load(sender, body, request_count=WARM_UP, connection_count=1)  # imports, caches, the first pages of the file
    server = psutil.Process(process.pid)
    before, start = server.cpu_times(), time.perf_counter()
    latencies = load(sender, body, request_count=given.requests, connection_count=given.connections)
    seconds, after = time.perf_counter() - start, server.cpu_times()
    rss_bytes = server.memory_info().rss
    process.terminate()
    stored = ours.recv()
    process.join()
    sent = len(latencies) * given.records
    assert stored == sent + WARM_UP * given.records, (stored, sent)
    cpu_seconds = after.user + after.system - before.user - before.system
    size_bytes = sum(file.stat().st_size for file in Path(home).rglob("*") if file.is_file())
    return {
        "protocol": given.protocol,
        "signal": given.signal,
        "records": sent,
        "connections": given.connections,
        "records_per_request": given.records,
        "request_bytes": len(body),
        "seconds": round(seconds, 3),
        "records_per_second": round(sent / seconds),
        "server_cpu_seconds": round(cpu_seconds, 3),
        "records_per_cpu_second": round(sent / cpu_seconds),
        "latency_p50_ms": round(1000 * latencies[len(latencies) // 2], 1),
        "latency_p99_ms": round(1000 * latencies[int(len(latencies) * 0.99)], 1),
        "server_rss_mib": round(rss_bytes / 2**20),
        "stored_bytes_per_record": round(size_bytes / stored, 1),
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="in all, over the connections")
    parser.add_argument("--records", type=int, default=1000, help="in each request")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--protocol", choices=SENDERS, default="http")
    parser.add_argument("--signal", choices=BODIES, default="logs")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change the default pipeline")
    with tempfile.TemporaryDirectory() as home:
        print(json.dumps(measure(parser.parse_args(), home)))


if __name__ == "__main__":
    main()
