"""One ignore file's rules, read as git reads them. The tests hold them against git itself.

Libraries for this answer for whole paths, folders above included; the walk here asks about one name at a time, which is
what git does and the only way that negated rules come out right.

Source: gitignore(5), PATTERN FORMAT.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["IgnoreRules", "parse"]

_NEVER: Final = "(?!)"


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    ignores: bool
    only_folders: bool


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """What a file says, in its order."""

    _rules: tuple[_Rule, ...]

    def verdict(self, name: str, *, is_folder: bool) -> bool | None:
        """Say whether *name* (relative to the file's folder) is ignored; None when no rule is about it."""
        for rule in reversed(self._rules):  # the last one that fits decides
            if (is_folder or not rule.only_folders) and rule.pattern.fullmatch(name):
                return rule.ignores
        return None


def parse(lines: Iterable[str]) -> IgnoreRules:
    """Read the lines of an ignore file; any text will do."""
    return IgnoreRules(tuple(_rule(line) for line in map(_stripped, lines) if line and not line.startswith("#")))


def _stripped(line: str) -> str:
    """Take trailing blanks away, unless the last one is escaped."""
    bare = line.rstrip(" \t\r\n")
    return f"{bare} " if bare.endswith("\\") and len(bare) < len(line) else bare


def _rule(line: str) -> _Rule:
    text = line.removeprefix("!")
    only_folders = text.endswith("/")
    text = text.removesuffix("/")
    # A slash at the beginning or in the middle binds a rule to the file's own folder.
    anywhere = "" if "/" in text else "(?:.*/)?"
    try:
        pattern = re.compile(anywhere + _translated(text.removeprefix("/")), re.DOTALL)
    except re.error:  # a range that ends before it begins
        pattern = re.compile(_NEVER)
    return _Rule(pattern, ignores=not line.startswith("!"), only_folders=only_folders)


def _translated(text: str) -> str:
    """Give the regular expression of a pattern, segment by segment: ``**`` means something only as a whole one."""
    segments = text.split("/")
    out = ""
    for position, segment in enumerate(segments):
        is_last = position == len(segments) - 1
        if segment == "**":  # any number of folders, or everything inside
            out += ".+" if is_last else "(?:.*/)?"
        else:
            out += _segment(segment) + ("" if is_last else "/")
    return out


def _segment(text: str) -> str:
    """Give the regular expression of what stands between two slashes."""
    out, at = [], 0
    while at < len(text):
        letter = text[at]
        if letter == "[":
            part, at = _letters(text, at + 1)
            out.append(part)
        elif letter == "\\":
            at += 2
            out.append(re.escape(text[at - 1 : at]) or _NEVER)
        else:
            at += 1
            out.append(_WILD.get(letter) or re.escape(letter))
    return "".join(out)


_WILD: Final = {"*": "[^/]*", "?": "[^/]"}


def _letters(text: str, at: int) -> tuple[str, int]:
    """Give the regular expression of ``[...]`` and where it ends; one that does not end fits nothing."""
    inverted = text[at : at + 1] in ("!", "^")
    at += inverted
    start, inside = at, ""
    while at < len(text) and (text[at] != "]" or at == start):
        escaped = text[at] == "\\"
        at += escaped
        inside += text[at : at + 1] if text[at : at + 1] == "-" and not escaped else re.escape(text[at : at + 1])
        at += 1
    if at >= len(text):
        return _NEVER, at
    return f"(?!/)[{'^' if inverted else ''}{inside}]", at + 1
