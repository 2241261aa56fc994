"""How fast the embedded run store takes records in, how small it keeps them, and how fast it finds them.

Run by hand: ``python benchmarks/store.py [--logs 50000000] [--points 20000000] [--memory-limit 1GB] [--keep FOLDER]``.
Unless told, it stores 2 million log records of 200 runs and 4 million metric points (one series of a million).
``--measure FOLDER`` asks a home once more that ``--keep`` filled. Times are the best and the median of nine (or of
three, where they take long), on whatever else the machine does; what goes over HTTP is asked of a `runmill serve` of
its own. Memory is the most that this process had, Python and the rows it makes up included.
"""

import argparse
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path

from store_reads import care, forget_peak, over_http, peak_bytes, queries
from store_rows import AT_A_TIME, LONG_RUN, METRICS, RUNS, batches, delivery, log_batch, point_batch, started

from runmill import store as stores
from runmill.home import Home
from runmill.store.interface import Delivery, Store

MILLION = 1_000_000


def ingest(store: Store, name: str, deliveries: Iterator[Delivery], count: int) -> None:
    """Time the appends and what brings the last of them from the log into the tables, not the making of rows."""
    wall = cpu = 0.0
    before = store.facts().size_bytes
    forget_peak()
    for work in chain((partial(store.append, [each]) for each in deliveries), [store.compact]):
        began, cpu_began = time.perf_counter(), time.process_time()
        work()
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - cpu_began
    rate = f"{count / wall:>12,.0f} /s {cpu / count * 1e6:>8.2f} us CPU each"
    size = f"{(store.facts().size_bytes - before) / count:>8.1f} bytes each {peak_bytes() / 1e6:>6.0f} MB"
    print(f"{name:<44}{rate} {size}", flush=True)


def small_commits(store: Store, after: int) -> None:
    times = []
    rng = random.Random(7)
    for n in range(60):
        each = delivery(logs=log_batch(after + n * 200, 200, rng, of=after))
        began = time.perf_counter()
        store.append([each])
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    print(f"{'commit of 200 records':<44}{times[30]:>9.1f} ms p50 {times[-1]:>8.1f} ms at most")


def groups(count: int) -> Iterator[Delivery]:
    """Points of all runs: five runs at a time, 20 metrics each."""
    for first in range(0, len(RUNS), AT_A_TIME):
        make = partial(point_batch, runs=RUNS[first : first + AT_A_TIME], metrics=METRICS)
        yield from batches("points", count * AT_A_TIME // len(RUNS), make)


def sweep(store: Store) -> None:
    """Store 300 runs below one, 10 metrics of 20 points each."""
    runs = [f"trial-{n:04d}" for n in range(300)]
    store.append([started(runs, experiment="sweeps", parent="sweep")])
    for each in batches("points", len(runs) * 200, partial(point_batch, runs=runs, metrics=10)):
        store.append([each])


def fill(store: Store, logs: int, points: int) -> None:
    store.append([started(RUNS, experiment="training")])
    ingest(store, f"{logs:,} log records", batches("logs", logs, partial(log_batch, of=logs)), logs)
    of_runs = max(0, points - MILLION)
    ingest(store, f"{of_runs:,} points of {len(RUNS)} runs, {METRICS} metrics", groups(of_runs), of_runs)
    for name, run, metrics, count in (
        ("points of one series", LONG_RUN, 1, MILLION),
        ("points of another", "points-100k", 1, 100_000),
        ("points of 20 metrics", "points-20x5k", 20, 100_000),
    ):
        make = partial(point_batch, runs=[run], metrics=metrics)
        ingest(store, f"{count:,} {name}", batches("points", count, make), count)
    sweep(store)
    small_commits(store, logs)


def reopened(home: Home, memory_limit: str) -> Store:
    forget_peak()
    began, cpu_began = time.perf_counter(), time.process_time()
    store = stores.open(home.store, memory_limit=memory_limit)
    facts = store.facts()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    print(f"{'opening it again':<48}{wall * 1e3:>8.1f} ms {cpu * 1e3:>8.1f} ms CPU {peak_bytes() / 1e6:>6.0f} MB")
    print(f"{'size':<48}{facts.size_bytes / 1e6:>8.1f} MB, {facts.log_count:,} logs, {facts.point_count:,} points")
    return store


def wanted() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=2 * MILLION)
    parser.add_argument("--points", type=int, default=4 * MILLION)
    parser.add_argument("--memory-limit", default="512MB", help="what the engine may hold")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--keep", type=Path, metavar="FOLDER", help="fill a home here, and leave it")
    place.add_argument("--measure", type=Path, metavar="FOLDER", help="fill nothing: ask the home that is here")
    return parser.parse_args()


def main() -> None:
    asked = wanted()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()}")
    print(f"memory_limit {asked.memory_limit}")
    with ExitStack() as stack:
        home = Home(asked.measure or asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if not asked.measure:
            store = stores.open(home.store, memory_limit=asked.memory_limit)
            fill(store, asked.logs, asked.points)
            store.close()
        store = reopened(home, asked.memory_limit)
        queries(store)
        care(store)
        store.close()
        over_http(home)
    print(f"load {os.getloadavg()}")


if __name__ == "__main__":
    main()
