"""Which files there are now.

A folder is listed again only when it has changed, so that ten thousand files that rest cost next to nothing.
"""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from runmill.collector.files.patterns import (
    ANY_FOLDERS,
    expand_braces,
    is_plain,
    matches,
    matches_part,
    parts_of,
)

__all__ = ["Finder", "Found", "look_at"]

# A folder's time may be as coarse as this; within it, another file may come without changing it.
_COARSE_NANOSECONDS: Final = 2_000_000_000
# Where a folder's time says nothing (some network file systems), this is how long a new file may stay unseen.
_LISTED_AGAIN_SECONDS: Final = 10.0


class Found(NamedTuple):
    """A regular file."""

    path: str
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class _Listing:
    names: list[str]
    folders: list[str]
    changed_nanoseconds: int
    listed_seconds: float
    is_settled: bool


_NOTHING: Final = _Listing([], [], 0, 0, is_settled=False)
"""Of a folder that is not there."""


class Finder:
    """Finds the files of patterns, each once however many names it has."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str] = ()) -> None:
        self._include = [parts_of(pattern) for one in include for pattern in expand_braces(one)]
        self._exclude = [parts_of(pattern) for one in exclude for pattern in expand_braces(one)]
        self._listings: dict[str, _Listing] = {}
        self._walked: dict[str, _Listing] = {}
        """The folders that the paths found last depend on."""
        self._found: tuple[str, ...] = ()

    def find(self) -> tuple[str, ...]:
        """Give the paths of what the patterns stand for and `exclude` does not, in order, each once.

        It is the very same tuple as the last one when no folder has changed.
        """
        walked = tuple(self._walked.items())
        if not walked or any(self._listing(folder) is not listing for folder, listing in walked):
            self._walked.clear()
            found = dict.fromkeys(path for pattern in self._include for path in self._walk("/", pattern, ()))
            paths = tuple(path for path in found if not self._is_excluded(path))
            self._found = self._found if paths == self._found else paths
        return self._found

    def _is_excluded(self, path: str) -> bool:
        return bool(self._exclude) and any(matches(one, parts_of(path)) for one in self._exclude)

    def _walk(self, folder: str, pattern: Sequence[str], above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        part, *rest = pattern
        if part == ANY_FOLDERS:
            yield from self._walk_all(folder, pattern, above)
        elif rest:
            for name in [part] if is_plain(part) else self._matching_folders(folder, part):
                yield from self._walk(os.path.join(folder, name), rest, above)  # noqa: PTH118 - called for each file
        elif is_plain(part):
            yield os.path.join(folder, part)  # noqa: PTH118 - as above
        else:
            names = self._listing(folder).names
            yield from (os.path.join(folder, name) for name in names if matches_part(part, name))  # noqa: PTH118

    def _walk_all(self, folder: str, pattern: Sequence[str], above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        """Walk *folder* and all folders below it; a link that leads back to one above is not followed."""
        try:
            status = os.stat(folder)  # noqa: PTH116 - as above
        except OSError:
            self._walked[folder] = _NOTHING
            return
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return
        if rest := pattern[1:]:
            yield from self._walk(folder, rest, above)
        else:
            yield from self._walk(folder, ("*",), above)
        for name in self._listing(folder).folders:
            yield from self._walk_all(os.path.join(folder, name), pattern, (*above, identity))  # noqa: PTH118

    def _matching_folders(self, folder: str, part: str) -> Iterator[str]:
        return (name for name in self._listing(folder).folders if matches_part(part, name))

    def _listing(self, folder: str) -> _Listing:
        known = self._listings.get(folder)
        try:
            changed = os.stat(folder).st_mtime_ns  # noqa: PTH116 - as above
        except OSError:
            self._listings.pop(folder, None)
            self._walked[folder] = _NOTHING
            return _NOTHING
        now = time.monotonic()
        is_known = known is not None and known.is_settled and known.changed_nanoseconds == changed
        if known is not None and is_known and now - known.listed_seconds < _LISTED_AGAIN_SECONDS:
            self._walked[folder] = known
            return known
        is_settled = abs(time.time_ns() - changed) > _COARSE_NANOSECONDS
        names, folders = _list(folder)
        listing = self._listings[folder] = _Listing(names, folders, changed, now, is_settled)
        self._walked[folder] = listing
        return listing


def _list(folder: str) -> tuple[list[str], list[str]]:
    """Give the names in a folder and those of them that are folders, sorted; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, _is_folder(entry)) for entry in entries)
    except OSError:
        return [], []
    return [name for name, is_folder in found if not is_folder], [name for name, is_folder in found if is_folder]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def look_at(path: str) -> Found | None:
    """Give a file and its state; None for what is not there, is no regular file, or may not be looked at."""
    try:
        status = os.stat(path)  # noqa: PTH116 - called for each file
    except OSError:
        return None
    return Found(path, status) if stat.S_ISREG(status.st_mode) else None
