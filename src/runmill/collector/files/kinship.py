"""Which known files an unknown one may be, by where it is, by how it begins, and by its name."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from runmill.collector.files.content import Content, CorruptFile
from runmill.collector.files.cursors import Cursor
from runmill.collector.files.mark import hash_of

__all__ = ["Kinship"]

_ROTATED: Final = re.compile(r"[.\-_]\d")


class Kinship:
    """Looks up cursors, newest first; made for one round, as cursors change."""

    def __init__(self, cursors: Iterable[Cursor]) -> None:
        self._by_identity = defaultdict[tuple[int, int], list[Cursor]](list)
        self._by_head = defaultdict[int, dict[bytes, list[Cursor]]](dict)
        for cursor in sorted(cursors, key=lambda cursor: -cursor.file_id):
            self._by_identity[cursor.device, cursor.inode].append(cursor)
            if size := cursor.mark.head_size:
                self._by_head[size].setdefault(cursor.mark.head_hash, []).append(cursor)

    def of_identity(self, identity: tuple[int, int]) -> list[Cursor]:
        """Give the cursors of files that had this device and inode."""
        return self._by_identity.get(identity, [])

    def alike(self, content: Content, path: str) -> Iterator[Cursor]:
        """Yield those that begin with the same bytes, and whose names say that this may be their file rotated."""
        try:
            head = content.read(0, max(self._by_head, default=0))
        except (OSError, CorruptFile):
            return
        for size, by_hash in self._by_head.items():
            if size <= len(head):
                yield from (one for one in by_hash.get(hash_of(head[:size]), ()) if _is_related(path, one.path))


def _is_related(path: str, original: str) -> bool:
    """Say whether *path* is what a rotated *original* may be called.

    Of ``app.log``: ``app.log`` itself in another folder, ``app.log.1.gz``, ``app-20261122.log``, ``app.1.log``.
    """
    name, old = os.path.basename(path), os.path.basename(original)  # noqa: PTH119 - called for each pair of files
    stem, suffix = os.path.splitext(old)  # noqa: PTH122 - as above
    if name.startswith(old):
        return True
    return name.startswith(stem) and _ROTATED.match(name[len(stem) :]) is not None and suffix in name
