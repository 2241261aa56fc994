# ruff: noqa: INP001 - a script, not a package
"""Write the tables of keys in collector.md, each from the class that reads the keys.

``python docs/component_tables.py`` does it; a test sees to it that it was done. The section of a component is the
heading with its name, and its table the first one there; what stands around it is written by hand.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, get_args

from pydantic.fields import FieldInfo

from runmill.collector.catalog import CATALOG
from runmill.collector.problems import sections_in
from runmill.collector.receivers.operator_config import OperatorConfig
from runmill.collector.values import DURATION_SCHEMA, SIZE_SCHEMA, Section

PAGE: Final = Path(__file__).with_name("collector.md")

_HEAD: Final = "| key | default | |\n| --- | --- | --- |\n"
_UNITS: Final = ((3600, "h"), (60, "m"), (1, "s"), (1e-3, "ms"), (1e-6, "us"))
_SIZES: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_KINDS: Final = {
    "Receivers": "receivers",
    "Receiving": "receivers",
    "Exporters": "exporters",
    "Processors": "processors",
}
"""By the first word of a heading of the second level; sections of the fourth are operators."""
_OPERATOR_LEVEL: Final = 4
_LEAST: Final = 1e-9
_ALL_HAVE: Final = ("type", "id")
"""Keys of operators that are told of once."""


def components() -> Mapping[str, type[Section]]:
    """Give what has a section, by the name in its heading; of aliases, those that have one."""
    operators = {get_args(one.model_fields["type"].annotation)[0]: one for one in sections_in(OperatorConfig)}
    named = {f"{kind}.{name}": known.config for kind, found in CATALOG.items() for name, known in found.items()}
    return named | {f"operators.{name}": section for name, section in operators.items()}


def with_tables(text: str) -> str:
    """Give the page with each table as the classes have it now."""
    known, kind, parts = components(), "", list[str]()
    for part in re.split(r"(?m)^(?=#+ )", text):
        marks, _, title = part.partition("\n")[0].partition(" ")
        kind = _KINDS.get(title.split(" ")[0], kind) if marks == "##" else kind
        owner = "operators" if len(marks) == _OPERATOR_LEVEL else kind
        section = known.get(f"{owner}.{title[1:-1]}") if title.startswith("`") else None
        parts.append(part if section is None else _with_table(part, section))
    return "".join(parts)


def _with_table(part: str, section: type[Section]) -> str:
    rows = "".join(rows_of(section))
    return re.sub(r"(?m)^\| key \|.*\n\| ---.*\n(?:\|.*\n)*", lambda _: _HEAD + rows, part, count=1)


def rows_of(section: type[Section], prefix: str = "", seen: frozenset[type[Section]] = frozenset()) -> Iterator[str]:
    """Yield a row for each key of a section, and for those below it; of a section that comes again, once."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if not prefix and name in _ALL_HAVE:
            continue
        below = [] if name == "operators" else sections_in(field.annotation)
        about = _line(field.description or (below[0].__doc__ if len(below) == 1 else None) or "")
        again = " Its keys are those above." if below and seen.issuperset(below) else ""
        yield f"| `{key}` | {_default(field)} | {about}{again} |\n"
        for one in below:
            if one not in seen:
                seen |= {one}
                yield from rows_of(one, f"{key}.", seen)


def _line(text: str) -> str:
    """Give a description as it stands in a table; where it is from is told in the section."""
    words = " ".join(text.partition("Source:")[0].split())
    return words.replace("``", "`").replace("|", r"\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "" or isinstance(value, Section):
        return ""
    return f"`{_written(value, field)}`"


def _written(value: object, field: FieldInfo) -> str:
    """Write a value as a person does in YAML."""
    forms = [getattr(mark, "json_schema", None) for mark in field.metadata]
    if isinstance(value, int | float) and DURATION_SCHEMA in forms:
        return next((f"{round(value / unit)}{name}" for unit, name in _UNITS if _is_whole(value / unit)), "0")
    if isinstance(value, int) and SIZE_SCHEMA in forms:
        return next((f"{value // unit}{name}" for unit, name in _SIZES if value and value % unit == 0), str(value))
    return value if isinstance(value, str) and "\n" not in value else json.dumps(value)


def _is_whole(number: float) -> bool:
    return number >= 1 and abs(number - round(number)) < _LEAST


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
