"""How many log records a second of CPU the collector forwards: OTLP/HTTP in, OTLP/HTTP out, nothing decoded.

Each contender is a process of its own between a sender (threads that post one prepared request over and over) and a
backend that counts bytes and answers at once, in a process of its own too. The CPU time is that of the contender alone,
until the backend has everything: all three share the machine.

    python benchmarks/forwarding.py [--requests 200] [--records 1000] [--connections 4] [--rotel PATH-OF-rotel-agent]

Rotel is in the package of that name; it has no queue on disk, so its line compares with "memory".
"""

import argparse
import asyncio
import contextlib
import functools
import json
import multiprocessing
import platform
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httptools
import psutil

from collector import http_sender, load, request_body

CONFIG = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters:
  otlp_http:
    endpoint: {backend}
    compression: {compression}
    sending_queue: {{storage: {storage}, block_on_overflow: true{batch}}}
service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [otlp_http]}}}}}}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
DEADLINE_SECONDS = 60
WARM_UP = 8


class Backend(asyncio.Protocol):
    """Counts requests, and throws them away."""

    def __init__(self, count):
        self.count = count
        self.parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_complete(self):
        with self.count.get_lock():
            self.count.value += 1
        self.transport.write(ANSWER)


def backend_process(address, count):
    async def serve():
        server = await asyncio.get_running_loop().create_server(lambda: Backend(count), "127.0.0.1", 0)
        address.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def runmill(port, backend, folder, *, compression, storage, batch=""):
    file = Path(folder) / "config.yaml"
    file.write_text(CONFIG.format(port=port, backend=backend, compression=compression, storage=storage, batch=batch))
    return [sys.executable, "-m", "runmill", "collect", "--config", str(file), "--home", folder]


def rotel(port, backend, folder, *, compression, agent):
    return [
        agent, "start", "--pid-file", f"{folder}/rotel.pid", "--exporter", "otlp",
        "--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}",
        "--otlp-exporter-endpoint", backend, "--otlp-exporter-protocol", "http",
        "--otlp-exporter-compression", compression,
    ]  # fmt: skip


def contenders(given):
    for compression in ("none", "gzip"):
        for storage in ("memory", "file_storage"):
            yield (
                f"runmill, {storage}, {compression}",
                functools.partial(runmill, compression=compression, storage=storage),
            )
        yield (
            f"runmill, file_storage, {compression}, batch",
            functools.partial(runmill, compression=compression, storage="file_storage", batch=", batch: {}"),
        )
        if given.rotel:
            yield f"rotel, {compression}", functools.partial(rotel, compression=compression, agent=given.rotel)


def wait_until(is_so, process):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "too slow"
        assert process.poll() is None, f"ended with {process.returncode}"
        time.sleep(0.01)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def sender(port):
    return functools.partial(http_sender, {"otlp": f"127.0.0.1:{port}"}, "logs")


def measure(given, command, backend, count, body):
    """Start a contender, send the load through it, stop it, and give the figures."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command(port, backend, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: listens(port), process)
            before = count.value
            load(sender(port), body, request_count=WARM_UP, connection_count=1)
            settle(count, before, process)
            return forwarded(given, process, port, count, body)
        finally:
            process.terminate()
            process.wait()


def forwarded(given, process, port, count, body):
    server = psutil.Process(process.pid)
    cpu, start = server.cpu_times(), time.perf_counter()
    arrived = count.value
    load(sender(port), body, request_count=given.requests, connection_count=given.connections)
    seconds = settle(count, arrived, process) - start
    after = server.cpu_times()
    cpu_seconds = after.user + after.system - cpu.user - cpu.system
    records = given.requests // given.connections * given.connections * given.records
    return {
        "records_per_second": round(records / seconds),
        "records_per_cpu_second": round(records / cpu_seconds),
        "requests_out": count.value - arrived,
        "rss_mib": round(server.memory_info().rss / 2**20),
    }


def settle(count, before, process, quiet_seconds=0.5):
    """Say when the last request came, once some have and none does any more: a contender may join requests."""
    wait_until(lambda: count.value > before, process)
    seen, at = count.value, time.perf_counter()
    while time.perf_counter() - at < quiet_seconds:
        time.sleep(0.005)
        if count.value != seen:
            seen, at = count.value, time.perf_counter()
    return at


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="in all, over the connections")
    parser.add_argument("--records", type=int, default=1000, help="in each request")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--only", default="", help="contenders whose name holds this")
    parser.add_argument("--rotel", help="the path of rotel-agent, to run the peer too")
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    count, (ours, theirs) = context.Value("q", 0), context.Pipe()
    backend = context.Process(target=backend_process, args=(theirs, count), daemon=True)
    backend.start()
    url, body = f"http://127.0.0.1:{ours.recv()}", request_body(given.records)
    print(f"{platform.platform()}, {psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}, {len(body)} bytes")
    for name, command in contenders(given):
        if given.only in name:
            print(json.dumps({"contender": name} | measure(given, command, url, count, body)), flush=True)
    backend.terminate()


if __name__ == "__main__":
    main()
