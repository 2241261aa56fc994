"""How fast a store that machines share takes records in, into how many files, and how fast it finds them.

Run by hand: ``python benchmarks/lake.py 'ducklake:postgres:... data_path=s3://...' [--logs 2000000]``, with an empty
catalog and access to the storage in the environment. The records are those of `benchmarks/store.py`; CPU time is that
of this process.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from contextlib import closing

from store_rows import BATCH, RUNS, delivery, log_batch

from runmill import store as stores
from runmill.store.interface import Store
from runmill.store.query import LogQuery

SMALL_COMMITS = 60
SMALL_ROWS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--logs", type=int, default=2_000_000)
    arguments = parser.parse_args()
    rng = random.Random(1)
    with closing(stores.open(arguments.url, memory_limit="1GB")) as store:
        batches = (log_batch(first, BATCH, rng) for first in range(0, arguments.logs, BATCH))
        wall, cpu = zip(*(timed(lambda b=batch: store.append([delivery(logs=b)])) for batch in batches), strict=True)
        print(
            f"ingest: {arguments.logs / sum(cpu):,.0f} records per CPU second, "
            f"{arguments.logs / sum(wall):,.0f} a second"
        )
        print(f"size: {store.facts().size_bytes / arguments.logs:.1f} bytes a record")
        small = [log_batch(arguments.logs + n * SMALL_ROWS, SMALL_ROWS, rng) for n in range(SMALL_COMMITS)]
        wall, cpu = zip(*(timed(lambda b=batch: store.append([delivery(logs=b)])) for batch in small), strict=True)
        print(
            f"{SMALL_ROWS}-row commits: p50 {ms(statistics.median(wall))}, worst {ms(max(wall))}, "
            f"CPU {ms(statistics.mean(cpu))}"
        )
        queries(store)
        seconds, _ = timed(store.compact)
        print(f"compacted in {seconds:.1f} s")
        queries(store)


def queries(store: Store) -> None:
    ask("last 200 lines of a run", lambda: store.logs(LogQuery(run_id=RUNS[3], limit=200)))
    ask("substring over all", lambda: store.logs(LogQuery(text="loss 0.12345", limit=100)))
    ask("levels over time of a run", lambda: store.log_counts(LogQuery(run_id=RUNS[3]), slices=100))


def ask(name: str, question: Callable[[], object]) -> None:
    wall, cpu = zip(*(timed(question) for _ in range(9)), strict=True)
    print(f"{name}: best {ms(min(wall))}, median {ms(statistics.median(wall))}, CPU {ms(min(cpu))}")


def timed(action: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
