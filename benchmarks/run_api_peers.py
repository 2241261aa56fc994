"""The trackers that `run_api.py` compares, and what it measures of each in a process of its own.

    python benchmarks/run_api_peers.py PEER call|points|read|sweep --count 10000 --folder FOLDER

Prints one JSON object. Runs in the environment where the peer is installed: nothing of runmill is imported for others.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Each child imports what its own tracker needs, and nothing of the others'.
# ruff: noqa: PLC0415

WARM_UP = 50


@dataclass(frozen=True)
class Peer:
    """One run of a tracker: log a value, end the run, and read it back where the tracker can."""

    log: Callable[[str, float, int], object]
    end: Callable[[], object]
    read: Callable[[], int] | None = None
    """Gives how many values there are."""
    write_many: Callable[[int], object] | None = None
    """Logs that many values in the fastest way there is."""


def runmill_peer(_folder):
    from runmill import Experiment, Workspace

    run = Experiment(Workspace.from_config(), "bench").start_logging(outputs=False, snapshot_directory=None)

    def write_many(count):
        for step in range(count):
            run.log("loss", step * 0.5, step=step)

    return Peer(
        lambda name, value, step: run.log(name, value, step=step),
        run.complete,
        lambda: len(run.get_metrics()["loss"]),
        write_many,
    )


def mlflow_peer(folder):
    import mlflow
    from mlflow.entities import Metric

    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    run = mlflow.start_run()
    client = mlflow.MlflowClient()

    def write_many(count):
        for first in range(0, count, 1000):
            batch = [Metric("loss", step * 0.5, step, step) for step in range(first, first + 1000)]
            client.log_batch(run.info.run_id, metrics=batch)

    return Peer(
        lambda name, value, step: mlflow.log_metric(name, value, step=step),
        mlflow.end_run,
        lambda: len(client.get_metric_history(run.info.run_id, "loss")),
        write_many,
    )


def wandb_peer(folder):
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=str(folder))
    import wandb

    run = wandb.init(project="bench")
    return Peer(lambda name, value, step: run.log({name: value}, step=step), run.finish)


def trackio_peer(folder):
    os.environ["TRACKIO_DIR"] = str(folder)
    import trackio

    trackio.init(project="bench")
    return Peer(lambda name, value, step: trackio.log({name: value}, step=step), trackio.finish)


def tensorboardx_peer(folder):
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))
    return Peer(writer.add_scalar, writer.close)


PEERS = {
    "runmill": runmill_peer,
    "mlflow": mlflow_peer,
    "wandb_offline": wandb_peer,
    "trackio": trackio_peer,
    "tensorboardx": tensorboardx_peer,
}


def call(peer, count):
    """Give the median and the 99th percentile of one call in a loop, in microseconds."""
    for step in range(WARM_UP):
        peer.log("loss", 0.5, step)
    times = []
    for step in range(WARM_UP, WARM_UP + count):
        start = time.perf_counter_ns()
        peer.log("loss", 0.5, step)
        times.append((time.perf_counter_ns() - start) / 1000)
    peer.end()
    return {"p50_us": statistics.median(times), "p99_us": statistics.quantiles(times, n=100)[98]}


def points(peer, count):
    """Give the seconds from the first of *count* values until the run has ended and, where it can, been read."""
    start = time.perf_counter()
    for step in range(count):
        peer.log("loss", step * 0.5, step)
    logged = time.perf_counter()
    peer.end()
    found = peer.read() if peer.read else None
    return {"logged_s": logged - start, "total_s": time.perf_counter() - start, "found": found}


def read(peer, count):
    """Give the best of five reads of *count* values, in milliseconds."""
    if peer.write_many is None or peer.read is None:
        return {}
    peer.write_many(count)
    assert peer.read() == count
    times = []
    for _ in range(5):
        start = time.perf_counter()
        peer.read()
        times.append((time.perf_counter() - start) * 1000)
    return {"read_ms": min(times)}


def sweep(count):
    """Give the best of five recursive reads of *count* children (3 metrics of 10 values each), in milliseconds."""
    from runmill import Experiment, Workspace

    parent = Experiment(Workspace.from_config(), "sweep").start_logging(outputs=False, snapshot_directory=None)
    for number in range(count):
        child = parent.child_run(f"{number}")
        for step in range(10):
            for name in ("loss", "accuracy", "rate"):
                child.log(name, step * 0.1, step=step)
        # Not `complete`, which waits for each: only the reads are measured.
    assert len(parent.get_metrics(recursive=True)) == count
    times = []
    for _ in range(5):
        start = time.perf_counter()
        parent.get_metrics(recursive=True)
        times.append((time.perf_counter() - start) * 1000)
    return {"read_ms": min(times)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("what", choices=("call", "points", "read", "sweep"))
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.what == "sweep":
        found = sweep(arguments.count)
    else:
        measure = {"call": call, "points": points, "read": read}[arguments.what]
        found = measure(PEERS[arguments.peer](arguments.folder), arguments.count)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
