"""Which run is best: a row a run, a column a metric, and one of the metrics drawn over the runs."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Query

from runmill.model import MetricSummary, Run, RunId
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.answers import encode
from runmill.views.portal.charts import sparkline
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.panels import is_system, main_metric, main_name
from runmill.views.portal.wording import run_name

__all__ = ["RunsPage", "RunsView", "runs_view"]

_RUNS_A_PAGE: Final = 500
_METRIC_COLUMNS: Final = 8
_TAG_COLUMNS: Final = 4
_SPARKLINES: Final = 40

_Values: TypeAlias = Mapping[RunId, Mapping[str, MetricSummary]]
"""Of each run, by their names, the metrics that have one last number."""


def _page(offset: Annotated[int, Query(ge=0, description="how many newer runs to pass by")] = 0) -> RunQuery:
    return RunQuery(limit=_RUNS_A_PAGE, offset=offset)


RunsPage: TypeAlias = Annotated[RunQuery, Depends(_page)]
"""Which page of runs an address asks for, yet to be told whose."""


@dataclass(frozen=True, slots=True)
class RunsView:
    """What the page shows."""

    runs: tuple[Run, ...]
    metric_names: tuple[str, ...]
    tag_names: tuple[str, ...]
    values: _Values
    extremes: Mapping[str, frozenset[float]]
    """The smallest and the greatest last value of each metric, where one run alone has it."""
    chosen: str | None
    """The metric that is drawn; None when no run has a number."""
    points: tuple[tuple[Run, float], ...]
    """What is drawn, by the runs' numbers."""
    drawing: Drawing | None
    sparklines: Mapping[RunId, Drawing]
    """How the drawn metric went in each of the first runs, where it repeats."""
    newer: int | None
    """How many runs to pass by for the page before; None where there is none."""
    older: int | None
    """The same for the page after."""

    @property
    def points_json(self) -> str:
        """The points as the script reads them."""
        return encode(
            [
                {"number": run.number, "run_id": run.run_id, "name": run_name(run), "value": value}
                for run, value in self.points
            ]
        ).decode()


def runs_view(store: Store, query: RunQuery, *, metric: str, sort: str) -> RunsView:
    """Put the runs of *query* beside each other, and draw one *metric* over them.

    A metric that no run has gives way to the one that runs are usually judged by. *sort* is a metric's name, after
    ``-`` for the greatest first; empty, the newest run is first.
    """
    found = store.runs(replace(query, limit=query.limit + 1))
    runs = found[: query.limit]
    summaries = store.metrics([run.run_id for run in runs])
    values = {run_id: _single_values(metrics) for run_id, metrics in summaries.items()}
    names = tuple(dict.fromkeys(each for metrics in values.values() for each in metrics))
    chosen = metric if metric in names else _usual_main(list(summaries.values())) or main_name(names)
    points = tuple(_points(runs, values, chosen))
    shown = names[:_METRIC_COLUMNS]
    tags = Counter(key for run in runs for key in run.tags)
    ordered = _sorted(runs, values, sort)
    return RunsView(
        runs=tuple(ordered),
        metric_names=shown,
        tag_names=tuple(key for key, _ in tags.most_common(_TAG_COLUMNS)),
        values=values,
        extremes={each: _extremes(values, each) for each in shown},
        chosen=chosen,
        points=points,
        drawing=draw([[(float(run.number), value) for run, value in points]], width=800, height=200),
        sparklines=_sparklines(store, ordered[:_SPARKLINES], values, chosen),
        newer=max(0, query.offset - query.limit) if query.offset else None,
        older=query.offset + query.limit if len(found) > query.limit else None,
    )


def _sparklines(store: Store, runs: Sequence[Run], values: _Values, metric: str | None) -> dict[RunId, Drawing]:
    found = {run.run_id: values.get(run.run_id, {}).get(metric or "") for run in runs}
    drawn = {
        run_id: sparkline(store, run_id, each) for run_id, each in found.items() if each and each.numeric_count > 1
    }
    return {run_id: drawing for run_id, drawing in drawn.items() if drawing}


def _single_values(metrics: Sequence[MetricSummary]) -> dict[str, MetricSummary]:
    return {
        each.metric: each for each in metrics if each.column is None and each.last is not None and not is_system(each)
    }


def _usual_main(metrics_of_runs: Sequence[Sequence[MetricSummary]]) -> str | None:
    mains = [main.metric for metrics in metrics_of_runs if (main := main_metric(metrics))]
    return Counter(mains).most_common(1)[0][0] if mains else None


def _points(runs: Sequence[Run], values: _Values, metric: str | None) -> list[tuple[Run, float]]:
    by_number = sorted(runs, key=lambda run: run.number)
    return [(run, value) for run in by_number if metric and (value := _last(values, run, metric)) is not None]


def _last(values: _Values, run: Run, metric: str) -> float | None:
    summary = values.get(run.run_id, {}).get(metric)
    return summary.last if summary else None


def _extremes(values: _Values, metric: str) -> frozenset[float]:
    found = [each[metric].last for each in values.values() if metric in each]
    numbers = [value for value in found if value is not None and not math.isnan(value)]
    ends = {min(numbers), max(numbers)} if numbers else set()
    return frozenset(end for end in ends if numbers.count(end) == 1)


def _sorted(runs: Sequence[Run], values: _Values, sort: str) -> list[Run]:
    metric = sort.removeprefix("-")
    if not metric:
        return list(runs)
    sign = -1 if sort.startswith("-") else 1

    def place(run: Run) -> tuple[bool, float]:
        value = _last(values, run, metric)
        if value is None or math.isnan(value):
            return True, 0.0  # what cannot be compared goes to the end, in both directions
        return False, sign * value

    return sorted(runs, key=place)
