"""Conditions on a record, as in ``body matches "^ERROR" and attributes.user != "root"``.

A small part of the language that the OpenTelemetry Collector's operators use: `matches`, `contains`, `startsWith`,
`endsWith`, `==`, `!=`, `and`, `or`, `not`, parentheses, text in quotes, whole numbers. Anything else is refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from runmill.collector.lines.entry import Entry
from runmill.collector.lines.fields import MISSING, parse_field

__all__ = ["Condition", "parse_condition"]

Condition: TypeAlias = Callable[[Entry], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+)|(?P<sign>==|!=|&&|\|\||[()!])"""
    r"""|(?P<word>[A-Za-z_][\w-]*(?:\.[\w-]+|\["[^"]*"\]|\['[^']*'\])*))\s*"""
)
_SAME: Final = {"&&": "and", "||": "or", "!": "not"}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def _matches(value: Any, pattern: Any) -> bool:
    return isinstance(value, str) and re.search(str(pattern), value) is not None


_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda value, other: bool(value == other),
    "!=": lambda value, other: bool(value != other),
    "matches": _matches,
    "contains": lambda value, other: isinstance(value, str) and str(other) in value,
    "startsWith": lambda value, other: isinstance(value, str) and value.startswith(str(other)),
    "endsWith": lambda value, other: isinstance(value, str) and value.endswith(str(other)),
}


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises ValueError that names what is not known here."""
    reading = _Reading(text, list(_tokens(text)))
    condition = reading.either()
    if reading.rest:
        raise reading.mistake(reading.rest[0])
    return condition


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            raise ValueError(f"{text!r}: {text[at:]!r} is not understood. {_HELP}")
        token = found[0].strip()
        yield _SAME.get(token, token)
        at = found.end()


_HELP: Final = 'Write for example: body matches "^ERROR" and attributes.user != "root"'


@dataclass(slots=True)
class _Reading:
    """What is left of a condition."""

    text: str
    rest: list[str] = field(default_factory=list)

    def mistake(self, token: str) -> ValueError:
        return ValueError(f"{self.text!r}: {token!r} is not understood here. {_HELP}")

    def take(self) -> str:
        if not self.rest:
            raise ValueError(f"{self.text!r} ends too early. {_HELP}")
        return self.rest.pop(0)

    def either(self) -> Condition:
        condition = self.both()
        while self.rest[:1] == ["or"]:
            self.take()
            condition = _either(condition, self.both())
        return condition

    def both(self) -> Condition:
        condition = self.one()
        while self.rest[:1] == ["and"]:
            self.take()
            condition = _both(condition, self.one())
        return condition

    def one(self) -> Condition:
        token = self.take()
        if token == "not":  # noqa: S105 - a word, no secret
            return _negated(self.one())
        if token == "(":  # noqa: S105 - as above
            condition = self.either()
            if (closing := self.take()) != ")":
                raise self.mistake(closing)
            return condition
        return self.comparison(token)

    def comparison(self, name: str) -> Condition:
        place, operator = parse_field(name), self.take()
        test = _TESTS.get(operator)
        if test is None:
            raise self.mistake(operator)
        other = self.literal(self.take())
        if operator == "matches":
            _check_pattern(str(other))

        def compare(entry: Entry) -> bool:
            value = place.get(entry)
            return test(None if value is MISSING else value, other)

        return compare

    def literal(self, token: str) -> str | int | None:
        if token[0] in "\"'":
            return _ESCAPE.sub(r"\1", token[1:-1])
        if token.lstrip("-").isdigit():
            return int(token)
        if token == "nil":  # noqa: S105 - as above
            return None
        raise self.mistake(token)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


def _either(one: Condition, other: Condition) -> Condition:
    return lambda entry: one(entry) or other(entry)


def _both(one: Condition, other: Condition) -> Condition:
    return lambda entry: one(entry) and other(entry)


def _negated(one: Condition) -> Condition:
    return lambda entry: not one(entry)
