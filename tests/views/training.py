"""Runs like those people have: noisy curves, several loggers, warnings, a traceback, files; as a store is told them."""

import hashlib
import math
import random
import struct
import time
import zlib
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.store.interface import Delivery, Store

SECOND = 1_000_000_000
START = time.time_ns() - 1_500 * SECOND
RUN = "3f9a1c04-7d52-4b8e-9a61-0c5e2b7d9f10"
FAILED = "b71e60aa-1f0c-4c09-8a77-5d2f6f1e8c33"

Row = dict[str, Any]

TRACEBACK = """Traceback (most recent call last):
  File "/home/ada/train/loop.py", line 88, in fit
    batch = next(batches)
  File "/home/ada/train/data.py", line 31, in __next__
    raise ShardError(f"shard {self.index} is truncated at byte {self.offset}")
ShardError: shard 17 is truncated at byte 1048576"""


def commit(store: Store, **rows: Sequence[Row]) -> None:
    """Commit rows of ``logs``, ``points``, ``events`` and ``artifacts``."""
    schemas = {"logs": LOGS, "points": POINTS, "events": EVENTS, "artifacts": ARTIFACTS, "resources": RESOURCES}
    tables = {name: pa.Table.from_pylist(list(rows.get(name, ())), schema=schema) for name, schema in schemas.items()}
    store.append([Delivery(Columns(**tables))])


def run(run_id: str, *, started_ago: float = 1_500, took: float | None = None, **changes: Any) -> list[Row]:
    """The events of a run: its start, a sign of life, and its end if it *took* so many seconds."""
    started = time.time_ns() - round(started_ago * SECOND)
    body = {
        "status": "Running", "experiment": "resnet-cifar", "name": "calm_otter_3", "display_name": "calm_otter_3",
        "host": "gpu-04", "user": "ada", "tags": {"optimizer": "adamw", "baseline": None},
        "properties": {"git.commit": "4f2c91d", "python": "3.11.7"},
    }  # fmt: skip
    end = {key: changes.pop(key) for key in ("status", "error") if key in changes}
    events = [_event(run_id, started, "run.started", {**body, **changes})]
    if took is not None:
        return [*events, _event(run_id, started + round(took * SECOND), "run.ended", {"status": "Completed", **end})]
    return [*events, _event(run_id, time.time_ns(), "run.heartbeat", {})]


def _event(run_id: str, moment: int, name: str, body: Row) -> Row:
    encoded = orjson.dumps(body).decode()
    return {"run_id": run_id, "time_unix_nano": moment, "name": name, "body": encoded, "resource_id": "r1"}


def record(
    run_id: str | None, body: str, *, level: int = 9, logger: str = "train", at: float = 0.0, **attributes
) -> Row:
    words = {5: "DEBUG", 9: "INFO", 13: "WARNING", 17: "ERROR", 21: "CRITICAL"}
    moment = START + round(at * SECOND)
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return {
        "time_unix_nano": moment, "observed_time_unix_nano": moment, "severity_number": level,
        "severity_text": words.get(level, ""), "logger": logger, "body": body, "body_is_json": False,
        "attributes": orjson.dumps(named).decode(), "event_name": "", "dropped_attributes_count": 0, "run_id": run_id,
        "service": "train.py" if run_id else "api", "resource_id": "r1",
    }  # fmt: skip


def scalar(run_id: str, metric: str, value, *, index: int, step: int | None = None, kind="scalar", column=None) -> Row:
    cell: Row = {"value_json": orjson.dumps(value).decode()}
    if isinstance(value, float):
        cell = {"value": value}
    elif isinstance(value, int) and not isinstance(value, bool):
        cell = {"value": float(value), "value_int": value}
    return {
        "run_id": run_id, "metric": metric, "kind": kind, "column": column, "index": index, "step": step,
        "time_unix_nano": START + (index if step is None else step) * SECOND, "attributes": "{}", "unit": "",
        "description": "", "scope": "", "service": "train.py", "resource_id": "r1", **cell,
    }  # fmt: skip


