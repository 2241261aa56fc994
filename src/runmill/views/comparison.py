"""What runs have in common and what not: one function of what is known of them, for API, page and command line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from runmill.errors import InvalidArgument
from runmill.model import MetricSummary, Run, RunId
from runmill.store.interface import Store

__all__ = ["Comparison", "Curve", "Figures", "Group", "Row", "compare", "compare_stored"]

Group = Literal["metrics", "values", "tags", "properties", "facts"]

_FEWEST_RUNS: Final = 2
_MOST_RUNS: Final = 16
_DOCUMENTS: Final = frozenset({"image", "confusion_matrix", "accuracy_table", "residuals", "predictions"})
_FACTS: Final = ("experiment", "status", "type", "user", "host", "service", "description")


@dataclass(frozen=True, slots=True)
class Figures:
    """A series in numbers; NaN and infinities are its last, but never its ends."""

    last: float | None
    minimum: float | None
    maximum: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that at least one of the runs has."""

    group: Group
    name: str
    values: tuple[object, ...]
    """Of each run in their order; None where it has none. Figures for metrics that repeat; a tag without a value is
    the empty text."""
    differs: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric that at least one of the runs logged more than once."""

    metric: str
    column: str | None
    run_ids: tuple[RunId, ...]
    """Of those that did."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs beside each other; what differs is first in each group."""

    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...]
    images: tuple[str, ...]
    """Names under which at least one of the runs logged images."""


def compare_stored(store: Store, run_ids: Sequence[str]) -> Comparison:
    """Compare stored runs. Raises NotFound, and InvalidArgument for fewer than two runs or too many."""
    runs = [store.run(RunId(run_id)) for run_id in dict.fromkeys(run_ids)]
    runs = list({run.run_id: run for run in runs}.values())
    if not _FEWEST_RUNS <= len(runs) <= _MOST_RUNS:
        raise InvalidArgument(
            f"run={list(run_ids)!r}: name {_FEWEST_RUNS} to {_MOST_RUNS} different runs, as ?run=ID&run=ID."
        )
    return compare(runs, store.metrics([run.run_id for run in runs]))


def compare(runs: Sequence[Run], metrics: Mapping[RunId, Sequence[MetricSummary]]) -> Comparison:
    """Put *runs* beside each other."""
    summaries = _by_series([metrics.get(run.run_id, ()) for run in runs])
    rows = [
        *(_metric_row(name, found) for name, found in summaries.items() if _is_measured(found)),
        *_rows("tags", [{key: value or "" for key, value in run.tags.items()} for run in runs]),
        *_rows("properties", [dict(run.properties) for run in runs]),
        *_rows("facts", [{name: getattr(run, name) for name in _FACTS if getattr(run, name)} for run in runs]),
    ]
    return Comparison(
        runs=tuple(runs),
        rows=tuple(sorted(rows, key=_place)),
        curves=tuple(_curves(runs, summaries)),
        images=tuple(dict.fromkeys(metric for (metric, _), found in summaries.items() if _kind(found) == "image")),
    )


_Series: TypeAlias = tuple[str, str | None]
_Found: TypeAlias = Sequence[MetricSummary | None]
"""Of one series, what each run has."""
_ORDER: Final[tuple[Group, ...]] = ("values", "metrics", "tags", "properties", "facts")


def _place(row: Row) -> tuple[int, bool]:
    return _ORDER.index(row.group), not row.differs


def _by_series(metrics: Iterable[Sequence[MetricSummary]]) -> dict[_Series, _Found]:
    of_runs = [{(each.metric, each.column): each for each in summaries} for summaries in metrics]
    names = dict.fromkeys(name for of_run in of_runs for name in of_run)
    return {name: [of_run.get(name) for of_run in of_runs] for name in names}


def _kind(found: _Found) -> str:
    return next(each.kind for each in found if each is not None)


def _is_measured(found: _Found) -> bool:
    return _kind(found) not in _DOCUMENTS and not any(each and isinstance(each.last_value, Mapping) for each in found)


def _metric_row(name: _Series, found: _Found) -> Row:
    """Give its value where no run logged it twice, else its figures."""
    metric, column = name
    is_single = all(each is None or each.count == 1 for each in found)
    is_text = all(each is None or each.numeric_count == 0 for each in found)
    show: Callable[[MetricSummary], object] = (lambda each: each.last_value) if is_single or is_text else _figures
    values = tuple(None if each is None else show(each) for each in found)
    title = metric if column is None else f"{metric}.{column}"
    return Row("values" if is_single else "metrics", title, values, _differ(values))


def _figures(summary: MetricSummary) -> Figures:
    return Figures(summary.last, summary.minimum, summary.maximum, summary.count)


def _rows(group: Group, of_runs: Sequence[Mapping[str, object]]) -> list[Row]:
    rows = []
    for name in dict.fromkeys(key for of_run in of_runs for key in of_run):
        values = tuple(of_run.get(name) for of_run in of_runs)
        rows.append(Row(group, name, values, _differ(values)))
    return rows


def _differ(values: Sequence[object]) -> bool:
    # By their text: NaN is the same as NaN here, and 1 is not the same as True.
    return len({repr(value) for value in values}) > 1


def _curves(runs: Sequence[Run], summaries: Mapping[_Series, _Found]) -> Iterable[Curve]:
    # A table with words in it is read row by row, on the run's own page: its other columns are no curves.
    worded = {metric for (metric, _), found in summaries.items() for each in found if each and each.numeric_count == 0}
    for (metric, column), found in summaries.items():
        if metric in worded:
            continue
        repeated = [run.run_id for run, each in zip(runs, found, strict=True) if each and each.numeric_count > 1]
        if repeated:
            yield Curve(metric, column, tuple(repeated))
