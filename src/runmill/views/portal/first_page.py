"""What the first page shows: what runs, what failed last, what there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runmill.model import Experiment, MetricSummary, Run, RunId, RunStatus, Severity
from runmill.store.interface import Store
from runmill.store.query import LogQuery, RunQuery
from runmill.views.portal.charts import sparkline
from runmill.views.portal.drawing import Drawing
from runmill.views.portal.lines import Line, line_of
from runmill.views.portal.panels import main_metric

__all__ = ["Failure", "FirstPage", "LiveRun", "first_page"]

_ACTIVE: Final[frozenset[RunStatus]] = frozenset(
    (
        "NotStarted",
        "Queued",
        "Preparing",
        "Provisioning",
        "Starting",
        "Running",
        "NotResponding",
        "CancelRequested",
        "Finalizing",
    )
)
_RUNNING: Final = 12
_FAILED: Final = 3
_RECENT: Final = 15


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
class FirstPage:
    """What is going on."""

    running: tuple[LiveRun, ...]
    failed: tuple[Failure, ...]
    recent: tuple[Run, ...]
    experiments: tuple[Experiment, ...]
    hidden_count: int
    """Experiments that were archived and are not among them."""


def first_page(store: Store, *, with_archived: bool = False) -> FirstPage:
    """Read what is going on."""
    experiments = store.experiments()
    shown = [each for each in experiments if with_archived or each.archived_time_unix_nano is None]
    running = store.runs(RunQuery(status=_ACTIVE, limit=_RUNNING))
    metrics = store.metrics([run.run_id for run in running]) if running else {}
    failed = store.runs(RunQuery(status=frozenset(("Failed",)), limit=_FAILED))
    return FirstPage(
        running=tuple(_live_run(store, run, metrics.get(run.run_id, [])) for run in running),
        failed=tuple(Failure(run, _last_error(store, run.run_id)) for run in failed),
        recent=tuple(store.runs(RunQuery(limit=_RECENT))),
        experiments=tuple(shown),
        hidden_count=len(experiments) - len(shown),
    )


def _live_run(store: Store, run: Run, metrics: Sequence[MetricSummary]) -> LiveRun:
    metric = main_metric(metrics)
    return LiveRun(run, metric, sparkline(store, run.run_id, metric) if metric else None)


def _last_error(store: Store, run_id: RunId) -> Line | None:
    page = store.logs(LogQuery(run_id=run_id, min_severity=Severity.ERROR, limit=1))
    return line_of(page.records[-1]) if page.records else None
