"""What the first page and an experiment's page show of many runs."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runmill.model import Experiment, MetricSummary, Run, RunId, RunStatus, Severity
from runmill.store.interface import Store
from runmill.store.query import LogQuery, RunQuery
from runmill.views.answers import encode
from runmill.views.portal.charts import sparkline
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.lines import Line, line_of
from runmill.views.portal.panels import main_metric

__all__ = ["ExperimentView", "Failure", "Home", "LiveRun", "experiment_view", "home"]

_ACTIVE: Final[frozenset[RunStatus]] = frozenset(
    ("NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Running", "NotResponding", "CancelRequested", "Finalizing")  # fmt: skip
)
_METRIC_COLUMNS: Final = 8
_TAG_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run under way, with the curve by which to judge it."""

    run: Run
    metric: MetricSummary | None
    drawing: Drawing | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed run and its last error line, if it logged one."""

    run: Run
    line: Line | None


@dataclass(frozen=True, slots=True)
class Home:
    """What is going on."""

    running: tuple[LiveRun, ...]
    failed: tuple[Failure, ...]
    recent: tuple[Run, ...]
    experiments: tuple[Experiment, ...]


def home(store: Store) -> Home:
    """Read what is going on."""
    running = store.runs(RunQuery(status=_ACTIVE, limit=12))
    metrics = store.metrics([run.run_id for run in running]) if running else {}
    failed = store.runs(RunQuery(status=frozenset(("Failed",)), limit=3))
    return Home(
        running=tuple(_live_run(store, run, metrics.get(run.run_id, [])) for run in running),
        failed=tuple(Failure(run, _last_error(store, run.run_id)) for run in failed),
        recent=tuple(store.runs(RunQuery(limit=15))),
        experiments=tuple(store.experiments()),
    )


def _live_run(store: Store, run: Run, metrics: Sequence[MetricSummary]) -> LiveRun:
    metric = main_metric(metrics)
    return LiveRun(run, metric, sparkline(store, run.run_id, metric) if metric else None)


def _last_error(store: Store, run_id: RunId) -> Line | None:
    page = store.logs(LogQuery(run_id=run_id, min_severity=Severity.ERROR, limit=1))
    return line_of(page.records[-1]) if page.records else None


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """Which run is best: a row a run, a column a metric, and one of the metrics drawn over the runs."""

    name: str
    runs: tuple[Run, ...]
    metric_names: tuple[str, ...]
    tag_names: tuple[str, ...]
    values: Mapping[RunId, Mapping[str, MetricSummary]]
    best: Mapping[str, tuple[float, float]]
    """The smallest and the greatest last value of each metric."""
    chosen: str | None
    """The metric that is drawn."""
    drawing: Drawing | None

    @property
    def points_json(self) -> str:
        """What the script draws: a point a run, in the order of their numbers."""
        rows = [
            {"number": run.number, "run_id": run.run_id, "name": run.display_name or run.name, "value": value}
            for run in reversed(self.runs)
            if self.chosen and (value := _last(self.values, run, self.chosen)) is not None
        ]
        return encode(rows).decode()


def experiment_view(store: Store, name: str, runs: Sequence[Run], *, metric: str, sort: str) -> ExperimentView:
    """Put *runs* of the experiment *name* beside each other; *sort* is a metric's name, with ``-`` before it descending."""
    summaries = store.metrics([run.run_id for run in runs])
    values = {run_id: {each.metric: each for each in metrics if each.column is None and each.last is not None} for run_id, metrics in summaries.items()}  # fmt: skip
    names = tuple(dict.fromkeys(each for metrics in values.values() for each in metrics))
    chosen = metric if metric in names else _usual_main(summaries.values()) or next(iter(names), None)
    points = [(float(run.number), _last(values, run, chosen)) for run in reversed(runs)] if chosen else []
    tags = Counter(key for run in runs for key in run.tags)
    return ExperimentView(
        name=name,
        runs=tuple(_sorted(runs, values, sort)),
        metric_names=names[:_METRIC_COLUMNS],
        tag_names=tuple(key for key, _ in tags.most_common(_TAG_COLUMNS)),
        values=values,
        best={each: _extremes(values, each) for each in names[:_METRIC_COLUMNS]},
        chosen=chosen,
        drawing=draw([points], width=800, height=200),
    )


def _usual_main(summaries: Iterable[Sequence[MetricSummary]]) -> str | None:
    mains = [main.metric for each in summaries if (main := main_metric(each))]
    return Counter(mains).most_common(1)[0][0] if mains else None


def _last(values: Mapping[RunId, Mapping[str, MetricSummary]], run: Run, metric: str) -> float | None:
    summary = values.get(run.run_id, {}).get(metric)
    return summary.last if summary else None


def _extremes(values: Mapping[RunId, Mapping[str, MetricSummary]], metric: str) -> tuple[float, float]:
    found = [each[metric].last for each in values.values() if metric in each]
    numbers = [value for value in found if value is not None and not math.isnan(value)]
    return (min(numbers), max(numbers)) if numbers else (0.0, 0.0)


def _sorted(runs: Sequence[Run], values: Mapping[RunId, Mapping[str, MetricSummary]], sort: str) -> list[Run]:
    metric = sort.removeprefix("-")
    if not metric:
        return list(runs)
    sign = -1 if sort.startswith("-") else 1

    def place(run: Run) -> tuple[bool, float]:
        value = _last(values, run, metric)
        if value is None or math.isnan(value):
            return True, 0.0
        return False, sign * value

    return sorted(runs, key=place)
