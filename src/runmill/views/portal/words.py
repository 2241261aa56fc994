"""What may be typed next into a field that takes a query: names, then values of them, each with what it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import orjson

from runmill.model import AttributeValue
from runmill.store.interface import Store
from runmill.store.levels import LEVELS
from runmill.store.query import LogQuery
from runmill.store.run_search import RUN_FACTS
from runmill.store.search import FIELDS
from runmill.store.terms import quoted
from runmill.views.portal.runs_columns import Column
from runmill.views.portal.wording import count

__all__ = ["Word", "log_words", "run_words"]

Word: TypeAlias = tuple[str, str]
"""What is typed, and what it is."""

_MOST_VALUES: Final = 12
_LONGEST_VALUE: Final = 60


def run_words(columns: Iterable[tuple[Column, Sequence[str]]]) -> Iterator[Word]:
    """Yield the words of a query for runs: the columns with the values that runs have there, and the facts."""
    for column, values in columns:
        yield f"{column.name}{'<' if column.place == 'metric' else ':'}", column.place
        several = sorted(set(values))
        if len(several) <= _MOST_VALUES:
            yield from _values(column.name, several, column.place)
    yield from ((f"{fact}:", "fact") for fact in RUN_FACTS)


def log_words(store: Store, query: LogQuery, loggers: Iterable[tuple[str, int]]) -> Iterator[Word]:
    """Yield those of a query for log records: levels, fields, loggers, and attributes with some of their values."""
    yield from ((f"level>={level.lower()}", "level") for level in LEVELS)
    yield from ((f"logger:{quoted(name)}", f"{count(number)} lines") for name, number in loggers if name)
    for key in store.attribute_keys(query):
        yield f"{key.name}:", f"{count(key.count)} lines"
        yield from _values(key.name, [_text(value) for value in key.examples], "example")
    yield from ((f"{field}:", "field") for field in (*FIELDS, "rank", "word", "regex"))


def _values(name: str, values: Iterable[str], hint: str) -> Iterator[Word]:
    return ((f"{name}:{quoted(value)}", hint) for value in values if 0 < len(value) <= _LONGEST_VALUE)


def _text(value: AttributeValue) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
