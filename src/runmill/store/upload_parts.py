"""What came of uploads that broke off, kept in parts beside the files: ``partial/abcdef.../0-8388608``.

A part is named by the bytes it has and never changes, so senders of the same file cannot spoil each other's, and any
process that reaches the storage goes on where another one was.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from obstore.store import ObjectStore

__all__ = ["KEPT_FOR", "PART_BYTES", "Part", "UploadParts", "remove_old"]

PART_BYTES: Final = 8 << 20
"""So much of an upload is held in memory; a file of no more is not kept in parts."""

KEPT_FOR: Final = timedelta(days=7)

_FOLDER: Final = "partial"
_PIECE_BYTES: Final = 1 << 20


class Part(NamedTuple):
    """The bytes of a file from *start* up to *end*."""

    start: int
    end: int


class UploadParts:
    """The parts of one file that is not whole yet."""

    def __init__(self, store: ObjectStore, sha256: str) -> None:
        self._store = store
        self._folder = f"{_FOLDER}/{sha256}"

    def found(self) -> list[Part]:
        """Give the parts that follow each other from the first byte on."""
        longest = {part.start: part for part in sorted(self._listed())}
        parts: list[Part] = []
        while (part := longest.get(parts[-1].end if parts else 0)) is not None:
            parts.append(part)
        return parts

    def keep(self, start: int, content: bytes) -> Part:
        """Keep one more."""
        part = Part(start, start + len(content))
        self._store.put(self._path(part), content)
        return part

    def read(self, parts: list[Part]) -> Iterator[bytes]:
        """Give the bytes of *parts* in pieces. Raises FileNotFoundError: somebody has put the file together already."""
        pieces = self._pieces(parts)
        # The storage is read while it is written to, and in the thread that writes it panics.
        with ThreadPoolExecutor(1) as reader:
            while piece := reader.submit(next, pieces, b"").result():
                yield piece

    def _pieces(self, parts: list[Part]) -> Iterator[bytes]:
        for part in parts:
            for piece in self._store.get(self._path(part)).stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    def remove(self) -> None:
        """Let all of them go."""
        if paths := [self._path(part) for part in self._listed()]:
            self._store.delete(paths)

    def _listed(self) -> Iterator[Part]:
        for page in self._store.list(self._folder):
            for entry in page:
                start, _, end = entry["path"].rpartition("/")[2].partition("-")
                yield Part(int(start), int(end))

    def _path(self, part: Part) -> str:
        return f"{self._folder}/{part.start}-{part.end}"


def remove_old(store: ObjectStore, *, now: datetime | None = None) -> None:
    """Let go what nobody went on with for `KEPT_FOR`."""
    limit = (now or datetime.now(UTC)) - KEPT_FOR
    old = [entry["path"] for page in store.list(_FOLDER) for entry in page if entry["last_modified"] < limit]
    if old:
        store.delete(old)
