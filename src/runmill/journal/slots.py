"""A few bytes that outlive the process: two copies in one file, written in turn, so that one is always whole."""

import mmap
import struct
import zlib
from pathlib import Path
from typing import Final

from runmill.journal.mapped import map_file

__all__ = ["Slots"]

_HEADER: Final = struct.Struct("<QI")
"""How often it was written; the length of the body."""
_CHECKSUM: Final = struct.Struct("<I")
_OVERHEAD_BYTES: Final = _HEADER.size + _CHECKSUM.size


class Slots:
    """The newest body saved under *path*; in memory alone when that is None.

    Raises OSError when there is no room for the file.
    """

    def __init__(self, path: Path | None, *, most_bytes: int) -> None:
        self._slot_bytes = most_bytes + _OVERHEAD_BYTES
        size_bytes = 2 * self._slot_bytes
        self._map = mmap.mmap(-1, size_bytes) if path is None else map_file(path, size_bytes)
        self._writes = 0
        self.body = b""
        """Empty when nothing was saved, or nothing of it can be read."""
        for at in (0, self._slot_bytes):
            self._read(at)

    @property
    def is_damaged(self) -> bool:
        """Say whether something was saved of which no copy is whole."""
        return not self._writes and bool(self._map[:].strip(b"\0"))

    def save(self, body: bytes) -> None:
        """Keep *body*, of `most_bytes` at most; after a crash at any point it or the one before is found."""
        self._writes += 1
        framed = _HEADER.pack(self._writes, len(body)) + body
        at = (self._writes % 2) * self._slot_bytes
        self._map[at : at + len(framed) + _CHECKSUM.size] = framed + _CHECKSUM.pack(zlib.crc32(framed))
        self.body = body

    def close(self) -> None:
        """Unmap it."""
        self._map.close()

    def _read(self, at: int) -> None:
        writes, length = _HEADER.unpack_from(self._map, at)
        end = _HEADER.size + length
        if writes <= self._writes or end + _CHECKSUM.size > self._slot_bytes:
            return
        framed = self._map[at : at + end]
        if _CHECKSUM.unpack_from(self._map, at + end)[0] == zlib.crc32(framed):
            self._writes, self.body = writes, framed[_HEADER.size :]
