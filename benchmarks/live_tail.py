"""How long a log call takes to be seen: from the call to its arrival in a reader's event stream.

    python benchmarks/live_tail.py [--records 300]

A real `runmill up` in a process of its own with an empty home, this process logging through `runmill.Handler` at random
moments and reading `/api/v1/logs/stream` as the portal does. Prints the distribution in milliseconds.
"""

import argparse
import http.client
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import runmill
from runmill import home as homes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, server(home) as endpoint:
        milliseconds = sorted(measure(endpoint, home, arguments.records))
    quantiles = statistics.quantiles(milliseconds, n=100)
    print(f"{len(milliseconds)} of {arguments.records} records seen; log call to live tail, ms:")
    print(f"p50 {quantiles[49]:.0f}   p90 {quantiles[89]:.0f}   p99 {quantiles[98]:.0f}   max {milliseconds[-1]:.0f}")


@contextmanager
def server(home: str) -> Iterator[str]:
    """Run the server, and give its address when it is ready."""
    command = [sys.executable, "-m", "runmill", "up", "--home", home, "--endpoint", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while (found := homes.find(home).find_server()) is None:
                time.sleep(0.05)
            yield found.endpoint
        finally:
            process.terminate()


def measure(endpoint: str, home: str, count: int) -> list[float]:
    """Log *count* records at random moments; give what each took to arrive, in milliseconds."""
    seen: list[float] = []
    listening, done = threading.Event(), threading.Event()
    reader = threading.Thread(target=read_stream, args=(endpoint, count, seen, listening, done), daemon=True)
    reader.start()
    listening.wait(10)
    logger = logging.getLogger("latency")
    logger.setLevel(logging.INFO)
    logger.addHandler(runmill.Handler(endpoint=endpoint, home=home))
    moments = random.Random(1)
    for _ in range(count):
        time.sleep(moments.uniform(0.005, 0.12))
        logger.info("%d", time.time_ns())
    done.wait(10)
    return seen


def read_stream(
    endpoint: str, count: int, seen: list[float], listening: threading.Event, done: threading.Event
) -> None:
    """Note the age of each record when its event is read."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    connection.request("GET", "/api/v1/logs/stream")
    response = connection.getresponse()
    listening.set()
    for line in response:
        if line.startswith(b"data: ") and b'"records"' in line:
            now = time.time_ns()
            records = json.loads(line[6:])["records"]
            seen += [(now - int(each["body"])) / 1e6 for each in records if each["logger"] == "latency"]
        if len(seen) >= count:
            done.set()
            return


if __name__ == "__main__":
    os.environ.pop("RUNMILL_ENDPOINT", None)
    main()
