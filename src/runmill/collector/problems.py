"""Mistakes in a section, told to a person: where, what was found, what to write instead."""

import difflib
from collections.abc import Iterable, Iterator
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runmill.collector.values import Section

__all__ = ["did_you_mean", "explain", "sections_in"]

_NEEDED = {
    "int": "a whole number, such as 8192",
    "float": "a number, such as 0.5",
    "bool": "true or false",
    "string": "text; put it in quotes",
    "list": "a list, such as [a, b]",
    "model": "a mapping of keys to values",
    "dict": "a mapping of keys to values",
}
"""By the first word of pydantic's error type: ``int_parsing``, ``int_type`` and ``int_from_float`` are one mistake."""


def explain(error: ValidationError, *, section: type[Section], path: str) -> Iterator[str]:
    """Yield one line a mistake of *error*, which came from reading *section* at *path*."""
    for details in error.errors(include_url=False, include_context=True):
        yield f"{_join(path, details['loc'])}: {_what_to_do(details, section)}"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Give `` Did you mean 'x'?`` for the nearest of *known*, or nothing when none is near."""
    nearest = difflib.get_close_matches(wrong, list(known), n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _what_to_do(details: ErrorDetails, section: type[Section]) -> str:
    kind, found = details["type"], details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], section)
    if kind == "missing":
        return f"is required. Add '{details['loc'][-1]}:' here."
    if kind == "union_tag_invalid":
        return f"{details['ctx']['tag']!r} is none of {details['ctx']['expected_tags']}. Correct or remove it."
    if kind == "value_error":
        return f"{details['ctx']['error']}."
    needed = _NEEDED.get(kind.split("_")[0], details["msg"].removeprefix("Input should be "))
    return f"{found!r} cannot be taken: it must be {needed}."


def _unknown_key(location: tuple[int | str, ...], section: type[Section]) -> str:
    *parents, wrong = location
    owners = [section]
    for key in parents:
        if isinstance(key, str):
            # The member of a list is one of several sections: its `type` says which.
            fields = [one.model_fields[key] for one in owners if key in one.model_fields]
            owners = [one for one in owners if _type_of(one) == key] or [
                below for field in fields for below in sections_in(field.annotation)
            ]
    for one in owners:
        if str(wrong) in one.not_here:
            return f"is not taken here: {one.not_here[str(wrong)]}."
    known = sorted({field.alias or name for one in owners for name, field in one.model_fields.items()})
    return f"unknown key (known: {', '.join(known) or 'none'}).{did_you_mean(str(wrong), known)} Correct or remove it."


def sections_in(annotation: object) -> list[type[Section]]:
    """Give the sections that a key of this type may hold, also in lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for argument in get_args(annotation) for section in sections_in(argument)]


def _type_of(section: type[Section]) -> str | None:
    field = section.model_fields.get("type")
    return next(iter(get_args(field.annotation)), None) if field is not None else None


def _join(path: str, location: tuple[int | str, ...]) -> str:
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
