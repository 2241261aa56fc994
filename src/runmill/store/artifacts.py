"""The bytes of runs' files, kept under their SHA-256 in a folder: ``ab/abcdef...``."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from obstore.store import LocalStore

from runmill.errors import InvalidArgument, NotFound

__all__ = ["ArtifactBytes"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES: Final = 1 << 20


class ArtifactBytes:
    """Files by the hash of what is in them; made on the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: LocalStore | None = None

    def has(self, sha256: str) -> bool:
        """Say whether the bytes are there."""
        return self._size(_key(sha256)) is not None

    def put(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Keep the bytes that *chunks* give and tell how many they are; they are read to their end in any case.

        They become visible in one step, when they are whole and have the hash they should have.

        Raises:
            InvalidArgument: they have another hash, or *sha256* is none; nothing is kept.
        """
        key = _key(sha256)
        counted = _Checked(sha256, chunks)
        self._store().put(key, counted.pieces())  # what `pieces` raises makes the store give up what it wrote
        return counted.size_bytes

    def get(self, sha256: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from *start* up to *end*, or to the last one, in pieces of about 1 MiB.

        Raises:
            NotFound: nothing has this hash.
            InvalidArgument: *start* or *end* is negative.
        """
        key = _key(sha256)
        if start < 0 or (end is not None and end < 0):
            raise InvalidArgument(f"artifact bytes {start!r} to {end!r}: a position is 0 or more.")
        size = self._size(key)
        if size is None:
            raise NotFound(f"artifact {sha256!r}: no bytes with this hash were put into {self._folder}.")
        end = size if end is None else min(end, size)
        if start >= end:
            return iter(())
        return map(bytes, self._store().get(key, options={"range": (start, end)}).stream(min_chunk_size=_PIECE_BYTES))

    def remove(self, sha256: str) -> None:
        """Take the bytes away; nothing happens when they are not there."""
        key = _key(sha256)
        if self._size(key) is not None:
            self._store().delete(key)

    def _size(self, key: str) -> int | None:
        if not self._folder.exists():
            return None
        try:
            size: int = self._store().head(key)["size"]
        except FileNotFoundError:
            return None
        return size

    def _store(self) -> LocalStore:
        if self._opened is None:
            self._opened = LocalStore(self._folder, mkdir=True)
        return self._opened


class _Checked:
    """Passes pieces on while it counts and hashes them."""

    def __init__(self, sha256: str, chunks: Iterable[bytes]) -> None:
        self._sha256 = sha256
        self._chunks = chunks
        self.size_bytes = 0

    def pieces(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in self._chunks:
            digest.update(chunk)
            self.size_bytes += len(chunk)
            yield chunk
        if digest.hexdigest() != self._sha256:
            raise InvalidArgument(
                f"artifact {self._sha256!r}: the {self.size_bytes} bytes that came have the SHA-256 "
                f"{digest.hexdigest()!r}. Nothing was kept; send them again, or under that hash."
            )


def _key(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise InvalidArgument(f"artifact {sha256!r}: not a SHA-256. Give its 64 hexadecimal digits in lower case.")
    return f"{sha256[:2]}/{sha256}"
