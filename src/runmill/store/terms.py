"""How a query for people falls into terms, whatever it asks about: words, quoted texts, ``name operator value``.

Terms are separated by blanks and all of them must hold; ``-`` before a term turns it round. Quotes keep blanks and
signs together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runmill.errors import QueryMistake

__all__ = ["NAME", "Term", "mistake_at", "quoted", "terms"]

NAME: Final = re.compile(r'[^\W\d][^\s":=<>!]*')
"""What can stand before an operator."""

_END: Final = r"(?=\s|$)"
_QUOTED: Final = r'"(?P<{}>(?:[^"\\]|\\.)*)"' + _END
# `://` is an address and `12:30` a time, no fields: people paste them.
_TERM: Final = re.compile(
    rf"""\s*(?P<minus>-?)(?:
      {_QUOTED.format("text")}
    | (?P<name>{NAME.pattern})(?P<operator>>=|<=|!=|[:=<>])(?!//)
      (?:{_QUOTED.format("quoted")}|(?P<bare>[^\s"]*){_END})
    | (?P<word>[^\s"]+){_END})""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One term as it was written."""

    column: int
    """From 1: where what follows a ``-`` begins."""
    minus: bool
    name: str
    """Empty: a text is looked for."""
    operator: str
    value: str
    """The text, or what stands after the operator; without the quotes."""

    @property
    def negated(self) -> bool:
        """Whether what it says must not hold."""
        return self.minus or self.operator == "!="

    @property
    def compares(self) -> bool:
        """Whether it asks for more or less."""
        return self.operator in ("<", "<=", ">", ">=")

    def number(self) -> float:
        """Give the value as a number. Raises QueryMistake."""
        try:
            return float(self.value)
        except ValueError:
            raise self.mistake("compares with a number; for texts there are ':' and '*'.") from None

    def mistake(self, what: str) -> QueryMistake:
        """Say *what* is wrong with it."""
        return mistake_at(self.column, f"{self.name + self.operator + self.value!r} {what}")


def terms(query: str) -> Iterator[Term]:
    """Yield the terms of *query* in their order. Raises QueryMistake where one cannot be read."""
    end, place = len(query.rstrip()), 0
    while place < end:
        found = _TERM.match(query, place)
        if found is None:
            column = place + len(query[place:]) - len(query[place:].lstrip()) + 1
            raise mistake_at(column, f"{query[column - 1 :]!r} has a quote that is not closed, or one inside a word.")
        yield _term(found)
        place = found.end()


def quoted(value: str, *, always: bool = False) -> str:
    """Write *value* as a query takes it: in quotes where it would not be read as it is."""
    if not always and value and not re.search(r'[\s"]|^//', value):
        return value
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def mistake_at(column: int, what: str) -> QueryMistake:
    """Say *what* is wrong at a column, counted from 1."""
    return QueryMistake(f"query, column {column}: {what}", column=column)


def _term(found: re.Match[str]) -> Term:
    if found["name"] is None:
        return Term(
            found.end("minus") + 1, bool(found["minus"]), "", "", found["word"] or _unquoted(found["text"] or "")
        )
    quoted = found["quoted"]
    value = found["bare"] if quoted is None else _unquoted(quoted)
    term = Term(found.start("name") + 1, bool(found["minus"]), found["name"], found["operator"], value)
    if term.minus and term.operator == "!=":
        raise term.mistake("says no twice: write it without '-', or with ':'.")
    if not value and quoted is None:
        raise term.mistake(f'wants a value. To find the text itself, quote it: "{term.name}{term.operator}".')
    return term


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
