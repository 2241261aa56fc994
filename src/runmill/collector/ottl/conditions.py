"""A condition, read once into a callable; what it does not support is refused by name, at its column.

```text
either     = both { "or" both }
both       = negated { "and" negated }
negated    = "not" negated | "(" either ")" | comparison
comparison = value [ ("==" | "!=" | "<" | "<=" | ">" | ">=") value ]
value      = text | number | true | false | nil | SEVERITY_NUMBER_... | path [ "[" text "]" ] | Function "(" ... ")"
```
"""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from runmill.collector.ottl.values import CONTEXTS, ENUMS, FUNCTIONS, ContextName, Value, look_up, look_up_in_body
from runmill.collector.ottl.words import Mistake, Word, words
from runmill.collector.processors.records import Element

__all__ = ["Condition", "Mistake", "parse"]

Condition: TypeAlias = Callable[[Element], bool]

_ORDER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_CONSTANTS: Final[Mapping[str, object]] = {"true": True, "false": False, "nil": None, **ENUMS}
_DEPTH: Final = 50


def parse(condition: str, context: ContextName = "log") -> Condition:
    """Compile a condition on *context*. Raises Mistake, which names the column and what to write instead."""
    parser = _Parser(condition, context)
    found = parser.either()
    parser.expect_end()
    return found


class _Parser:
    """Goes through the words once, from left to right."""

    def __init__(self, condition: str, context: ContextName) -> None:
        self._words = list(words(condition))
        self._prefix = f"{context}."
        self._paths, self._maps = CONTEXTS[context].paths, CONTEXTS[context].maps
        self._at = 0
        self._depth = 0

    def either(self) -> Condition:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda element: any(part(element) for part in parts)

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise Mistake(f"{self._next.text!r} is not expected here. Join conditions with and, or", self._next.column)

    def _both(self) -> Condition:
        parts = [self._negated()]
        while self._take("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda element: all(part(element) for part in parts)

    def _negated(self) -> Condition:
        self._depth += 1
        if self._depth > _DEPTH:
            raise Mistake(f"nested deeper than {_DEPTH} levels. Write several conditions", self._next.column)
        try:
            if self._take("not"):
                inner = self._negated()
                return lambda element: not inner(element)
            if self._take("("):
                inner = self.either()
                self._expect(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        first = self._next
        left = self._value()
        sign = self._next.text if self._next.kind == "operator" else ""
        if sign not in ("==", "!=", *_ORDER):
            if first.text not in (*FUNCTIONS, "true", "false"):
                raise Mistake(f'{first.text!r} alone is no condition. Compare it, such as with == "x"', first.column)
            return lambda element: left(element) is True
        self._at += 1
        right = self._value()
        return _compare(sign, left, right)

    def _value(self) -> Value:
        word = self._step()
        if word.kind == "string":
            return lambda _: word.text
        if word.kind == "number":
            number = float(word.text) if "." in word.text else int(word.text)
            return lambda _: number
        if word.kind != "name":
            shown = repr(word.text) if word.text else "the end"
            raise Mistake(f"{shown} stands where a value is expected", word.column)
        if word.text in _CONSTANTS:
            constant = _CONSTANTS[word.text]
            return lambda _: constant
        return self._function(word) if self._next.text == "(" else self._path(word)

    def _function(self, name: Word) -> Value:
        if name.text not in FUNCTIONS:
            raise Mistake(_unknown("function", name.text, FUNCTIONS), name.column)
        count, make = FUNCTIONS[name.text]
        self._expect("(")
        starts, arguments = [self._next], [self._value()]
        while self._take(","):
            starts.append(self._next)
            arguments.append(self._value())
        self._expect(")")
        if len(arguments) != count:
            raise Mistake(f"{name.text} takes {count} arguments, not {len(arguments)}", name.column)
        if name.text == "IsMatch":
            _check_pattern(starts[1])
        return make(*arguments)

    def _path(self, first: Word) -> Value:
        name = first.text
        while self._take("."):
            name += f".{self._step().text}"
        name = name.removeprefix(self._prefix)
        if self._take("["):
            key = self._step()
            self._expect("]")
            if key.kind != "string":
                raise Mistake(f'{key.text!r} is no key. Write {name}["key"]', key.column)
            if name in self._maps:
                return look_up(self._maps[name], key.text)
            if name == "body" and name in self._paths:
                return look_up_in_body(key.text)
        elif name in self._paths:
            return self._paths[name]
        known = (*self._paths, *(f'{each}["key"]' for each in self._maps))
        raise Mistake(_unknown("path", name, known), first.column)

    @property
    def _next(self) -> Word:
        return self._words[self._at]

    def _step(self) -> Word:
        word = self._next
        self._at += word.kind != "end"
        return word

    def _take(self, text: str) -> bool:
        found = self._next.kind in ("name", "operator") and self._next.text == text
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._take(text):
            shown = repr(self._next.text) if self._next.text else "the end"
            raise Mistake(f"{text!r} is expected, not {shown}", self._next.column)


def _compare(sign: str, left: Value, right: Value) -> Condition:
    if sign == "==":
        return lambda element: _same(left(element), right(element))
    if sign == "!=":
        return lambda element: not _same(left(element), right(element))
    test = _ORDER[sign]

    def condition(element: Element) -> bool:
        one, other = left(element), right(element)
        # What cannot be ordered, such as a missing attribute, is neither less nor more.
        return _rank(one) == _rank(other) != 0 and bool(test(one, other))

    return condition


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _rank(value: Any) -> int:
    """Give what kinds of values can be ordered among themselves; 0: none."""
    if isinstance(value, bool):
        return 0
    return 1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 0


def _check_pattern(word: Word) -> None:
    if word.kind != "string":
        raise Mistake("a pattern must stand here as text", word.column)
    try:
        re.compile(word.text)
    except re.error as error:
        raise Mistake(f"{word.text!r} is no regular expression: {error}", word.column) from error


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"the {kind} {name!r} is not supported{hint} (supported: {', '.join(known)})"
