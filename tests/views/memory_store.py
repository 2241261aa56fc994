"""A run store in lists: the Store protocol's promises without an engine, for tests of what stands on it."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from runmill.errors import InvalidArgument, NotFound
from runmill.model import (
    Artifact,
    Experiment,
    LogRecord,
    MetricPoint,
    MetricSummary,
    Resource,
    Run,
    RunEvent,
    RunId,
)
from runmill.store.interface import Committed, Delivery, StoreFacts, Unsubscribe
from runmill.store.query import Bucket, LogCount, LogPage, LogQuery, RunQuery, Series, SeriesQuery
from runmill.views.log_filter import matcher


class MemoryStore:
    """Filled by `commit`, with values instead of columns."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Committed], None]] = []
        self._runs: dict[RunId, Run] = {}
        self._logs: list[LogRecord] = []
        self._points: list[tuple[RunId, MetricPoint]] = []
        self._events: list[RunEvent] = []
        self._artifacts: list[Artifact] = []
        self._bytes: dict[str, bytes] = {}

    @property
    def listener_count(self) -> int:
        return len(self._listeners)

    def commit(
        self,
        *,
        run: Run | None = None,
        logs: Sequence[LogRecord] = (),
        points: Sequence[tuple[RunId, MetricPoint]] = (),
        events: Sequence[RunEvent] = (),
        artifacts: Sequence[Artifact] = (),
    ) -> None:
        with self._lock:
            if run is not None:
                self._runs[run.run_id] = run
            self._logs += logs
            self._points += points
            self._events += events
            self._artifacts += artifacts
        committed = Committed(tuple(logs), tuple(points), tuple(events), tuple(artifacts))
        for listener in list(self._listeners):
            listener(committed)

    def append(self, deliveries: Sequence[Delivery], /) -> int:
        raise NotImplementedError

    def subscribe(self, listener: Callable[[Committed], None], /) -> Unsubscribe:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def runs(self, query: RunQuery, /) -> list[Run]:
        found = [run for run in self._runs.values() if _fits(run, query)]
        found.sort(key=lambda run: -run.start_time_unix_nano)
        return found[query.offset : query.offset + query.limit]

    def run(self, run_id: RunId, /) -> Run:
        found = [
            run for key, run in self._runs.items() if key == run_id or (len(run_id) >= 6 and key.startswith(run_id))
        ]
        if len(found) != 1:
            raise NotFound(f"No run {run_id!r} is in the store.")
        return found[0]

    def run_events(self, run_id: RunId, /) -> list[RunEvent]:
        self.run(run_id)
        return [event for event in self._events if event.run_id == run_id and event.name != "run.heartbeat"]

    def experiments(self) -> list[Experiment]:
        names = dict.fromkeys(run.experiment for run in self.runs(RunQuery(limit=10_000)))
        runs = {name: [run for run in self._runs.values() if run.experiment == name] for name in names}
        return [_experiment(name, all_runs) for name, all_runs in runs.items()]

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        fits = matcher(query)
        records = [record for record in self._logs if query.run_id in (None, record.run_id) and fits(record)]
        return sorted(records, key=lambda record: (record.time_unix_nano, record.cursor))

    def logs(self, query: LogQuery, /) -> LogPage:
        records = self._matching(query)
        places = {str(record.cursor): place for place, record in enumerate(records)}
        try:
            if query.after is not None:
                start = places[query.after] + 1
                end = min(len(records), start + query.limit)
            else:
                end = len(records) if query.before is None else places[query.before]
                start = max(0, end - query.limit)
        except KeyError as error:
            raise InvalidArgument(f"{error} is no cursor") from None
        page = tuple(records[start:end])
        first, last = (str(page[0].cursor), str(page[-1].cursor)) if page else (None, None)
        return LogPage(page, first, last, start > 0, end < len(records))

    def log_counts(self, query: LogQuery, /, *, slices: int) -> list[LogCount]:
        counts = Counter((record.severity_number - 1) // 4 * 4 + 1 for record in self._matching(query))
        return [LogCount(0, severity, count) for severity, count in sorted(counts.items())]

    def loggers(self, run_id: RunId | None, /) -> list[tuple[str, int]]:
        return sorted(Counter(record.logger for record in self._logs if record.run_id == run_id).items())

    def services(self) -> list[tuple[str, int]]:
        return sorted(Counter(record.service for record in self._logs if record.run_id is None).items())

    def metrics(self, run_ids: Sequence[RunId], /) -> dict[RunId, list[MetricSummary]]:
        return {run_id: list(self._summaries(run_id)) for run_id in run_ids}

    def _summaries(self, run_id: RunId) -> Iterator[MetricSummary]:
        series: dict[tuple[str, str | None], list[MetricPoint]] = {}
        for owner, point in self._points:
            if owner == run_id:
                series.setdefault((point.metric, point.column), []).append(point)
        for (metric, column), points in series.items():
            values = [float(each.value) for each in points if type(each.value) in (int, float)]
            finite = [value for value in values if abs(value) < float("inf")]
            yield MetricSummary(
                metric=metric, kind=points[0].kind, column=column, description="", unit="", count=len(points),
                numeric_count=len(values), first=values[0] if values else None, last=values[-1] if values else None,
                minimum=min(finite, default=None), maximum=max(finite, default=None), last_step=points[-1].step,
                last_time_unix_nano=points[-1].time_unix_nano, last_value=points[-1].value,
            )  # fmt: skip

    def points(self, run_id: RunId, /, *, metric: str | None = None) -> Iterable[MetricPoint]:
        self.run(run_id)
        return [point for owner, point in self._points if owner == run_id and metric in (None, point.metric)]

    def series(self, query: SeriesQuery, /) -> Series:
        points = [point for point in self.points(query.run_id, metric=query.metric) if point.column == query.column]
        if not points:
            raise NotFound(f"Run {query.run_id!r} has no metric {query.metric!r}.")
        steps = all(point.step is not None for point in points)
        x = query.x or ("step" if steps else "index")
        by_x = {"step": lambda p: p.step, "index": lambda p: p.index, "time": lambda p: p.time_unix_nano}[x]
        pairs = [(float(by_x(point)), point.value) for point in points if type(point.value) in (int, float)]
        low, high = query.x_min, query.x_max
        pairs = [(x, y) for x, y in pairs if (low is None or x >= low) and (high is None or x <= high)]
        size = max(1, len(pairs) // query.buckets) if len(pairs) > 2 * query.buckets else 1
        buckets = [_bucket(pairs[start : start + size]) for start in range(0, len(pairs), size)]
        return Series(query.metric, query.column, x, len(pairs), buckets)

    def artifacts(self, run_id: RunId, /) -> list[Artifact]:
        self.run(run_id)
        newest = {artifact.path: artifact for artifact in self._artifacts if artifact.run_id == run_id}
        return [newest[path] for path in sorted(newest)]

    def artifact(self, run_id: RunId, path: str, /) -> Artifact:
        for artifact in self.artifacts(run_id):
            if artifact.path == path:
                return artifact
        raise NotFound(f"Run {run_id!r} has no file {path!r}.")

    def has_artifact_bytes(self, sha256: str, /) -> bool:
        return sha256 in self._bytes

    def put_artifact_bytes(self, sha256: str, chunks: Iterable[bytes], /) -> int:
        content = b"".join(chunks)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InvalidArgument(f"The bytes do not have the hash {sha256!r}. Send them again.")
        self._bytes[sha256] = content
        return len(content)

    def artifact_bytes(self, sha256: str, /, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        content = self._bytes[sha256][start:end]
        return (content[place : place + 4096] for place in range(0, len(content), 4096))

    def resource(self, resource_id: str, /) -> Resource:
        return Resource(resource_id, {})

    def facts(self) -> StoreFacts:
        return StoreFacts("memory:", 1, len(self._logs), len(self._points), len(self._runs), 0)

    def close(self) -> None:
        return


def _fits(run: Run, query: RunQuery) -> bool:
    searched = " ".join((run.run_id, run.name, run.display_name, run.experiment, *run.tags)).lower()
    return (
        query.experiment in (None, run.experiment)
        and (query.status is None or run.status in query.status)
        and (query.include_children or run.parent_id == query.parent_id)
        and all(key in run.tags and value in (None, run.tags[key]) for key, value in query.tags)
        and (query.text is None or query.text.lower() in searched)
    )


def _experiment(name: str, runs: Sequence[Run]) -> Experiment:
    running_count = sum(run.status == "Running" for run in runs)
    return Experiment(name, len(runs), running_count, max(run.start_time_unix_nano for run in runs))


def _bucket(pairs: Sequence[tuple[float, float]]) -> Bucket:
    finite = [y for _, y in pairs if abs(y) < float("inf")]
    last = finite[-1] if finite else None
    low, high = min(finite, default=None), max(finite, default=None)
    return Bucket(pairs[0][0], low, high, last, len(pairs), len(pairs) - len(finite))
