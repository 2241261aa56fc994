"""How long a page takes while a backlog of log records drains into a server, and how long alone.

Starts `runmill up` on a home of its own, sends it prepared requests from another process as fast as it answers, and
asks for the same pages all the while, one after the other, as a person would who waits for each.

    python benchmarks/draining.py [--records 2000000] [--connections 8]
"""

import argparse
import http.client
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from collector import CONTENT_TYPE, request_body
from runmill.home import Home

RECORDS = 1000
PAGES = ("/", "/logs", "/api/v1/logs?limit=200", "/api/v1/runs", "/health")
PAUSE_SECONDS = 0.1


@contextmanager
def served(home: Home) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server; give its address and its process."""
    command = [sys.executable, "-m", "runmill", "up", "--home", str(home.path), "--endpoint", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while (server := home.find_server()) is None or server.pid != process.pid:
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield server.endpoint, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def send(address: str, body: bytes, requests: int) -> None:
    connection = http.client.HTTPConnection(address)
    for _ in range(requests):
        connection.request("POST", "/v1/logs", body, {"Content-Type": CONTENT_TYPE})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    connection.close()


def drain(endpoint: str, records: int, connections: int) -> None:
    """Send the backlog, from a process of its own."""
    each = (urlsplit(endpoint).netloc, request_body(RECORDS), records // RECORDS // connections)
    senders = [threading.Thread(target=send, args=each) for _ in range(connections)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def ask(client: httpx.Client, found: dict[str, list[float]]) -> None:
    """Ask for each page once."""
    for page in PAGES:
        began = time.perf_counter()
        client.get(page).raise_for_status()
        found[page].append(time.perf_counter() - began)
        time.sleep(PAUSE_SECONDS)


def report(name: str, found: dict[str, list[float]]) -> None:
    for page, times in found.items():
        times.sort()
        median, largest = times[len(times) // 2] * 1e3, times[-1] * 1e3
        print(f"{name:<16}{page:<28}{len(times):>4} times {median:>8.0f} ms median {largest:>8.0f} ms at most")


def memory(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 1e6:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rest", type=float, default=8.0, help="seconds after it, before memory is read again")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Home(Path(folder))) as (endpoint, process):
        client = httpx.Client(base_url=endpoint, timeout=60, trust_env=False)
        print(f"load {os.getloadavg()}; memory at the start {memory(process)}")
        sender = multiprocessing.get_context("spawn").Process(
            target=drain, args=(endpoint, wanted.records, wanted.connections)
        )
        during, after = ({page: list[float]() for page in PAGES} for _ in range(2))
        began, used = time.perf_counter(), sum(process.cpu_times()[:2])
        sender.start()
        while sender.is_alive():
            ask(client, during)
        seconds, used = time.perf_counter() - began, sum(process.cpu_times()[:2]) - used
        rate = wanted.records / used
        print(f"{wanted.records:,} records in {seconds:.0f} s, {rate:,.0f} a CPU second, pages included")
        report("while it drains", during)
        for _ in range(5):
            ask(client, after)
        report("then", after)
        busy = memory(process)
        time.sleep(wanted.rest)
        print(f"memory {busy}, after a rest of {wanted.rest:.0f} s {memory(process)}; load {os.getloadavg()}")


if __name__ == "__main__":
    main()
