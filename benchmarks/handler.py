"""What a log call costs the program, and what becomes of the records: runmill beside what people use now.

Everything is measured in fresh child processes, the peers by turns, so that what else the machine does hits all alike:

call    CPU time of the calling thread per call, in chunks of 200; each chunk is paired with one through an empty
        handler in the same process, and the ratio of the two is what counts: it holds on a busy machine
burst   200,000 calls in a tight loop with default settings, then the end of the program: how many arrived, CPU time
        of the whole process per record that did, and the most memory it took
end     3,000 calls, then the end of the program, while the collector refuses or never answers: how long the program
        stays, and what was lost, counted after a collector is back and the next program has run

    python benchmarks/handler.py [--repeats 5] [--burst 200000] [--only empty,runmill]

Peers that are not installed are named and left out. All of them: `pip install opentelemetry-instrumentation-logging
opentelemetry-exporter-otlp-proto-http logfire loguru` beside runmill.
"""

import argparse
import gzip
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from handler_peers import CHUNKS, PEERS, SENDERS
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runmill.testing import ReceivedRequest, RecordingCollector

CHILD = [sys.executable, str(Path(__file__).with_name("handler_peers.py"))]
END_CALLS = 3_000


class Sink(RecordingCollector):
    """Takes everything at once and looks at it only when asked: it shares the machine with what is measured."""

    def __init__(self):
        super().__init__()
        self.taken = []

    def receive(self, request: ReceivedRequest) -> tuple[int, bytes]:
        self.taken.append(request)
        return 200, b""

    def count(self):
        """Give how many log records (for Logfire: spans) came since the last time."""
        taken, self.taken = self.taken, []
        return sum(map(count_records, taken))


def count_records(request):
    body = gzip.decompress(request.body) if "gzip" in request.headers.get("content-encoding", "") else request.body
    if request.path == "/v1/traces":
        traces = ExportTraceServiceRequest.FromString(body)
        return sum(len(scope.spans) for each in traces.resource_spans for scope in each.scope_spans)
    logs = ExportLogsServiceRequest.FromString(body)
    return sum(len(scope.log_records) for each in logs.resource_logs for scope in each.scope_logs)


@dataclass(frozen=True)
class Done:
    said: dict
    cpu_seconds: float
    ended_at: float
    line_count: int
    """In the file it was given."""


def run(name, mode, endpoint, home, count):
    """Run one child to its end."""
    path = f"{home}/{name}.log"
    command = [*CHILD, name, mode, "--endpoint", endpoint, "--path", path, "--count", str(count)]
    environment = {**os.environ, "RUNMILL_HOME": home, "OTEL_SERVICE_NAME": "bench"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode, ended_at = status, time.time()
    process.stdout.close()
    if status:
        raise SystemExit(f"{name} {mode} failed: {' '.join(command)}")
    lines = Path(path).read_bytes().count(b"\n") if Path(path).exists() else 0
    Path(path).unlink(missing_ok=True)
    return Done(json.loads(said), usage.ru_utime + usage.ru_stime, ended_at, lines)


def burst(name, sink, home, count):
    """Give wall time a call, CPU time per record that arrived, the part that was lost, the most memory."""
    done = run(name, "burst", sink.endpoint, home, count)
    arrived = sink.count() if name in SENDERS else done.line_count
    cpu_us = (done.cpu_seconds - done.said["cpu_before"]) / (arrived or count) * 1e6
    lost = 100 * (1 - arrived / count) if name != "empty" else 0.0
    return done.said["wall_us"], cpu_us, lost, done.said["peak_mb"]


def end(name, sink, how, home):
    """Give how long the program stayed after its last call, and how many records no later program could deliver."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if how == "refuses":
            listener.close()
        done = run(name, "end", address, home, END_CALLS)
    run(name, "end", sink.endpoint, home, 0)
    return done.ended_at - done.said["logged_at"], END_CALLS - sink.count()


def installed(names):
    """Keep the peers that can be made here; name the others."""
    for name in names:
        command = [*CHILD, name, "end", "--endpoint", "http://127.0.0.1:9", "--path", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"left out: {name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        else:
            yield name


def medians(rows):
    """Give the median of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def call_table(names, sink, home, repeats):
    rows = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            said = run(name, "call", sink.endpoint, home, 0).said
            rows[name].append([figure for kind in CHUNKS for figure in said[kind]])
            sink.count()
    print("| a call in the calling thread | plain µs | x empty | 5 extras µs | x empty | exception µs | x empty |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in names:
        print(f"| {name} | {' | '.join(f'{figure:.2f}' for figure in medians(rows[name]))} |")


def burst_table(names, sink, home, repeats, count):
    rows = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            rows[name].append(burst(name, sink, home, count))
    print(f"\n| burst of {count:,} | wall µs a call | CPU µs per delivered record | lost % | peak MB |")
    print("|---|---:|---:|---:|---:|")
    for name in names:
        wall_us, cpu_us, lost, peak_mb = medians(rows[name])
        print(f"| {name} | {wall_us:.1f} | {cpu_us:.1f} | {lost:.1f} | {peak_mb:.0f} |")


def end_table(names, sink, home):
    print(f"\n| end of a program after {END_CALLS:,} calls | refuses: s | lost | never answers: s | lost |")
    print("|---|---:|---:|---:|---:|")
    for name in names:
        cells = [
            f"{seconds:.1f} | {lost}" for seconds, lost in (end(name, sink, how, home) for how in ("refuses", "hangs"))
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def machine():
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = cpu.partition("model name")[2].partition("\n")[0].strip("\t :") or "?"
    load = os.getloadavg()[0]
    return (
        f"{platform.platform()}, {os.cpu_count()} x {model}, Python {platform.python_version()}, load {load:.1f} before"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--burst", type=int, default=200_000)
    parser.add_argument("--only", help="names of peers, with commas between")
    given = parser.parse_args()
    names = list(installed(given.only.split(",") if given.only else PEERS))
    print(machine() + "\n")
    with tempfile.TemporaryDirectory() as home, Sink() as sink:
        call_table(names, sink, home, given.repeats)
        burst_table(names, sink, home, given.repeats, given.burst)
        end_table([name for name in names if name in SENDERS], sink, home)


if __name__ == "__main__":
    main()
