"""A condition's text as words, each with the column it begins in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Mistake", "Word", "words"]

Kind = Literal["string", "number", "name", "operator", "end"]

_WORD: Final = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<operator>==|!=|<=|>=|[<>()\[\].,])|(?P<end>\Z)|(?P<wrong>\S))"""
)
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


class Mistake(ValueError):  # noqa: N818 - as the package's other outcomes, named by what happened
    """What is wrong with a condition, and in which column (from 1)."""

    def __init__(self, text: str, column: int) -> None:
        super().__init__(f"column {column}: {text}")


@dataclass(frozen=True, slots=True)
class Word:
    """One word; of a string, what is between its quotes."""

    kind: Kind
    text: str
    column: int


def words(condition: str) -> Iterator[Word]:
    """Yield the words of *condition*, and one of kind ``end``. Raises Mistake at what is none."""
    at = 0
    while True:
        match = _WORD.match(condition, at)
        assert match is not None  # `wrong` and `end` match everything
        kind, at = match.lastgroup, match.end()
        column = match.start(kind or 0) + 1
        if kind == "wrong":
            raise Mistake(f"{match['wrong']!r} is not understood. Texts stand in double quotes", column)
        text = match[kind or 0]
        if kind == "string":
            text = _ESCAPED.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), text[1:-1])
        yield Word(kind, text, column)  # type: ignore[arg-type]  # the groups are the kinds
        if kind == "end":
            return
