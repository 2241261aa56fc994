"""The query language for people: ``level>=warning logger:train.* phase:eval loss>0.3 "out of memory" -heartbeat``.

A word or a quoted text is looked for in the message and the attributes. ``name:value`` asks for a field (`FIELDS`) or,
by any other name, for an attribute; ``*`` in a value stands for any characters. ``name>number`` compares.
`runmill.store.terms` says how terms are told apart.
"""

import re
from typing import Final, cast

from runmill.store.condition import (
    Amount,
    Attribute,
    Comparison,
    Condition,
    Level,
    Name,
    NameField,
    Not,
    Rank,
    Regex,
    Simple,
    Text,
    Word,
)
from runmill.store.levels import HIGHEST, LEVELS
from runmill.store.terms import NAME, Term, quoted, terms

__all__ = ["FIELDS", "attribute_term", "parse"]

FIELDS: Final[dict[str, NameField]] = {
    "logger": "logger",
    "service": "service",
    "stream": "stream",
    "event": "event_name",
    "trace": "trace_id",
    "span": "span_id",
}
"""Beside ``level``, ``rank``, ``word`` and ``regex``: a word of the language, and the field of a record it means.

An attribute that is called like one of them is asked for as ``attributes.NAME``.
"""

_ATTRIBUTES: Final = "attributes."
_WORDS: Final = frozenset({*FIELDS, "level", "rank", "word", "regex"})
_LARGEST_RANK: Final = 2**31 - 1
_RANGE: Final = 4  # severity_numbers a level's name stands for

_ELSEWHERE_UNKNOWN: Final = re.compile(r"\(\?(?:<?[=!]|P=|\(|>|#)|\\[1-9Z]|[*+?}]\+|\{[\d,]*\d{4}")
_INTEGER: Final = re.compile(r"\d{1,9}", re.ASCII)


def parse(query: str) -> tuple[Condition, ...]:
    """Give what *query* asks for; nothing gives no conditions.

    Raises:
        QueryMistake: the text says at which column, what was found and what can stand there.
    """
    return tuple(Not(_condition(term)) if term.negated else _condition(term) for term in terms(query))


def attribute_term(key: str, value: str) -> str:
    """Write the term that finds records with that attribute: a text as it is, anything else as its JSON.

    An attribute whose name no term can hold is looked for by its value alone.
    """
    if not NAME.fullmatch(key):
        return quoted(value, always=True)
    return f"{_ATTRIBUTES if key in _WORDS else ''}{key}:{quoted(value)}"


def _condition(term: Term) -> Simple:
    if not term.name:
        return Text(term.value)
    if term.name == "level":
        return Level(*_levels(term))
    if term.name == "rank":
        return Rank(*_within(term, _whole(term), _whole(term), _LARGEST_RANK))
    if term.name in ("word", "regex"):
        return _of_message(term)
    if term.name in FIELDS:
        if term.compares:
            raise term.mistake(f"compares a text; use '{term.name}:VALUE', with '*' for any characters.")
        return Name(FIELDS[term.name], term.value)
    return _of_attribute(term)


def _of_attribute(term: Term) -> Simple:
    key = term.name.removeprefix(_ATTRIBUTES)
    if term.compares:
        return Amount(key, cast("Comparison", term.operator), term.number())
    return Attribute(key, term.value)


def _of_message(term: Term) -> Simple:
    if term.compares:
        raise term.mistake(f"compares a text; use '{term.name}:VALUE'.")
    if term.name == "word":
        return Word(term.value)
    try:
        re.compile(term.value)
    except re.error as error:
        raise term.mistake(f"is no regular expression: {error}.") from None
    if found := _ELSEWHERE_UNKNOWN.search(term.value):
        raise term.mistake(
            f"has {found[0]!r}, which a store does not know: nothing looks around or back, or repeats so often."
        )
    return Regex(term.value)


def _levels(term: Term) -> tuple[int, int]:
    if _INTEGER.fullmatch(term.value) and int(term.value) <= HIGHEST:
        return _within(term, int(term.value), int(term.value), HIGHEST)
    lowest = LEVELS.get(term.value.upper())
    if lowest is None:
        raise term.mistake(f"is no level; one of {', '.join(LEVELS)} or a severity_number from 0 to {HIGHEST} is.")
    return _within(term, lowest, lowest + _RANGE - 1, HIGHEST)


def _within(term: Term, lowest: int, highest: int, largest: int) -> tuple[int, int]:
    """Give the ends of what stands in this relation to the range from *lowest* to *highest*."""
    match term.operator:
        case ">=":
            return lowest, largest
        case ">":
            return highest + 1, largest
        case "<=":
            return 0, highest
        case "<":
            return 0, lowest - 1
        case _:
            return lowest, highest


def _whole(term: Term) -> int:
    if not _INTEGER.fullmatch(term.value):
        raise term.mistake("wants a whole number.")
    return int(term.value)
