"""Which run is best: a row a run, a column a metric, and one of the metrics drawn over the runs."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runmill.errors import QueryMistake
from runmill.model import MetricSummary, Run, RunId
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.store.run_search import parse_runs
from runmill.views.answers import encode
from runmill.views.portal.charts import sparkline
from runmill.views.portal.drawing import Drawing, draw
from runmill.views.portal.panels import is_system, main_metric, main_name
from runmill.views.portal.runs_asked import RunsAsked
from runmill.views.portal.runs_columns import Column, Values, all_columns, sorted_runs, usual_columns, value_in
from runmill.views.portal.wording import run_name
from runmill.views.portal.words import run_words

__all__ = ["RunsView", "runs_view"]

_RUNS_A_PAGE: Final = 500
_SPARKLINES: Final = 24


@dataclass(frozen=True, slots=True)
class RunsView:
    """What the page shows."""

    asked: RunsAsked
    mistake: QueryMistake | None
    """Why the query cannot be read: then there are no runs."""
    runs: tuple[Run, ...]
    values: Values
    all_columns: tuple[Column, ...]
    """What there is to choose from."""
    usual_columns: tuple[Column, ...]
    columns: tuple[Column, ...]
    """Those that are shown."""
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
    def status(self) -> int:
        """The page's status over HTTP."""
        return 400 if self.mistake else 200

    @property
    def points_json(self) -> str:
        """The points as the script reads them."""
        return encode(
            [
                {"number": run.number, "run_id": run.run_id, "name": run_name(run), "value": value}
                for run, value in self.points
            ]
        ).decode()

    @property
    def words_json(self) -> str:
        """What may be typed into the filter."""
        return encode(list(run_words((column, self._texts(column)) for column in self.all_columns))).decode()

    @property
    def usual_json(self) -> str:
        """The keys of the columns that an address need not name."""
        return encode([column.key for column in self.usual_columns]).decode()

    def _texts(self, column: Column) -> list[str]:
        if column.place == "metric":
            return []  # numbers are compared, and seldom twice the same
        return [value for run in self.runs if isinstance(value := self.value(column, run), str)]

    def value(self, column: Column, run: Run) -> float | str | None:
        """Give what *run* has in *column*."""
        return value_in(column, run, self.values)


def runs_view(store: Store, query: RunQuery, asked: RunsAsked) -> RunsView:
    """Put those runs of *query* beside each other that fit what is *asked*, and draw one metric over them.

    A metric that no run has gives way to the one that runs are usually judged by.
    """
    found, mistake = _found(store, query, asked)
    runs = found[:_RUNS_A_PAGE]
    summaries = store.metrics([run.run_id for run in runs])
    values = {run_id: _single_values(metrics) for run_id, metrics in summaries.items()}
    names = tuple(dict.fromkeys(each for metrics in values.values() for each in metrics))
    chosen = asked.metric if asked.metric in names else _usual_main(list(summaries.values())) or main_name(names)
    points = tuple(_points(runs, values, chosen))
    columns = all_columns(runs, values)
    usual = usual_columns(columns, runs)
    shown = tuple(map(Column.of, asked.column)) or usual
    ordered = sorted_runs(runs, values, asked.sort, now_unix_nano=time.time_ns())
    return RunsView(
        asked=asked,
        mistake=mistake,
        runs=tuple(ordered),
        values=values,
        all_columns=columns,
        usual_columns=usual,
        columns=shown,
        extremes={each.name: _extremes(values, each.name) for each in shown if each.place == "metric"},
        chosen=chosen,
        points=points,
        drawing=draw([[(float(run.number), value) for run, value in points]], width=800, height=200),
        sparklines=_sparklines(store, ordered[:_SPARKLINES], values, chosen),
        newer=max(0, asked.offset - _RUNS_A_PAGE) if asked.offset else None,
        older=asked.offset + _RUNS_A_PAGE if len(found) > _RUNS_A_PAGE else None,
    )


def _found(store: Store, query: RunQuery, asked: RunsAsked) -> tuple[Sequence[Run], QueryMistake | None]:
    try:
        where = parse_runs(asked.where)
    except QueryMistake as mistake:
        return (), mistake
    return store.runs(replace(query, where=where, limit=_RUNS_A_PAGE + 1, offset=asked.offset)), None


def _sparklines(store: Store, runs: Sequence[Run], values: Values, metric: str | None) -> dict[RunId, Drawing]:
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


def _points(runs: Sequence[Run], values: Values, metric: str | None) -> list[tuple[Run, float]]:
    by_number = sorted(runs, key=lambda run: run.number)
    return [(run, value) for run in by_number if metric and (value := _last(values, run, metric)) is not None]


def _last(values: Values, run: Run, metric: str) -> float | None:
    summary = values.get(run.run_id, {}).get(metric)
    return summary.last if summary else None


def _extremes(values: Values, metric: str) -> frozenset[float]:
    found = [each[metric].last for each in values.values() if metric in each]
    numbers = [value for value in found if value is not None and not math.isnan(value)]
    ends = {min(numbers), max(numbers)} if numbers else set()
    return frozenset(end for end in ends if numbers.count(end) == 1)
