"""Conditions on log records as SQL, with their values apart: what `runmill.store.condition.fits` says of one record."""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from runmill.store.condition import (
    COMPARISONS,
    NUMBER,
    Amount,
    Attribute,
    Condition,
    Level,
    Name,
    Not,
    Rank,
    Regex,
    Simple,
    Text,
    Word,
)

__all__ = ["Filter", "narrowed_by"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition in SQL and the values it names."""

    sql: str
    values: dict[str, Any]

    def narrowed(self, sql: str, **values: Any) -> "Filter":
        """Give this and *sql*."""
        return Filter(f"{self.sql} and {sql}", self.values | values)


def narrowed_by(fitting: Filter, conditions: tuple[Condition, ...]) -> Filter:
    """Give *fitting* and all *conditions*."""
    for number, condition in enumerate(conditions):
        sql, values = _written(condition, f"w{number}")
        fitting = fitting.narrowed(sql, **values)
    return fitting


def _written(condition: Condition, name: str) -> tuple[str, dict[str, Any]]:
    if isinstance(condition, Not):
        sql, values = _simple(condition.condition, name)
        return f"not coalesce({sql}, false)", values
    return _simple(condition, name)


def _simple(condition: Simple, name: str) -> tuple[str, dict[str, Any]]:  # noqa: C901, PLR0911 - a kind a line
    match condition:
        case Text(text):
            return _text(text, name)
        case Word(word):
            return _matches(name), {name: f"(^|{_NO_LETTER}){_literal(word)}($|{_NO_LETTER})"}
        case Regex(pattern):
            return _matches(name), {name: pattern}
        case Level(lowest, highest):
            return _between("severity_number", lowest, highest, name)
        case Rank(lowest, highest):
            return _between("rank", lowest, highest, name)
        case Name("logger", pattern):
            values = {name: _like(pattern), f"{name}_below": _like(f"{pattern}.*")}
            return f"(lower(logger) like ${name} {_ESCAPE} or lower(logger) like ${name}_below {_ESCAPE})", values
        case Name(field, pattern):
            return f"lower({field}) like ${name} {_ESCAPE}", {name: _like(pattern)}
        case Attribute(key, pattern):
            value, values = _attribute(key, name)
            return f"({value} and lower({_VALUE.format(name)}) like ${name} {_ESCAPE})", values | {name: _like(pattern)}
        case Amount(key, comparison, number):
            assert comparison in COMPARISONS, "it stands in SQL as it is"
            value, values = _attribute(key, name)
            amount = f"try_cast(regexp_extract({_VALUE.format(name)}, '^{NUMBER}$') as double)"
            return f"({value} and {amount} {comparison} ${name})", values | {name: number}


_NO_LETTER: Final = r"[^\pL\pN_]"
_ESCAPE: Final = "escape '\\'"
_VALUE: Final = "json_extract_string(attributes, ${}_path)"


def _text(text: str, name: str) -> tuple[str, dict[str, Any]]:
    # Attributes are JSON text: what was a quote or a line's end there is looked for in JSON's spelling.
    sql = (
        f"(contains(lower(body), lower(if(body_is_json, ${name}_json, ${name}))) "
        f"or contains(lower(attributes), lower(${name}_json)))"
    )
    return sql, {name: text, f"{name}_json": orjson.dumps(text).decode()[1:-1]}


def _matches(name: str) -> str:
    return f"regexp_matches(body, ${name}, 'i')"


def _literal(text: str) -> str:
    return "".join(each if each.isalnum() else f"\\x{{{ord(each):x}}}" for each in text)


def _between(column: str, lowest: int, highest: int, name: str) -> tuple[str, dict[str, Any]]:
    return f"{column} between ${name}_low and ${name}_high", {f"{name}_low": lowest, f"{name}_high": highest}


def _attribute(key: str, name: str) -> tuple[str, dict[str, Any]]:
    """Give what most rows without the attribute fail at, before any JSON is parsed, and the values of `_VALUE`."""
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    return f"contains(attributes, ${name}_key)", {f"{name}_key": orjson.dumps(key).decode() + ":", f"{name}_path": path}


def _like(pattern: str) -> str:
    escaped = pattern.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")
