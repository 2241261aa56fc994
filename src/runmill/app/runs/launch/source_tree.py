"""The files of a source folder that are code: what the ignore files and common sense leave of it.

``.amlignore`` in the folder is the whole rule where it is there; else each folder's ``.gitignore`` counts, as for git.
Both have git's syntax.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.app.runs.launch.ignore_rules import IgnoreRules, parse

__all__ = ["SourceEntry", "source_entries"]

_NEVER: Final = frozenset(
    {".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache",
     ".tox", "node_modules"}
)  # fmt: skip
_ENVIRONMENT_MARKS: Final = ("pyvenv.cfg", "conda-meta")
"""A folder with one of these is a Python environment: never code, and useless as a copy."""


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A file, or a link to a folder (which is not entered)."""

    name: str
    """Relative to the source folder, with slashes."""
    path: Path
    size_bytes: int
    is_folder_link: bool = False


def source_entries(folder: Path, *, leave_out: Path) -> Iterator[SourceEntry]:
    """Yield the files of *folder* by name; *leave_out* and all below it are not looked at.

    A file that cannot be looked at is left aside, as is what is neither file nor folder.
    """
    only = _rules_in(folder / ".amlignore")
    yield from _below(folder, "", [] if only is None else [("", only)], leave_out, reads_gitignore=only is None)


_Rules = list[tuple[str, IgnoreRules]]
"""Of each folder above: its name with a slash behind it, and what its ignore file says."""


def _below(
    folder: Path, prefix: str, rules: _Rules, leave_out: Path, *, reads_gitignore: bool
) -> Iterator[SourceEntry]:
    if folder == leave_out:
        return
    own = _rules_in(folder / ".gitignore") if reads_gitignore else None
    if own is not None:
        rules = [*rules, (prefix, own)]
    for path in _children(folder):
        name = prefix + path.name
        kind = _kind(path)
        if kind == "folder":
            if path.name not in _NEVER and not _is_environment(path) and not _is_ignored(name, rules, is_folder=True):
                yield from _below(path, f"{name}/", rules, leave_out, reads_gitignore=reads_gitignore)
        elif kind is not None and not _is_ignored(name, rules, is_folder=False):
            size = path.stat().st_size if kind == "file" else 0
            yield SourceEntry(name, path, size, is_folder_link=kind == "folder link")


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _kind(path: Path) -> str | None:
    try:
        mode = path.stat().st_mode
    except OSError:  # a link that leads nowhere, or a folder we may not enter
        return None
    if stat.S_ISDIR(mode):
        return "folder link" if path.is_symlink() else "folder"
    return "file" if stat.S_ISREG(mode) and os.access(path, os.R_OK) else None


def _is_environment(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _ENVIRONMENT_MARKS)


def _is_ignored(name: str, rules: _Rules, *, is_folder: bool) -> bool:
    """Ask the nearest folder first: the last rule that says anything decides. Source: gitignore(5)."""
    for prefix, own in reversed(rules):
        said = own.verdict(name[len(prefix) :], is_folder=is_folder)
        if said is not None:
            return said
    return False


def _rules_in(file: Path) -> IgnoreRules | None:
    try:
        return parse(file.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return None
