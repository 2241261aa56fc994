"""What can be asked of a single log record, and whether a record in hand fits: an engine says the same in its SQL.

Texts are compared in any case. A pattern is text with ``*`` for any characters, none included.
"""

import base64
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import orjson

from runmill.model import AttributeValue, LogRecord

__all__ = [
    "COMPARISONS", "NUMBER", "Amount", "Attribute", "Comparison", "Condition", "Level", "Name", "NameField", "Not",
    "Rank", "Regex", "Simple", "Text", "Word", "fits", "is_like", "number_of",
]  # fmt: skip

NameField = Literal["logger", "service", "stream", "event_name", "trace_id", "span_id"]
Comparison = Literal["<", "<=", ">", ">="]

COMPARISONS: Final[dict[Comparison, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

NUMBER: Final = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""How a number is written, as a regular expression that every engine knows."""


@dataclass(frozen=True, slots=True)
class Text:
    """Found anywhere in the body or the attributes."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """Found in the body with no letter, digit or underscore on either side."""

    word: str


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression that matches somewhere in the body: what every engine knows, nothing that looks around."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Level:
    """A severity_number between two, both included."""

    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Name:
    """A field that is like a pattern; a logger also when a parent of it is."""

    field: NameField
    pattern: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that is there, and like a pattern: a text as it is, any other value as its JSON."""

    key: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Rank:
    """A rank between two, both included; a record without one does not fit."""

    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Amount:
    """An attribute that is a number, or a text that reads as one, compared with a number."""

    key: str
    comparison: Comparison
    number: float


@dataclass(frozen=True, slots=True)
class Not:
    """All records that do not fit."""

    condition: "Simple"


Simple: TypeAlias = Text | Word | Regex | Level | Name | Attribute | Rank | Amount
Condition: TypeAlias = Simple | Not


def fits(condition: Condition, record: LogRecord) -> bool:  # noqa: C901, PLR0911 - a kind a line
    """Say whether the record fits."""
    match condition:
        case Not(inner):
            return not fits(inner, record)
        case Text(text):
            return text.lower() in _searched(record)
        case Word(word):
            return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", _body(record), re.IGNORECASE) is not None
        case Regex(pattern):
            return re.search(pattern, _body(record), re.IGNORECASE | re.ASCII) is not None
        case Level(lowest, highest):
            return lowest <= record.severity_number <= highest
        case Rank(lowest, highest):
            return record.rank is not None and lowest <= record.rank <= highest
        case Name(field, pattern):
            return _name_fits(field, pattern, getattr(record, field))
        case Attribute(key, pattern):
            return is_like(pattern, _text(record.attributes.get(key)))
        case Amount(key, comparison, number):
            amount = number_of(_text(record.attributes.get(key)))
            return amount is not None and COMPARISONS[comparison](amount, number)


def _name_fits(field: NameField, pattern: str, name: str | None) -> bool:
    return is_like(pattern, name) or (field == "logger" and is_like(f"{pattern}.*", name))


def is_like(pattern: str, text: str | None) -> bool:
    """Say whether there is a text, and it is like the pattern."""
    return text is not None and _like(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.lower().split("*"))), re.IGNORECASE | re.DOTALL)


def _searched(record: LogRecord) -> str:
    return f"{_body(record)}\n{_json(record.attributes)}".lower()


def _body(record: LogRecord) -> str:
    return record.body if isinstance(record.body, str) else _json(record.body)


def _text(value: AttributeValue) -> str | None:
    return value if isinstance(value, str) else None if value is None else _json(value)


def _json(value: object) -> str:
    return orjson.dumps(value, default=_spelled).decode()


def _spelled(value: object) -> object:
    """Spell bytes as text columns do."""
    return {"$bytes": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else str(value)


def number_of(text: str | None) -> float | None:
    """Give the number that *text* reads as."""
    return float(text) if text is not None and re.fullmatch(NUMBER, text) else None
