"""Rows to fill a run store with: 200 runs, five at a time, as a cluster writes them; the same rows every time."""

import random
from collections.abc import Callable, Iterator

import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.store.interface import Delivery

START = 1_700_000_000 * 10**9
RUNS = [f"{random.Random(n).getrandbits(64):016x}" for n in range(200)]
AT_A_TIME = 5
METRICS = 20
BATCH = 50_000
LONG_RUN = "long-run"
LONG_RUN_EVERY = 100
"""A run that goes on beside all others has every hundredth record."""
LOGGERS = [
    "train", "train.loop", "train.optimizer", "train.scheduler", "train.amp", "data.loader", "data.cache",
    "data.augment", "model.encoder", "model.decoder", "checkpoint", "checkpoint.upload", "eval", "eval.metrics",
    "dist.nccl", "dist.elastic", "httpx", "urllib3.connectionpool", "botocore.credentials", "torch.distributed",
]  # fmt: skip
LEVELS = ((5, "DEBUG"), *[(9, "INFO")] * 5, (13, "WARNING"), (17, "ERROR"))
RARE = "device-side assert triggered"
RARE_EVERY = 500_009
"""So seldom is the rare text."""
SAYINGS = [
    "step {n} of 100000: loss {a:.5f}, lr {b:.5f}, {k} samples/s",
    "epoch {n} done: grad norm {a:.3f}, skipped {k} of 8192 micro-batches",
    "read shard-{k:05d}.tar from s3://corpus/v3 in {b:.3f} s",
    'HTTP Request: PUT https://storage.internal/ckpt/{bits:012x} "HTTP/1.1 200 OK"',
    "cache miss for sample {bits}: fetched {k} kB in {a:.4f} s",
    "all_reduce of {k} MB over 8 ranks took {a:.4f} s on stream 7",
    "validation: accuracy {a:.4f}, f1 {b:.4f} after {n} steps",
    "retrying connection to node-{k}:29500, attempt 2 of 5",
    "gpu 3: {k} MHz, {b:.3f} of 80 GiB in use",
]
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


def batches(kind: str, count: int, make: Callable[[int, int, random.Random], pa.Table]) -> Iterator[Delivery]:
    rng = random.Random(7)
    for first in range(0, count, BATCH):
        yield delivery(**{kind: make(first, min(BATCH, count - first), rng)})


def at_work(first: int, of: int) -> list[str]:
    """Say which runs are at work when *first* of so many rows come: five after five, each at work once."""
    place = first * (len(RUNS) // AT_A_TIME) // of * AT_A_TIME
    return RUNS[place : place + AT_A_TIME]


def log_batch(first: int, size: int, rng: random.Random, *, of: int = 2_000_000) -> pa.Table:
    """Some of *of* log records: what came after them is the last runs' as well."""
    side_by_side = at_work(min(first, of - 1), of)
    runs = [LONG_RUN if n % LONG_RUN_EVERY == 0 else side_by_side[n % AT_A_TIME] for n in range(size)]
    times = [START + (first + n) * 1_000_003 for n in range(size)]
    levels = rng.choices(LEVELS, k=size)
    return table(
        LOGS,
        size,
        time_unix_nano=times,
        observed_time_unix_nano=[time + 999 for time in times],
        severity_number=[number for number, _ in levels],
        severity_text=[text for _, text in levels],
        logger=rng.choices(LOGGERS, k=size),
        body=[_body(first + n, rng) for n in range(size)],
        body_is_json=False,
        attributes=[
            f'{{"code.file.path":"/app/train.py","code.line.number":{n % 40 + 100},"thread.name":"MainThread",'
            f'"phase":"{"eval" if n % 7 == 0 else "fit"}","batch":{first + n},"loss":{rng.random():.5f}}}'
            for n in range(size)
        ],
        event_name="",
        dropped_attributes_count=0,
        run_id=runs,
        service="train.py",
        rank=[n // AT_A_TIME % 8 for n in range(size)],
        resource_id=[f"resource of {run}" for run in runs],
    )  # fmt: skip


def _body(n: int, rng: random.Random) -> str:
    if n % RARE_EVERY == RARE_EVERY - 1:
        return f"CUDA error: {RARE} in kernel {n}"
    saying = SAYINGS[int(rng.random() * len(SAYINGS))]
    return saying.format(n=n, a=rng.random(), b=rng.random(), k=int(rng.random() * 8192), bits=rng.getrandbits(48))


def point_batch(first: int, size: int, rng: random.Random, *, runs: list[str], metrics: int) -> pa.Table:
    """Points of *runs* that go on side by side, every metric a step after the other."""
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


def started(runs: list[str], *, experiment: str, parent: str | None = None) -> Delivery:
    """The first event of each of *runs*, and of their *parent*."""
    bodies = ["{}"] * (parent is not None)
    for n in range(len(runs)):
        said = f'"parent_id":"{parent}"' if parent else f'"tags":{{"team":"vision-{n % 4}"}}'
        bodies.append(f'{{"experiment":"{experiment}",{said}}}')
    ids = [parent, *runs] if parent else runs
    events = table(
        EVENTS,
        len(ids),
        run_id=ids,
        time_unix_nano=[START + n for n in range(len(ids))],
        name="run.started",
        body=bodies,
        resource_id="resource",
    )
    return delivery(events=events)
