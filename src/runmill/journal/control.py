"""What is under way: which bytes of a journal are being sent, and under which sequence number.

Written before a batch is sent, so that whoever goes on after a crash sends the very same bytes under the very same
number, and the store recognises what it already has. Two slots are written in turn: one is always whole.
"""

import mmap
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.journal.mapped import map_file

__all__ = ["Control", "Progress"]

_SLOT: Final = struct.Struct("<QQQQQQ")
_CHECKSUM: Final = struct.Struct("<I")
_SLOT_BYTES: Final = 64
_DROPPED: Final = struct.Struct("<Q")
_DROPPED_AT: Final = 2 * _SLOT_BYTES
_FILE_BYTES: Final = _DROPPED_AT + _SLOT_BYTES


@dataclass(frozen=True, slots=True)
class Progress:
    """Batch *sequence* is the bytes *start* to *end* of segment *segment*; *end* = *start*: nothing is under way."""

    sequence: int = 0
    segment: int = 0
    start: int = 0
    end: int = 0
    told_count: int = 0
    """How many of the dropped records were told of."""

    @property
    def is_under_way(self) -> bool:
        """Say whether a batch may have been sent and not acknowledged."""
        return self.end > self.start


class Control:
    """The progress of one journal, in a file that outlives the process; in memory when *path* is None.

    Raises OSError when there is no room for the file.
    """

    def __init__(self, path: Path | None) -> None:
        self._writes = 0
        self._map = mmap.mmap(-1, _FILE_BYTES) if path is None else map_file(path, _FILE_BYTES)
        self.progress = self._read()

    def save(self, progress: Progress) -> None:
        """Keep *progress*; after a crash at any point either it or the one before is found."""
        self._writes += 1
        body = _SLOT.pack(
            self._writes, progress.sequence, progress.segment, progress.start, progress.end, progress.told_count
        )
        at = (self._writes % 2) * _SLOT_BYTES
        self._map[at : at + _SLOT.size + _CHECKSUM.size] = body + _CHECKSUM.pack(zlib.crc32(body))
        self.progress = progress

    @property
    def dropped_count(self) -> int:
        """How many records the journal could not keep since it was made; written by the appending side."""
        count: int = _DROPPED.unpack_from(self._map, _DROPPED_AT)[0]
        return count

    @dropped_count.setter
    def dropped_count(self, count: int) -> None:
        self._map[_DROPPED_AT : _DROPPED_AT + _DROPPED.size] = _DROPPED.pack(count)

    def close(self) -> None:
        """Unmap it."""
        self._map.close()

    def _read(self) -> Progress:
        newest = Progress()
        for at in (0, _SLOT_BYTES):
            body = self._map[at : at + _SLOT.size]
            (checksum,) = _CHECKSUM.unpack_from(self._map, at + _SLOT.size)
            writes, *fields = _SLOT.unpack(body)
            if zlib.crc32(body) == checksum and writes > self._writes:
                self._writes, newest = writes, Progress(*fields)
        return newest
