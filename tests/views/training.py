"""Runs like those people have: noisy curves, several loggers, warnings, a traceback, files."""

import hashlib
import itertools
import math
import random
import struct
import time
import zlib
from dataclasses import replace

from memory_store import MemoryStore

from runmill.model import Artifact, LogRecord, MetricPoint, Run, RunEvent, RunId

SECOND = 1_000_000_000
START = time.time_ns() - 1_500 * SECOND
CURSORS = itertools.count(1)

TRACEBACK = """Traceback (most recent call last):
  File "/home/ada/train/loop.py", line 88, in fit
    batch = next(batches)
  File "/home/ada/train/data.py", line 31, in __next__
    raise ShardError(f"shard {self.index} is truncated at byte {self.offset}")
ShardError: shard 17 is truncated at byte 1048576"""


def run(run_id: str, **changes) -> Run:
    whole = Run(
        run_id=RunId(run_id), experiment="resnet-cifar", name="calm_otter_3", display_name="calm_otter_3", number=1,
        status="Running", start_time_unix_nano=START, end_time_unix_nano=None, host="gpu-04", user="ada",
        tags={"optimizer": "adamw", "baseline": None}, properties={"git.commit": "4f2c91d", "python": "3.11.7"},
        service="train.py", last_seen_unix_nano=START,
    )  # fmt: skip
    return replace(whole, **changes)


def record(
    run_id: str | None, body, *, level: int = 9, logger: str = "train", at: float = 0.0, **attributes
) -> LogRecord:
    words = {5: "DEBUG", 9: "INFO", 13: "WARNING", 17: "ERROR", 21: "CRITICAL"}
    moment = START + round(at * SECOND)
    return LogRecord(
        cursor=next(CURSORS), time_unix_nano=moment, observed_time_unix_nano=moment, severity_number=level,
        severity_text=words.get(level, ""), logger=logger, body=body,
        attributes={key.replace("__", "."): value for key, value in attributes.items()}, event_name="",
        trace_id=None, span_id=None, run_id=None if run_id is None else RunId(run_id),
        service="train.py" if run_id else "api", stream=None, rank=None, resource_id="r1",
    )  # fmt: skip


def scalar(run_id: str, metric: str, value, *, index: int, step: int | None = None, kind="scalar", column=None):
    moment = START + index * SECOND
    return RunId(run_id), MetricPoint(metric, kind, column, index, step, moment, value, {}, None)


def fill(store: MemoryStore, run_id: str, *, steps: int = 600, seed: int = 7, **changes) -> None:
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
    store.commit(run=run(run_id, **changes), points=points, logs=lines(run_id), events=events(run_id))
    add_file(store, run_id, "outputs/model.pt", b"\x00" * 48_213, "application/octet-stream")
    add_file(store, run_id, "outputs/config.json", b'{"lr": 0.0003}', "application/json")
    add_file(store, run_id, "figures/samples.png", png(), "image/png")


def lines(run_id: str) -> list[LogRecord]:
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


def events(run_id: str) -> list[RunEvent]:
    return [
        RunEvent(RunId(run_id), START, "run.started", {"experiment": "resnet-cifar", "status": "Running"}),
        RunEvent(RunId(run_id), START + 2 * SECOND, "run.updated", {"tags": {"optimizer": "adamw"}}),
    ]


def add_file(store: MemoryStore, run_id: str, path: str, content: bytes, media_type: str) -> Artifact:
    sha256 = hashlib.sha256(content).hexdigest()
    store.put_artifact_bytes(sha256, [content])
    artifact = Artifact(RunId(run_id), path, len(content), media_type, sha256, START + 60 * SECOND)
    store.commit(artifacts=[artifact])
    return artifact


def png(size: int = 64) -> bytes:
    """A small picture of a gradient."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes(v for x in range(size) for v in (x * 4, y * 4, 160)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
