"""Mistakes in a section, told to a person: where, what was found, what to write instead."""

import difflib
from collections.abc import Iterable, Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runmill.collector.values import Section, section_of

__all__ = ["did_you_mean", "explain"]

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
    if kind == "value_error":
        return f"{details['ctx']['error']}."
    needed = _NEEDED.get(kind.split("_")[0], details["msg"].removeprefix("Input should be "))
    return f"{found!r} cannot be taken: it must be {needed}."


def _unknown_key(location: tuple[int | str, ...], section: type[Section]) -> str:
    *parents, wrong = location
    owner: type[Section] | None = section
    for key in parents:
        owner = section_of(owner, str(key)) if owner else None
    known = sorted(owner.model_fields) if owner else []
    return f"unknown key (known: {', '.join(known) or 'none'}).{did_you_mean(str(wrong), known)} Correct or remove it."


def _join(path: str, location: tuple[int | str, ...]) -> str:
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
