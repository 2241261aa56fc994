"""How fast the embedded run store takes records in, how small it keeps them, and how fast it finds them.

Run by hand: ``python benchmarks/store.py [--logs 10000000] [--points 0.1]``. Unless told, it stores 2 million log
records of 50 runs and 4 million metric points (one series of a million). Times are the best and the median of nine, on
whatever else the machine does; what goes over HTTP is asked of a `runmill serve` of its own.
"""

import argparse
import os
import platform
import random
import resource as process_resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

import psutil
import pyarrow as pa

from runmill import store as stores
from runmill.app.runs.client import Client
from runmill.app.runs.shapes import old_shapes
from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.home import Home
from runmill.store.interface import Delivery, Store
from runmill.store.query import LogQuery, PointQuery, SeriesQuery
from runmill.store.search import parse

START = 1_700_000_000 * 10**9
RUNS = [f"{random.Random(n).getrandbits(64):016x}" for n in range(50)]
BATCH = 50_000
EMPTY = {
    "logs": LOGS.empty_table(),
    "points": POINTS.empty_table(),
    "events": EVENTS.empty_table(),
    "artifacts": ARTIFACTS.empty_table(),
    "resources": RESOURCES.empty_table(),
}


def delivery(**tables: pa.Table) -> Delivery:
    return Delivery(Columns(**(EMPTY | tables)))


def table(schema: pa.Schema, rows: int, **columns: list | object) -> pa.Table:
    """Columns by name; one value stands for a column of it."""
    values = {name: columns.get(name) for name in schema.names}
    return pa.table({n: v if isinstance(v, list) else [v] * rows for n, v in values.items()}, schema=schema)