def fill(store: Store, run_id: str, *, steps: int = 600, seed: int = 7, **changes) -> None:
    """Commit one training run."""
    noise = random.Random(seed)
    points = []
    for step in range(steps):
        decay = math.exp(-step / (steps / 4))
        points.append(
            scalar(run_id, "loss", 2.3 * decay + 0.18 + noise.gauss(0, 0.06 * decay + 0.012), index=step, step=step)
        )
        if step % 10 == 9:
            points.append(
                scalar(run_id, "val_loss", 2.2 * decay + 0.27 + noise.gauss(0, 0.02), index=step // 10, step=step)
            )
            points.append(
                scalar(run_id, "accuracy", 0.93 - 0.8 * decay + noise.gauss(0, 0.006), index=step // 10, step=step)
            )
        points.append(
            scalar(
                run_id, "learning_rate", 3e-4 * (0.5 + 0.5 * math.cos(math.pi * step / steps)), index=step, step=step
            )
        )
        points.append(scalar(run_id, "grad_norm", abs(noise.gauss(1.2, 0.4)) * (0.4 + decay), index=step, step=step))
    for row in range(40):
        recall = row / 39
        points.append(scalar(run_id, "precision_recall", recall, index=row, kind="table", column="recall"))
        points.append(
            scalar(run_id, "precision_recall", 1 - recall**4 * 0.7, index=row, kind="table", column="precision")
        )
        for place, name in enumerate(("conv1", "conv2", "head")):
            value = 1 / (1 + row * (place + 1) / 12) + noise.gauss(0, 0.01)
            points.append(scalar(run_id, "weight norms", value, index=row, kind="row", column=name))
    points.append(scalar(run_id, "parameters", 11_173_962, index=0))
    points.append(scalar(run_id, "best_accuracy", 0.9312345, index=0))
    points.append(scalar(run_id, "device", "NVIDIA A10G", index=0))
    for row, (name, right, seen) in enumerate((("airplane", 912, 1000), ("cat", 804, 1000), ("truck", 951, 1000))):
        for column, value in (("class", name), ("correct", right), ("seen", seen), ("recall", right / seen)):
            points.append(scalar(run_id, "per class", value, index=row, kind="table", column=column))
    commit(store, events=run(run_id, **changes), points=points, logs=lines(run_id))
    add_file(store, run_id, "outputs/model.pt", b"\x00" * 48_213, "application/octet-stream")
    add_file(store, run_id, "outputs/config.json", b'{"lr": 0.0003}', "application/json")
    add_file(store, run_id, "figures/samples.png", png(), "image/png")


def lines(run_id: str) -> list[Row]:
    logged = [
        record(run_id, "seed 7, 2 workers, mixed precision on", logger="train", at=0.02, code__function__name="main"),
        record(run_id, "opening 64 shards", level=5, logger="train.data", at=0.1, path="/data/cifar/shards"),
        record(run_id, "\x1b[32mcudnn.benchmark\x1b[0m = True", level=5, logger="torch.backends", at=0.2),
        record(run_id, "<script>document.title = 'taken'</script> is only text", logger="train.data", at=0.3),
    ]
    for epoch in range(60):
        at = 1.0 + epoch * 23.4
        logged.append(record(run_id, f"epoch {epoch} started", level=5, logger="train.loop", at=at, epoch=epoch))
        logged.append(
            record(
                run_id,
                f"epoch {epoch} loss={2.3 / (epoch + 1):.4f} acc={0.93 - 0.8 / (epoch + 1):.3f}",
                logger="train.loop",
                at=at + 19.2,
                epoch=epoch,
            )
        )
        if epoch % 9 == 4:
            logged.append(
                record(
                    run_id,
                    f"gradient overflow, loss scale halved to {65536 >> epoch // 9}",
                    level=13,
                    logger="torch.amp",
                    at=at + 7.7,
                )
            )
        if epoch % 20 == 13:
            logged.append(
                record(
                    run_id,
                    "checkpoint written",
                    logger="train.checkpoint",
                    at=at + 21,
                    path="outputs/model.pt",
                    size_bytes=48_213,
                )
            )
    logged.append(
        record(
            run_id,
            "batch skipped",
            level=17,
            logger="train.data",
            at=1422,
            exception__type="ShardError",
            exception__stacktrace=TRACEBACK,
            shard=17,
        )
    )
    logged.append(record(run_id, "validation done in 8.42 s", logger="train.loop", at=1431.5, samples=10_000))
    return logged


def add_file(store: Store, run_id: str, path: str, content: bytes, media_type: str) -> str:
    """Keep a file's bytes and say whose it is; give the hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    store.put_artifact_bytes(sha256, [content])
    facts = {"size_bytes": len(content), "media_type": media_type, "sha256": sha256}
    commit(store, artifacts=[{"run_id": run_id, "path": path, "time_unix_nano": START + 60 * SECOND, **facts}])
    return sha256


def png(size: int = 64) -> bytes:
    """A small picture of a gradient."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes(v for x in range(size) for v in (x * 4, y * 4, 160)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def documents(run_id: str) -> list[Row]:
    """One of each of the JSON kinds."""
    counts = [[8, 2, 0], [1, 7, 2], [0, 0, 10]]
    table = [[5, 5, 0, 0], [4, 1, 4, 1], [0, 0, 5, 5]]
    tables = {f"{name}_tables": [table, table] for name in ("probability", "percentile")}
    thresholds = {f"{name}_thresholds": [0.0, 0.5, 1.0] for name in ("probability", "percentile")}
    bins = {"bin_edges": [-1.0, 0.0, 1.0], "bin_counts": [4, 9]}
    logged: tuple[tuple[Any, str, Row], ...] = (
        ("confusion_matrix", "confusion", {"class_labels": ["cat", "deer", "truck"], "matrix": counts}),
        ("accuracy_table", "by class", {"class_labels": ["cat", "truck"], **tables, **thresholds}),
        ("residuals", "errors", bins),
        ("predictions", "price", {**bins, "bin_averages": [-0.4, 0.6], "bin_errors": [0.1, 0.2]}),
        ("residuals", "broken", {"bin_edges": [1], "bin_counts": ["a"]}),
    )
    return [
        scalar(run_id, name, {"schema_type": kind, "schema_version": "1.0.0", "data": data}, index=0, kind=kind)
        for kind, name, data in logged
    ]
