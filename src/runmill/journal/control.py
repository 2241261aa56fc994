"""What is under way: which bytes of a journal are being sent, and under which sequence number.

Written before a batch is sent, so that whoever goes on after a crash sends the very same bytes under the very same
number, and the store recognises what it already has.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.journal.slots import Slots

__all__ = ["Control", "Progress"]

_BODY: Final = struct.Struct("<QQQQ")

_NEVER_USED: Final = 1 << 40
"""Where numbers begin again when nobody knows how far they had come: under one that was used, a store would take new
records for those it has, and they were lost. At worst it now has one batch twice."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Batch *sequence* is the bytes *start* to *end* of segment *segment*; *end* = *start*: nothing is under way."""

    sequence: int = 0
    segment: int = 0
    start: int = 0
    end: int = 0

    @property
    def is_under_way(self) -> bool:
        """Say whether a batch may have been sent and not acknowledged."""
        return self.end > self.start


class Control:
    """The progress of one journal, in a file that outlives the process; in memory when *path* is None.

    Raises OSError when there is no room for the file.
    """

    def __init__(self, path: Path | None) -> None:
        self._slots = Slots(path, most_bytes=_BODY.size)
        self.progress = Progress(sequence=_NEVER_USED) if self._slots.is_damaged else Progress()
        if self._slots.body:
            self.progress = Progress(*_BODY.unpack(self._slots.body))

    def save(self, progress: Progress) -> None:
        """Keep *progress*; after a crash at any point either it or the one before is found."""
        self._slots.save(_BODY.pack(progress.sequence, progress.segment, progress.start, progress.end))
        self.progress = progress

    def close(self) -> None:
        """Unmap it."""
        self._slots.close()
