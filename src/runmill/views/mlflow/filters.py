"""Search filters of MLflow: ``metrics.loss < 0.5 and params.model = 'ridge' and status != 'FAILED'``.

Comparisons joined by ``and``. There is no ``or`` and there are no parentheses, as in MLflow itself.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from runmill.errors import InvalidArgument

__all__ = ["NAME", "Clause", "Entity", "Names", "Value", "fits", "parse_clauses", "parse_name"]

Entity = Literal["attribute", "metric", "param", "tag"]
Value: TypeAlias = "str | float | None"
"""What a run, or an experiment, has under a name; None where it has nothing."""

Names: TypeAlias = Mapping[Entity, Mapping[str, type] | type]
"""What may be asked of each entity: the type of its values, or of each name where not every name is known."""

_ENTITIES: Final[Mapping[str, Entity]] = {
    **dict.fromkeys(("", "attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
}

# A key with blanks or other signs stands in backquotes or in double quotes.
NAME: Final = r"(?:(?P<entity>\w+)\.)?(?P<key>`[^`]+`|\"[^\"]+\"|[\w./-]+)"
_CLAUSE: Final = re.compile(
    rf"""\s*{NAME}\s*
    (?P<operator>>=|<=|!=|=|<|>|i?like\b|not\s+in\b|in\b|is\s+not\s+null\b|is\s+null\b)\s*
    (?P<value>'[^']*'|"[^"]*"|\([^()]*\)|(?!and\s)[-+.\w]+)?\s*
    (?:and\s|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED: Final = re.compile(r"""'([^']*)'|"([^"]*)\"""")

_ORDERS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    entity: Entity
    key: str
    operator: str
    """In lower case, with single blanks."""
    value: "str | float | tuple[str, ...] | None"


def parse_clauses(text: str, known: Names) -> list[Clause]:
    """Read a filter; nothing gives no clause.

    Raises:
        InvalidArgument: *text* is no filter, or asks for what is not *known*; the message says where.
    """
    clauses, position = [], 0
    while text[position:].strip():
        match = _CLAUSE.match(text, position)
        if match is None:
            raise InvalidArgument(
                f"filter {text!r}: not understood from {text[position:].strip()!r} on. Write comparisons like "
                "metrics.loss < 0.5 or tags.phase = 'eval', joined by 'and'; there is no 'or'."
            )
        clauses.append(_clause(match, known))
        position = match.end()
    return clauses


def parse_name(entity: str | None, key: str, known: Names) -> tuple[Entity, str, type]:
    """Give what a name means, without its quotes, and the type of its values. Raises InvalidArgument."""
    found = _ENTITIES.get((entity or "").lower())
    if found is None or found not in known:
        raise InvalidArgument(f"{entity}.{key}: {entity!r} cannot be asked for; {', '.join(known)} can.")
    kinds, name = known[found], key.strip('`"')
    if isinstance(kinds, type):
        return found, name, kinds
    if name.lower() not in kinds:
        raise InvalidArgument(f"attribute {name!r} cannot be asked for; {', '.join(kinds)} can.")
    return found, name.lower(), kinds[name.lower()]


def fits(clause: Clause, actual: Value) -> bool:
    """Say whether the comparison holds of a value; of what is not there, only ``is null`` does."""
    if clause.operator in ("is null", "is not null"):
        return (actual is None) == (clause.operator == "is null")
    return actual is not None and _holds(clause, actual)


def _holds(clause: Clause, actual: "str | float") -> bool:
    expected = clause.value
    match clause.operator:
        case "=" | "!=":
            return (actual == expected) == (clause.operator == "=")
        case "in" | "not in":
            assert isinstance(expected, tuple), "parsed so"
            return (actual in expected) == (clause.operator == "in")
        case "like" | "ilike":
            flags = re.DOTALL | (re.IGNORECASE if clause.operator == "ilike" else 0)
            return re.fullmatch(_pattern(str(expected)), str(actual), flags) is not None
    return isinstance(actual, int | float) and _ORDERS[clause.operator](actual, expected)  # type: ignore[arg-type]  # parsed


def _pattern(text: str) -> str:
    """Give SQL's pattern as a regular expression: ``%`` is anything, ``_`` any one character."""
    return re.escape(text).replace("%", ".*").replace("_", ".")


def _clause(match: re.Match[str], known: Names) -> Clause:
    entity, key, kind = parse_name(match["entity"], match["key"], known)
    comparison = " ".join(match["operator"].lower().split())
    if comparison not in _allowed(kind):
        raise InvalidArgument(f"filter {match[0].strip()!r}: {key!r} can be asked with {', '.join(_allowed(kind))}.")
    value = _number(match) if kind is float else _text(match, comparison)
    return Clause(entity, key, comparison, value)


def _allowed(kind: type) -> tuple[str, ...]:
    if kind is float:
        return ("=", "!=", "<", "<=", ">", ">=")
    return ("=", "!=", "like", "ilike", "in", "not in", "is null", "is not null")


def _number(match: re.Match[str]) -> float:
    try:
        return float(match["value"] or "")
    except ValueError:
        raise InvalidArgument(f"filter {match[0].strip()!r}: {match['key']!r} is compared with a number.") from None


def _text(match: re.Match[str], comparison: str) -> "str | tuple[str, ...] | None":
    written = match["value"] or ""
    texts = tuple(single or double for single, double in _QUOTED.findall(written))
    if comparison.endswith("null") and not written:
        return None
    if comparison.endswith("in") and written.startswith("("):
        return texts
    if comparison.endswith("in") or len(texts) != 1 or written.startswith("("):
        raise InvalidArgument(
            f"filter {match[0].strip()!r}: {match['key']!r} is compared with a text in quotes, 'in' with several: "
            "('a', 'b')."
        )
    return str(texts[0])
