"""What can be asked of a single run, and whether a run in hand fits.

Texts are compared as `runmill.store.condition` does.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from runmill.model import MetricSummary, Run
from runmill.store.condition import COMPARISONS, Comparison, is_like, number_of

__all__ = [
    "EVERYWHERE", "Compared", "Fact", "FactName", "NotRun", "Place", "RunCondition", "RunText", "Valued", "all_fit",
    "asks_metrics", "searched",
]  # fmt: skip

FactName = Literal["status", "experiment", "name", "user", "host", "type", "id", "parent"]
Place = Literal["metric", "property", "tag"]
EVERYWHERE: Final[tuple[Place, ...]] = ("metric", "property", "tag")


@dataclass(frozen=True, slots=True)
class RunText:
    """Found in the id, a name, the experiment or a tag, in any case."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that is like a pattern."""

    name: FactName
    pattern: str


@dataclass(frozen=True, slots=True)
class Valued:
    """Something of that name, in one of the places, whose value is like a pattern; of a metric the last value."""

    name: str
    pattern: str
    places: tuple[Place, ...] = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Compared:
    """The same, whose value is a number, or a text that reads as one, and compares with another. NaN never does."""

    name: str
    comparison: Comparison
    number: float
    places: tuple[Place, ...] = EVERYWHERE


@dataclass(frozen=True, slots=True)
class NotRun:
    """All runs that do not fit."""

    condition: "_Simple"


_Simple: TypeAlias = RunText | Fact | Valued | Compared
RunCondition: TypeAlias = _Simple | NotRun

_Metrics: TypeAlias = Mapping[str, MetricSummary]
"""What is known of a run's metrics that have one value at a time, by their names."""


def asks_metrics(condition: RunCondition) -> bool:
    """Say whether a run's metrics must be known to tell."""
    match condition:
        case NotRun(inner):
            return asks_metrics(inner)
        case Valued() | Compared():
            return "metric" in condition.places
        case _:
            return False


def all_fit(conditions: Iterable[RunCondition], run: Run, summaries: Iterable[MetricSummary] | None = None) -> bool:
    """Say whether the run fits all; without its metrics' *summaries*, all that ask for none."""
    if summaries is None:
        return all(_fits(each, run, {}) for each in conditions if not asks_metrics(each))
    # A column of a row has no value of its own.
    metrics = {each.metric: each for each in summaries if each.column is None}
    return all(_fits(each, run, metrics) for each in conditions)


def _fits(condition: RunCondition, run: Run, metrics: _Metrics) -> bool:
    match condition:
        case NotRun(inner):
            return not _fits(inner, run, metrics)
        case RunText(text):
            return text.casefold() in searched(run)
        case Fact(name, pattern):
            return any(is_like(pattern, fact) for fact in _facts(run, name))
        case Valued(name, pattern, places):
            return any(_is(value, pattern) for value in _values(name, places, run, metrics))
        case Compared(name, comparison, number, places):
            compare = COMPARISONS[comparison]
            amounts = map(_amount, _values(name, places, run, metrics))
            return any(compare(amount, number) for amount in amounts if amount is not None)


def searched(run: Run) -> str:
    """Give all of *run* that a text is looked for in, casefolded."""
    tags = (text for tag in run.tags.items() for text in tag if text)
    # A separator nobody types: no match may begin in one text and end in the next.
    return "\0".join((run.run_id, run.name, run.display_name, run.experiment, *tags)).casefold()


def _facts(run: Run, name: FactName) -> tuple[str | None, ...]:
    match name:
        case "id":
            return (run.run_id,)
        case "parent":
            return (run.parent_id,)
        case "name":
            return (run.name, run.display_name)
        case _:
            return (getattr(run, name),)


def _values(name: str, places: tuple[Place, ...], run: Run, metrics: _Metrics) -> Iterator[object]:
    if "metric" in places and name in metrics:
        yield metrics[name].last_value
    if "property" in places and name in run.properties:
        yield run.properties[name]
    if "tag" in places and name in run.tags:
        yield run.tags[name] or ""


def _is(value: object, pattern: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        wanted = _amount(pattern)
        return pattern == "*" or value == wanted or (math.isnan(value) and pattern.lower() == "nan")
    return is_like(pattern, str(value).lower() if isinstance(value, bool) else str(value))


def _amount(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return number_of(value) if isinstance(value, str) else None