def log_batch(first: int, size: int, rng: random.Random) -> pa.Table:
    runs = [RUNS[first // 200_000 * 5 % 50 + n % 5] for n in range(size)]  # five runs at a time
    return table(
        LOGS,
        size,
        time_unix_nano=[START + (first + n) * 1_000_003 for n in range(size)],
        observed_time_unix_nano=[START + (first + n) * 1_000_003 + 999 for n in range(size)],
        severity_number=[rng.choice((5, 9, 9, 9, 13, 17)) for _ in range(size)],
        severity_text="INFO",
        logger=[rng.choice(("train", "train.loop", "data.loader", "checkpoint")) for _ in range(size)],
        body=[
            f"step {first + n} of 100000: loss {rng.random():.5f}, lr 0.001, {rng.randrange(900, 999)} samples/s"
            for n in range(size)
        ],
        body_is_json=False,
        attributes=[
            f'{{"code.file.path":"/app/train.py","code.line.number":{n % 40 + 100},"thread.name":"MainThread",'
            f'"epoch":{n // 1000},"phase":"{"eval" if n % 7 == 0 else "fit"}","batch":{first + n}}}'
            for n in range(size)
        ],
        event_name="",
        dropped_attributes_count=0,
        run_id=runs,
        service="train.py",
        resource_id=[f"resource of {run}" for run in runs],
    )  # fmt: skip


def point_batch(first: int, size: int, rng: random.Random, *, runs: list[str], metrics: int) -> pa.Table:
    series = len(runs) * metrics
    steps = [(first + n) // series for n in range(size)]
    return table(
        POINTS,
        size,
        run_id=[runs[(first + n) // metrics % len(runs)] for n in range(size)],
        metric=[f"metric-{(first + n) % metrics}" for n in range(size)],
        kind="scalar",
        index=steps,
        step=steps,
        time_unix_nano=[START + (first + n) * 10_000 for n in range(size)],
        value=[rng.random() for _ in range(size)],
        attributes="{}",
        unit="",
        description="",
        scope="",
        service="train.py",
        resource_id="resource",
    )


def batches(kind: str, count: int, make: Callable[[int, int, random.Random], pa.Table]) -> Iterator[Delivery]:
    rng = random.Random(7)
    for first in range(0, count, BATCH):
        yield delivery(**{kind: make(first, min(BATCH, count - first), rng)})


def ingest(store: Store, name: str, deliveries: Iterator[Delivery], count: int) -> None:
    """Time the appends and what brings the last of them from the log into the tables, not the making of rows."""
    wall = cpu = 0.0
    before = store.facts().size_bytes
    for work in chain((partial(store.append, [each]) for each in deliveries), [store.compact]):
        began, cpu_began = time.perf_counter(), time.process_time()
        work()
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - cpu_began
    rate = f"{count / wall:>12,.0f} /s {cpu / count * 1e6:>8.2f} us CPU each"
    print(f"{name:<44}{rate} {(store.facts().size_bytes - before) / count:>8.1f} bytes each")


def small_commits(store: Store) -> None:
    times = []
    rng = random.Random(7)
    for n in range(60):
        each = delivery(logs=log_batch(10_000_000 + n * 200, 200, rng))
        began = time.perf_counter()
        store.append([each])
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    print(f"{'commit of 200 records':<44}{times[30]:>9.1f} ms p50 {times[-1]:>8.1f} ms at most")


def measure(name: str, query: Callable[[], object], *, server: psutil.Process | None = None) -> None:
    """Time *query*; its CPU is this process's, and the *server*'s where it asks one (in steps of 10 ms there)."""

    def used() -> float:
        return time.process_time() + (sum(server.cpu_times()[:2]) if server else 0.0)

    walls, cpus = [], []
    for _ in range(9):
        began, cpu_began = time.perf_counter(), used()
        query()
        walls.append((time.perf_counter() - began) * 1e3)
        cpus.append((used() - cpu_began) * 1e3)
    print(f"{name:<48}{min(walls):>8.1f} ms {statistics.median(walls):>8.1f} ms {statistics.median(cpus):>8.1f} ms CPU")


def queries(store: Store, long_run: str) -> None:
    run = RUNS[7]
    middle = store.logs(LogQuery(run_id=run)).first
    measure("last 200 records of a run", lambda: store.logs(LogQuery(run_id=run)))
    measure("200 before a cursor", lambda: store.logs(LogQuery(run_id=run, before=middle)))
    measure("last 200 records of all", lambda: store.logs(LogQuery()))
    measure("200 warnings of a run", lambda: store.logs(LogQuery(run_id=run, min_severity=13)))
    measure("what a live reader missed (nothing)", lambda: store.logs(LogQuery(run_id=run, committed_after=2**62)))
    measure("rare text in a run", lambda: store.logs(LogQuery(run_id=run, text="99999: LOSS")))
    measure("rare text in all", lambda: store.logs(LogQuery(text="99999: LOSS")))
    measure("counts of a run in 60 slices", lambda: store.log_counts(LogQuery(run_id=run), slices=60))
    measure("the longest series to 1,000 buckets", lambda: store.series(SeriesQuery(long_run, "metric-0")))
    measure("summaries of 20 metrics of 50 runs", lambda: store.metrics(RUNS))
    measure("100,000 points of one metric", lambda: store.points(PointQuery(("points-100k",), "metric-0")))
    attribute = parse("phase:eval level>=error")
    measure("an attribute and a level, in a run", lambda: store.logs(LogQuery(run_id=run, where=attribute)))
    measure("an attribute and a level, in all", lambda: store.logs(LogQuery(where=attribute)))


@contextmanager
def served(home: Home) -> Iterator[tuple[Client, psutil.Process]]:
    """Serve the home in a process of its own; give a client and the process."""
    command = [sys.executable, "-m", "runmill", "serve", "--home", str(home.path), "--endpoint", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while (server := home.find_server()) is None or server.pid != process.pid:
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        yield Client(server), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def memory(name: str, pid: int) -> None:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    figures = ", ".join(f"{key} {kilobytes[key] / 1e3:.0f}" for key in ("Rss", "Pss", "Anonymous"))
    print(f"{name:<48}{figures} MB")


def over_http(home: Home) -> None:
    def get_metrics(client: Client, run: str, **options: bool) -> object:
        return old_shapes(client.values(run, **options), lambda _, point: point.value)

    with served(home) as (client, server):

        def measure_metrics(name: str, run: str, **options: bool) -> None:
            measure(f"get_metrics of {name}", lambda: get_metrics(client, run, **options), server=server)

        memory("a server at its start", server.pid)
        measure_metrics("100,000 points of one metric", "points-100k")
        measure_metrics("100,000 points of 20 metrics", "points-20x5k")
        measure_metrics("300 runs below a run", "sweep", recursive=True)
        memory("the server after these", server.pid)


def sweep(store: Store) -> None:
    """Store 300 runs below one, 10 metrics of 20 points each."""
    runs = [f"trial-{n:04d}" for n in range(300)]
    bodies = ["{}", *['{"parent_id":"sweep"}'] * len(runs)]
    events = table(
        EVENTS,
        len(bodies),
        run_id=["sweep", *runs],
        time_unix_nano=START,
        name="run.started",
        body=bodies,
        resource_id="resource",
    )
    store.append([delivery(events=events)])
    points = len(runs) * 200
    for each in batches(
        "points", points, lambda first, size, rng: point_batch(first, size, rng, runs=runs, metrics=10)
    ):
        store.append([each])


def fill(store: Store, logs: int, points: float) -> None:
    ingest(store, f"{logs:,} log records", batches("logs", logs, log_batch), logs)
    for name, runs, metrics, count in (
        ("points of 50 runs, 20 metrics", RUNS, 20, int(3_000_000 * points)),
        ("points of one series", ["long-run"], 1, int(1_000_000 * points)),
        ("points of another", ["points-100k"], 1, 100_000),
        ("points of 20 metrics", ["points-20x5k"], 20, 100_000),
    ):

        def make(first: int, size: int, rng: random.Random, runs=runs, metrics=metrics) -> pa.Table:
            return point_batch(first, size, rng, runs=runs, metrics=metrics)

        ingest(store, f"{count:,} {name}", batches("points", count, make), count)
    sweep(store)
    small_commits(store)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=2_000_000)
    parser.add_argument("--points", type=float, default=1.0, help="a part of the 4 million")
    wanted = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()}")
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        store = stores.open(home.store)
        fill(store, wanted.logs, wanted.points)
        store.close()
        began = time.perf_counter()
        store = stores.open(home.store)
        facts = store.facts()
        print(f"{'opening it again':<48}{(time.perf_counter() - began) * 1e3:>8.1f} ms")
        print(f"{'size':<48}{facts.size_bytes / 1e6:>8.1f} MB")
        queries(store, "long-run")
        store.close()
        over_http(home)
    largest = process_resource.getrusage(process_resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{'largest memory of this process':<48}{largest:>8.0f} MB")
    print(f"load {os.getloadavg()}")


if __name__ == "__main__":
    main()
