"""How fast the embedded run store takes records in, how small it keeps them, and how fast it finds them.

Run by hand: ``python benchmarks/store.py [--scale 0.1]``. At scale 1 it stores 2 million log records of 50 runs and 4
million metric points (one series of a million); times are the best of five, on whatever else the machine does.
"""

import argparse
import random
import resource as process_resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from runmill import store as stores
from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.store.interface import Delivery, Store
from runmill.store.query import LogQuery, SeriesQuery

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
    """Only the appends are timed, not the making of rows."""
    wall = cpu = 0.0
    before = store.facts().size_bytes
    for each in deliveries:
        began, cpu_began = time.perf_counter(), time.process_time()
        store.append([each])
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


def measure(name: str, query: Callable[[], object]) -> None:
    times = []
    for _ in range(5):
        began, cpu_began = time.perf_counter(), time.process_time()
        query()
        times.append((time.perf_counter() - began, time.process_time() - cpu_began))
    wall, cpu = min(times)
    print(f"{name:<44}{wall * 1e3:>9.1f} ms {cpu * 1e3:>9.1f} ms CPU")


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
    measure("about 100,000 points of one metric", lambda: store.points("points-100k", metric="metric-0"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    scale = parser.parse_args().scale
    logs, points, longest = int(2_000_000 * scale), int(3_000_000 * scale), int(1_000_000 * scale)
    with tempfile.TemporaryDirectory() as folder:
        store = stores.open(Path(folder) / "store")
        ingest(store, f"{logs:,} log records", batches("logs", logs, log_batch), logs)
        for name, runs, metrics, count in (
            ("points of 50 runs, 20 metrics", RUNS, 20, points),
            ("points of one series", ["long-run"], 1, longest),
            ("points of another", ["points-100k"], 1, 100_000),
        ):

            def make(first: int, size: int, rng: random.Random, runs=runs, metrics=metrics) -> pa.Table:
                return point_batch(first, size, rng, runs=runs, metrics=metrics)

            ingest(store, f"{count:,} {name}", batches("points", count, make), count)
        small_commits(store)
        store.close()
        began = time.perf_counter()
        store = stores.open(Path(folder) / "store")
        facts = store.facts()
        print(f"{'opening it again':<44}{(time.perf_counter() - began) * 1e3:>9.1f} ms")
        print(f"{'size':<44}{facts.size_bytes / 1e6:>9.1f} MB")
        queries(store, "long-run")
        store.close()
    largest = process_resource.getrusage(process_resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{'largest memory of the process':<44}{largest:>9.0f} MB")


if __name__ == "__main__":
    main()
