"""What is asked of a filled run store, and what each answer takes: time, CPU, and memory at its highest."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from store_rows import LONG_RUN, RARE, RUNS, START

from runmill.app.runs.client import Client
from runmill.app.runs.shapes import old_shapes
from runmill.home import Home
from runmill.store.interface import Store
from runmill.store.query import LogQuery, PointQuery, PruneQuery, RunQuery, SeriesQuery
from runmill.store.run_search import parse_runs
from runmill.store.search import parse

NEVER = "nobody ever logged this"
TIMES = 9
AT_LEAST = 3
PATIENCE_SECONDS = 90.0
"""A question that takes long is asked less often, when so much was spent on it."""


def measure(name: str, query: Callable[[], object], *, server: psutil.Process | None = None) -> None:
    """Time *query*; its CPU is this process's, and the *server*'s where it asks one (in steps of 10 ms there)."""

    def used() -> float:
        return time.process_time() + (sum(server.cpu_times()[:2]) if server else 0.0)

    walls, cpus = [], []
    forget_peak()
    while len(walls) < AT_LEAST or (len(walls) < TIMES and sum(walls) < PATIENCE_SECONDS * 1e3):
        began, cpu_began = time.perf_counter(), used()
        query()
        walls.append((time.perf_counter() - began) * 1e3)
        cpus.append((used() - cpu_began) * 1e3)
    figures = f"{min(walls):>8.1f} ms {statistics.median(walls):>8.1f} ms {statistics.median(cpus):>8.1f} ms CPU"
    print(f"{name:<48}{figures} {peak_bytes() / 1e6:>6.0f} MB", flush=True)


def forget_peak() -> None:
    """Let `peak_bytes` begin at what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_bytes() -> float:
    """Give the most memory this process had resident."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024.0


def queries(store: Store) -> None:
    """Ask everything once more often than not: of a run in the middle, and of all."""
    run = RUNS[len(RUNS) // 2 + 2]
    logs_of_a_run(store, run)
    logs_of_all(store)
    logs_of_the_long_run(store)
    metrics(store, run)
    runs(store, run)


def logs_of_a_run(store: Store, run: str) -> None:
    def ask(name: str, **wanted: object) -> None:
        measure(name, lambda: store.logs(LogQuery(run_id=run, **wanted)))

    page = store.logs(LogQuery(run_id=run))
    middle = (store.logs(LogQuery(run_id=run, limit=1)).records[0].time_unix_nano + START) // 2
    ask("last 200 records of a run")
    ask("200 before a cursor", before=page.first)
    ask("200 after a cursor", after=page.first)
    ask("200 from a moment on", since_unix_nano=middle)
    ask("200 warnings of a run", min_severity=13)
    ask("200 of a logger", logger="train")
    ask("200 of a rank", rank=3)
    ask("what a live reader missed (nothing)", committed_after=2**62)
    ask("rare text in a run", text=RARE)
    ask("text nowhere in a run", text=NEVER)
    ask("a word in a run", where=parse("word:evicted"))
    ask("a regular expression nowhere in a run", where=parse('regex:"kernel [0-9]+$"'))
    ask("an attribute and a level, in a run", where=parse("phase:eval level>=error"))
    ask("a rare attribute's value, in a run", where=parse("loss<0.00002"))
    measure("counts of a run in 60 slices", lambda: store.log_counts(LogQuery(run_id=run), slices=60))
    measure("loggers of a run", lambda: store.loggers(run))
    measure("attributes of a run", lambda: store.attribute_keys(LogQuery(run_id=run)))


def logs_of_all(store: Store) -> None:
    def ask(name: str, **wanted: object) -> None:
        measure(name, lambda: store.logs(LogQuery(**wanted)))

    last = store.logs(LogQuery(limit=1)).records[0].time_unix_nano
    ask("last 200 records of all")
    ask("200 of all, from the middle on", since_unix_nano=(START + last) // 2)
    ask("200 warnings of all", min_severity=13)
    ask("200 of a logger, of all", logger="train")
    ask("200 of a service, of all", service="train.py")
    ask("a text in every ninth record, of all", text="micro-batches")
    ask("rare text in all", text=RARE)
    ask("text nowhere in all", text=NEVER)
    ask("an attribute and a level, in all", where=parse("phase:eval level>=error"))
    measure("counts of all in 60 slices", lambda: store.log_counts(LogQuery(), slices=60))
    measure("loggers of all", lambda: store.loggers(None))
    measure("attributes of all", lambda: store.attribute_keys(LogQuery()))
    sql = "select severity_text, count(*) from logs group by all"
    measure("SQL: levels of all", lambda: store.sql(sql).read_all())


def logs_of_the_long_run(store: Store) -> None:
    """Ask of one whose records lie among those of all others, from the first to the last."""
    page = store.logs(LogQuery(run_id=LONG_RUN))
    measure("last 200 of a run that always goes on", lambda: store.logs(LogQuery(run_id=LONG_RUN)))
    measure("200 before a cursor in it", lambda: store.logs(LogQuery(run_id=LONG_RUN, before=page.first)))
    measure("its first 200", lambda: store.logs(LogQuery(run_id=LONG_RUN, since_unix_nano=START)))
    measure("text nowhere in it", lambda: store.logs(LogQuery(run_id=LONG_RUN, text=NEVER)))
    measure("counts of it in 60 slices", lambda: store.log_counts(LogQuery(run_id=LONG_RUN), slices=60))


def metrics(store: Store, run: str) -> None:
    def draw(name: str, **wanted: float) -> None:
        measure(name, lambda: store.series(SeriesQuery(LONG_RUN, "metric-0", **wanted)))

    draw("the longest series to 1,000 buckets")
    draw("a hundredth of it to 1,000 buckets", x_min=500_000, x_max=510_000)
    measure("a series of a run", lambda: store.series(SeriesQuery(run, "metric-3")))
    measure("one metric of 5 runs, each to 1,000 buckets", lambda: one_metric(store))
    measure("summaries of 20 metrics of a run", lambda: store.metrics([run]))
    measure("summaries of 20 metrics of 200 runs", lambda: store.metrics(RUNS))
    measure("100,000 points of one metric", lambda: store.points(PointQuery(("points-100k",), "metric-0")))
    measure("all points of a run", lambda: store.points(PointQuery((run,))))


def one_metric(store: Store) -> None:
    for run in RUNS[::40]:
        store.series(SeriesQuery(run, "metric-3"))


def runs(store: Store, run: str) -> None:
    measure("the newest 100 runs", lambda: store.runs(RunQuery()))
    measure("runs of a tag", lambda: store.runs(RunQuery(tags=(("team", "vision-1"),))))
    measure("runs that measured something", lambda: store.runs(RunQuery(where=parse_runs("metric-3>0.5"))))
    measure("a run and its events", lambda: (store.run(run), store.run_events(run)))
    measure("what the store holds", store.facts)


def care(store: Store) -> None:
    """Do what changes no answer: fold, and say what would be taken out."""
    measure("compacting", store.compact)
    half = LogQuery(limit=1, run_id=RUNS[len(RUNS) // 2])
    older = PruneQuery(older_than_unix_nano=store.logs(half).records[0].time_unix_nano, dry_run=True)
    measure("saying what half of the runs would free", lambda: store.prune(older))
    measure("saying what goes for half the size", lambda: store.prune(smaller(store)))


def smaller(store: Store) -> PruneQuery:
    return PruneQuery(max_size_bytes=store.facts().size_bytes // 2, dry_run=True)


@contextmanager
def served(home: Home) -> Iterator[tuple[str, Client, psutil.Process]]:
    """Serve the home in a process of its own; give its address, a client and the process."""
    command = [sys.executable, "-m", "runmill", "serve", "--home", str(home.path), "--endpoint", "127.0.0.1:0"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while (server := home.find_server()) is None or server.pid != process.pid:
            assert process.poll() is None, "the server ended"
            time.sleep(0.05)
        print(f"{'a server until it answers':<48}{(time.perf_counter() - began) * 1e3:>8.1f} ms")
        yield server.endpoint, Client(server), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def pages(endpoint: str, server: psutil.Process) -> None:
    """Open what a person opens; the first time is when nothing of it was read yet."""
    run = RUNS[len(RUNS) // 2 + 2]
    for path in (f"/runs/{run}", "/logs", "/", f"/api/v1/runs/{run}/logs?limit=200", f"/api/v1/runs/{run}/metrics"):

        def ask(path: str = path) -> None:
            httpx.get(endpoint + path, trust_env=False, timeout=600).raise_for_status()

        began = time.perf_counter()
        ask()
        print(f"{'the first GET ' + path.replace(run, 'RUN'):<48}{(time.perf_counter() - began) * 1e3:>8.1f} ms")
        measure("GET " + path.replace(run, "RUN"), ask, server=server)


def memory(name: str, pid: int) -> None:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    figures = ", ".join(f"{key} {kilobytes[key] / 1e3:.0f}" for key in ("Rss", "Pss", "Anonymous"))
    print(f"{name:<48}{figures} MB")


def over_http(home: Home) -> None:
    def get_metrics(client: Client, run: str, **options: bool) -> object:
        return old_shapes(client.values(run, **options), lambda _, point: point.value)

    with served(home) as (endpoint, client, server):

        def measure_metrics(name: str, run: str, **options: bool) -> None:
            measure(f"get_metrics of {name}", lambda: get_metrics(client, run, **options), server=server)

        memory("a server at its start", server.pid)
        pages(endpoint, server)
        measure_metrics("100,000 points of one metric", "points-100k")
        measure_metrics("100,000 points of 20 metrics", "points-20x5k")
        measure_metrics("300 runs below a run", "sweep", recursive=True)
        memory("the server after these", server.pid)
