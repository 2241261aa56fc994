"""JSON objects in text from strangers: what is nested without end is none, for nothing could encode it."""

from typing import Any, Final

import orjson

__all__ = ["read_object"]

_MOST_LEVELS: Final = 100
"""A parser takes 1,024; whoever walks them afterwards comes to the end of the stack before that."""


def read_object(text: bytes) -> dict[str, Any] | None:
    """Give the object that *text* is; None where it is something else, or nested too deep."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    # Counted first: nearly no line has so many brackets.
    may_be_deep = text.count(b"{") + text.count(b"[") > _MOST_LEVELS
    return None if may_be_deep and _is_deep(found, _MOST_LEVELS) else found


def _is_deep(value: dict[str, Any] | list[Any], levels_left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return levels_left == 0 or any(_is_deep(each, levels_left - 1) for each in inner if isinstance(each, dict | list))
