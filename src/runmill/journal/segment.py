"""One piece of a journal: a file mapped into memory, preallocated in full.

`mmap.write` does it all: it is one C call that copies the bytes and moves the position while the interpreter lock is
held, so threads, signal handlers and finalisers write whole frames without a lock of ours, and what was written is in
the page cache, which outlives the process.
"""

import contextlib
import mmap
import os
import sys
from pathlib import Path
from typing import Final

from runmill.journal.mapped import map_file

__all__ = ["SUFFIX", "Segment"]

SUFFIX: Final = ".segment"
_POPULATE_WRITE: Final = 23
"""MADV_POPULATE_WRITE of Linux; Python has no name for it."""


class Segment:
    """A run of frames. Without a *path* it lives in memory and dies with the process."""

    __slots__ = ("_map", "number", "path", "size_bytes", "write")

    def __init__(self, number: int, path: Path | None, mapping: mmap.mmap) -> None:
        self.number = number
        self.path = path
        self.size_bytes = len(mapping)
        """What it takes on disk."""
        self._map = mapping
        self.write = mapping.write
        """Append one frame. Raises ValueError when it does not fit, and after `seal` or `close`."""

    @classmethod
    def create(cls, number: int, path: Path | None, size_bytes: int) -> "Segment":
        """Make one with all its bytes allocated. Raises OSError (a full disk: ENOSPC), leaving nothing behind."""
        if path is None:
            return cls(number, None, mmap.mmap(-1, size_bytes))
        try:
            return cls(number, path, map_file(path, size_bytes))
        except OSError:
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def open(cls, path: Path) -> "Segment":
        """Open one that a dead process left. Raises OSError or ValueError (an empty file)."""
        with path.open("r+b") as file:
            return cls(int(path.name.removesuffix(SUFFIX)), path, mmap.mmap(file.fileno(), 0))

    @property
    def position(self) -> int:
        """The offset behind the last frame written by this process; the end when the reader has freed it meanwhile."""
        try:
            return self._map.tell()
        except ValueError:
            return self.size_bytes

    def read(self, start: int, size: int) -> bytes:
        """Copy up to *size* bytes from *start*; none when the reader has freed it meanwhile."""
        try:
            return self._map[start : start + size]
        except ValueError:
            return b""

    def touch(self) -> None:
        """Have every page mapped now, so that no caller pays the page faults; nothing where the system cannot."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # before 5.14
                self._map.madvise(_POPULATE_WRITE)

    def seal(self) -> None:
        """Let no further frame in, also not from a thread that already holds `write`."""
        self._map.seek(0, os.SEEK_END)

    def blank(self) -> None:
        """Take all that is in it out, and keep it sealed until `reuse`."""
        assert self.path is not None
        # First the name: a process killed in between leaves no segment with records that were delivered.
        self.path = self.path.rename(self.path.with_suffix(".spare"))
        self.seal()
        self._map[:] = bytes(self.size_bytes)

    def reuse(self, number: int) -> None:
        """Make a blank one the empty segment *number*."""
        assert self.path is not None
        self.path = self.path.rename(self.path.with_name(f"{number:012d}{SUFFIX}"))
        self.number = number
        self._map.seek(0)

    def close(self) -> None:
        """Unmap it; the file stays."""
        with contextlib.suppress(BufferError):  # a reader still holds a view: it goes with the reader
            self._map.close()

    def discard(self) -> None:
        """Unmap it and remove the file."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)
