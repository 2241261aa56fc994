"""The query language for people: ``level>=warning logger:train.* phase:eval loss>0.3 "out of memory" -heartbeat``.

Terms are separated by blanks and all of them must hold; ``-`` before a term turns it round. A word or a quoted text is
looked for in the message and the attributes. ``name:value`` asks for a field (`FIELDS`) or, by any other name, for an
attribute; ``*`` in a value stands for any characters. ``name>number`` compares. Quotes keep blanks and signs together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from runmill.errors import InvalidArgument
from runmill.store.condition import (
    COMPARISONS,
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

__all__ = ["FIELDS", "parse", "parse_metrics"]

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
_LARGEST_RANK: Final = 2**31 - 1
_RANGE: Final = 4  # severity_numbers a level's name stands for

_END: Final = r"(?=\s|$)"
_QUOTED: Final = r'"(?P<{}>(?:[^"\\]|\\.)*)"' + _END
# `://` is an address and `12:30` a time, no fields: people paste them.
_TERM: Final = re.compile(
    rf"""\s*(?P<minus>-?)(?:
      {_QUOTED.format("text")}
    | (?P<name>[^\W\d][^\s":=<>!]*)(?P<operator>>=|<=|!=|[:=<>])(?!//)
      (?:{_QUOTED.format("quoted")}|(?P<bare>[^\s"]*){_END})
    | (?P<word>[^\s"]+){_END})""",
    re.VERBOSE,
)
_ELSEWHERE_UNKNOWN: Final = re.compile(r"\(\?(?:<?[=!]|P=|\(|>|#)|\\[1-9Z]|[*+?}]\+|\{[\d,]*\d{4}")
_INTEGER: Final = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Term:
    """``name operator value`` as it was written, with the column (from 1) it begins at."""

    column: int
    name: str
    operator: str
    value: str

    def mistake(self, what: str) -> InvalidArgument:
        return _mistake(self.column, f"{self.name + self.operator + self.value!r} {what}")


def parse(query: str) -> tuple[Condition, ...]:
    """Give what *query* asks for; nothing gives no conditions.

    Raises:
        InvalidArgument: the text says at which column, what was found and what can stand there.
    """
    return tuple(_conditions(query))


def parse_metrics(query: str) -> tuple[Amount, ...]:
    """Give what *query*, such as ``mse<0.3 epoch>=10``, asks of the last values of a run's metrics.

    Raises:
        InvalidArgument: as `parse`; also where a term is no comparison.
    """
    return tuple(_metric(found) for found in _terms(query))


def _metric(found: re.Match[str]) -> Amount:
    operator = found["operator"]
    if found["minus"] or operator not in COMPARISONS:
        column = found.start("minus") + 1
        raise _mistake(column, f"{found[0].strip()!r} compares no metric: write it like 'mse<0.3' or 'epoch>=10'.")
    value = found["bare"] if found["quoted"] is None else _unquoted(found["quoted"])
    return Amount(found["name"], operator, _number(_Term(found.start("name") + 1, found["name"], operator, value)))


def _conditions(query: str) -> Iterator[Condition]:
    for found in _terms(query):
        condition = _condition(found)
        yield Not(condition) if found["minus"] or found["operator"] == "!=" else condition


def _terms(query: str) -> Iterator[re.Match[str]]:
    end, place = len(query.rstrip()), 0
    while place < end:
        found = _TERM.match(query, place)
        if found is None:
            column = place + len(query[place:]) - len(query[place:].lstrip()) + 1
            raise _mistake(column, f"{query[column - 1 :]!r} has a quote that is not closed, or one inside a word.")
        yield found
        place = found.end()


def _condition(found: re.Match[str]) -> Simple:
    if found["name"] is None:
        return Text(found["word"] or _unquoted(found["text"] or ""))
    quoted = found["quoted"]
    value = found["bare"] if quoted is None else _unquoted(quoted)
    term = _Term(found.start("name") + 1, found["name"], found["operator"], value)
    if found["minus"] and term.operator == "!=":
        raise term.mistake("says no twice: write it without '-', or with ':'.")
    if not value and quoted is None:
        raise term.mistake(f'wants a value. To find the text itself, quote it: "{term.name}{term.operator}".')
    return _of_field(term)


def _of_field(term: _Term) -> Simple:
    if term.name == "level":
        return Level(*_levels(term))
    if term.name == "rank":
        return Rank(*_within(term, _whole(term), _whole(term), _LARGEST_RANK))
    if term.name in ("word", "regex"):
        return _of_message(term)
    compared = term.operator in ("<", "<=", ">", ">=")
    if term.name in FIELDS:
        if compared:
            raise term.mistake(f"compares a text; use '{term.name}:VALUE', with '*' for any characters.")
        return Name(FIELDS[term.name], term.value)
    key = term.name.removeprefix(_ATTRIBUTES)
    return Amount(key, cast("Comparison", term.operator), _number(term)) if compared else Attribute(key, term.value)


def _of_message(term: _Term) -> Simple:
    if term.operator not in (":", "=", "!="):
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


def _levels(term: _Term) -> tuple[int, int]:
    if _INTEGER.fullmatch(term.value) and int(term.value) <= HIGHEST:
        return _within(term, int(term.value), int(term.value), HIGHEST)
    lowest = LEVELS.get(term.value.upper())
    if lowest is None:
        raise term.mistake(f"is no level; one of {', '.join(LEVELS)} or a severity_number from 0 to {HIGHEST} is.")
    return _within(term, lowest, lowest + _RANGE - 1, HIGHEST)


def _within(term: _Term, lowest: int, highest: int, largest: int) -> tuple[int, int]:
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


def _whole(term: _Term) -> int:
    if not _INTEGER.fullmatch(term.value):
        raise term.mistake("wants a whole number.")
    return int(term.value)


def _number(term: _Term) -> float:
    try:
        return float(term.value)
    except ValueError:
        raise term.mistake("compares with a number; for texts there are ':' and '*'.") from None


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _mistake(column: int, what: str) -> InvalidArgument:
    return InvalidArgument(f"query, column {column}: {what}")
