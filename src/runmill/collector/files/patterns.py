"""Names of files as patterns: ``*``, ``?``, ``[a-z]``, ``{one,other}``, and ``**`` for any folders, also none."""

import os
import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

__all__ = ["ANY_FOLDERS", "expand_braces", "is_plain", "matches", "matches_part", "parts_of"]

ANY_FOLDERS: Final = "**"

_BRACES: Final = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MAGIC: Final = re.compile(r"[*?\[]")


def expand_braces(pattern: str) -> list[str]:
    """Give the patterns that ``{one,other}`` stands for; innermost braces first."""
    found = _BRACES.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [one for choice in found[1].split(",") for one in expand_braces(before + choice + after)]


def parts_of(path: str) -> tuple[str, ...]:
    """Give an absolute path or pattern as the names it is made of, without the root."""
    # Not a Path: it would keep `..`, and making one for each file costs more than looking at the file.
    return tuple(part for part in os.path.abspath(path).split(os.sep) if part)  # noqa: PTH100, PTH206


def is_plain(part: str) -> bool:
    """Say whether a part of a pattern is a name."""
    return _MAGIC.search(part) is None


def matches_part(part: str, name: str) -> bool:
    """Say whether one name is what one part of a pattern stands for."""
    return _compiled(part).match(name) is not None


def matches(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Say whether a whole path, in parts, is what a pattern stands for."""
    if not pattern:
        return not path
    if pattern[0] == ANY_FOLDERS:
        return any(matches(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and matches_part(pattern[0], path[0]) and matches(pattern[1:], path[1:])


@lru_cache(maxsize=512)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))
