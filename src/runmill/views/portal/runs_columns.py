"""The columns of a table of runs: what there is to choose from, what a run has in one, and the order it gives."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, TypeAlias

from runmill.model import MetricSummary, Run, RunId
from runmill.store.condition import number_of
from runmill.store.run_condition import EVERYWHERE, Place
from runmill.views.chosen import chosen_properties
from runmill.views.portal.wording import run_name

__all__ = ["Column", "Values", "all_columns", "sorted_runs", "usual_columns", "value_in"]

Values: TypeAlias = Mapping[RunId, Mapping[str, MetricSummary]]
"""Of each run, by their names, the metrics that have one last number."""

_USUAL: Final[Mapping[Place, int]] = {"metric": 8, "property": 4, "tag": 4}


@dataclass(frozen=True, slots=True)
class Column:
    """A metric, a property or a tag."""

    place: Place
    name: str

    @property
    def key(self) -> str:
        """What it is called in an address, and in a query for runs."""
        return f"{self.place}.{self.name}"

    @classmethod
    def of(cls, key: str) -> "Column":
        """Read a key; one without a place is a metric's name."""
        place, _, name = key.partition(".")
        return cls(place, name) if place in EVERYWHERE and name else cls("metric", key)


def all_columns(runs: Sequence[Run], values: Values) -> tuple[Column, ...]:
    """Give what any of the runs has: metrics in the order they were logged, then what most runs have first."""
    metrics = dict.fromkeys(name for metrics in values.values() for name in metrics)
    properties = Counter(key for run in runs for key in chosen_properties(run))
    tags = Counter(key for run in runs for key in run.tags)
    found: Mapping[Place, Sequence[str]] = {
        "metric": list(metrics),
        "property": [key for key, _ in properties.most_common()],
        "tag": [key for key, _ in tags.most_common()],
    }
    return tuple(Column(place, name) for place, names in found.items() for name in names)


def usual_columns(columns: Sequence[Column], runs: Sequence[Run]) -> tuple[Column, ...]:
    """Give those that are shown until somebody chooses: the first of each place; no property that all have alike."""
    telling = [each for each in columns if each.place != "property" or _differs(each, runs)]
    kinds = {place: [each for each in telling if each.place == place][:most] for place, most in _USUAL.items()}
    return tuple(each for kind in kinds.values() for each in kind)


def value_in(column: Column, run: Run, values: Values) -> float | str | None:
    """Give what a run has in a column; a tag without a value is the empty text."""
    if column.place == "metric":
        summary = values.get(run.run_id, {}).get(column.name)
        return summary.last if summary else None
    if column.place == "property":
        return run.properties.get(column.name)
    return (run.tags[column.name] or "") if column.name in run.tags else None


def sorted_runs(runs: Sequence[Run], values: Values, sort: str, *, now_unix_nano: int) -> list[Run]:
    """Give the runs by the column whose key is *sort*, after ``-`` from the greatest down; empty, as they are.

    What cannot be compared is last in both directions; numbers, and texts that read as one, are before other texts.
    """
    key, turned = sort.removeprefix("-"), sort.startswith("-")
    if not key:
        return list(runs)
    places = {run.run_id: _comparable(_value(key, run, values, now_unix_nano)) for run in runs}
    found = [(place, run) for run in runs if (place := places[run.run_id]) is not None]
    found.sort(key=itemgetter(0), reverse=turned)
    return [run for _, run in found] + [run for run in runs if places[run.run_id] is None]


def _value(key: str, run: Run, values: Values, now_unix_nano: int) -> float | str | None:
    match key:
        case "number":
            return run.number
        case "name":
            return run_name(run)
        case "experiment" | "status":
            return str(getattr(run, key))
        case "started":
            return run.start_time_unix_nano or None
        case "took":
            return (run.end_time_unix_nano or now_unix_nano) - run.start_time_unix_nano
        case _:
            return value_in(Column.of(key), run, values)


def _comparable(value: float | str | None) -> tuple[bool, float, str] | None:
    number = number_of(value) if isinstance(value, str) else value
    if number is not None:
        return None if math.isnan(number) else (False, number, "")
    return (True, 0.0, value.casefold()) if isinstance(value, str) else None


def _differs(column: Column, runs: Sequence[Run]) -> bool:
    return len(runs) == 1 or len({run.properties.get(column.name) for run in runs}) > 1
