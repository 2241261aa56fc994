"""The files a program leaves in known folders, kept in its run: logs while they grow, everything at the end."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

__all__ = ["KeepsFiles", "KeptFiles"]

_GROWTH: Final = 1.5
"""A file is kept anew once it has grown by this: all the versions of a log take three times its last size at most."""

_TICK_NANO: Final = 10_000_000
"""Files' times come from a clock that ticks this seldom: one made just now may look as old."""

_Seen = tuple[int, int]


class KeepsFiles(Protocol):
    """What is asked of a run."""

    def keep_file(self, name: str, path: Path) -> bool:
        """Keep a file under a name; False: it cannot be read, which was said."""


class KeptFiles:
    """The files below some folders of a program, and which versions of them the run has.

    Args:
        run: Where they are kept.
        folder: Where the program runs.
        since_unix_nano: Files that were not changed since are not the program's.
    """

    def __init__(self, run: KeepsFiles, folder: Path, *, since_unix_nano: int) -> None:
        self._run = run
        self._folder = folder
        self._since = since_unix_nano - _TICK_NANO
        self._kept: dict[str, _Seen] = {}

    def keep_grown(self, folders: Sequence[str]) -> None:
        """Keep the files below *folders* that are new or much longer than when they were last kept."""
        for name, path in self._files(folders):
            self.keep_file(name, path, only_if_grown=True)

    def keep_all(self, folders: Sequence[str]) -> None:
        """Keep every file below *folders* as it is now, unless it was kept so."""
        for name, path in self._files(folders):
            self.keep_file(name, path)

    def keep_file(self, name: str, path: Path, *, only_if_grown: bool = False) -> None:
        """Keep one file under a name of its own."""
        try:
            facts = path.stat()
        except OSError:  # gone again
            return
        # A copy may keep the old time of what it was copied from; the time of its own change is new.
        is_theirs = stat.S_ISREG(facts.st_mode) and max(facts.st_mtime_ns, facts.st_ctime_ns) >= self._since
        seen = facts.st_size, facts.st_mtime_ns
        if is_theirs and self._is_wanted(seen, self._kept.get(name), only_if_grown) and self._run.keep_file(name, path):
            self._kept[name] = seen

    @staticmethod
    def _is_wanted(seen: _Seen, known: _Seen | None, only_if_grown: bool) -> bool:  # noqa: FBT001 - private
        if known is None:
            return seen[0] > 0 or not only_if_grown
        return seen[0] > known[0] * _GROWTH if only_if_grown else seen != known

    def _files(self, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
        for folder in folders:
            root = self._folder / folder
            for parent, _, names in os.walk(root):
                for path in sorted(Path(parent, name) for name in names):
                    yield (Path(folder) / path.relative_to(root)).as_posix(), path
