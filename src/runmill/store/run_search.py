"""The query language for runs: ``loss<0.3 status:Completed tag.team:vision "resnet" -host:gpu-0*``.

A word or a quoted text is looked for in ids, names, experiments and tags. ``name:value`` asks for a fact (`RUN_FACTS`)
or, by any other name, for a metric, a property or a tag; ``*`` in a value stands for any characters. ``name<number``
compares, of a metric its last value. `runmill.store.terms` says how terms are told apart.
"""

from typing import Final, cast, get_args

from runmill.model import RunStatus
from runmill.store.condition import Comparison
from runmill.store.run_condition import (
    EVERYWHERE,
    Compared,
    Fact,
    FactName,
    NotRun,
    Place,
    RunCondition,
    RunText,
    Valued,
)
from runmill.store.terms import Term, terms

__all__ = ["RUN_FACTS", "parse_runs"]

RUN_FACTS: Final[tuple[FactName, ...]] = get_args(FactName)
"""What a name means first; a metric called like one of them is asked for as ``metric.NAME``."""

_PLACES: Final[tuple[Place, ...]] = get_args(Place)
_STATUSES: Final = {status.lower(): status for status in get_args(RunStatus)}


def parse_runs(query: str) -> tuple[RunCondition, ...]:
    """Give what *query* asks for; nothing gives no conditions.

    Raises:
        QueryMistake: the text says at which column, what was found and what can stand there.
    """
    return tuple(NotRun(_condition(term)) if term.negated else _condition(term) for term in terms(query))


def _condition(term: Term) -> RunText | Fact | Valued | Compared:
    if not term.name:
        return RunText(term.value)
    if term.name in RUN_FACTS:
        return _fact(term)
    head, _, rest = term.name.partition(".")
    name, places = (rest, (head,)) if head in _PLACES and rest else (term.name, EVERYWHERE)
    if term.compares:
        return Compared(name, cast("Comparison", term.operator), term.number(), places)
    return Valued(name, term.value, places)


def _fact(term: Term) -> Fact:
    if term.compares:
        raise term.mistake(
            f"compares a text; use '{term.name}:VALUE', or 'metric.{term.name}{term.operator}NUMBER' for a metric."
        )
    if term.name == "status" and "*" not in term.value and term.value.lower() not in _STATUSES:
        raise term.mistake(f"is no status; one of {', '.join(_STATUSES.values())} is.")
    return Fact(cast("FactName", term.name), term.value)
