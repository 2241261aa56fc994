"""What many log records have in common, kept once: where they were logged, at which level, by which thread and run.

A file beside the segments, so that a record there need only say the number of its place: it is a third as long, and
sooner written. Nothing in it is ever taken back, so a number means the same for as long as the journal is there.
"""

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runmill.journal.brief import Place
from runmill.journal.frames import pack, unpack
from runmill.journal.segment import Segment

__all__ = ["PLACES_NAME", "Places", "read_places"]

PLACES_NAME: Final = "places"

_FILE_BYTES: Final = 1 << 18
"""Some 1,500 places. A program that has more, or threads without end, writes the records of the others whole."""
_MOST_BYTES: Final = 1 << 12
"""Of one place: a very long message must not take the room of all others."""


class Places:
    """The places of one journal, under *path* or in memory where that is None. Raises OSError for a full disk."""

    def __init__(self, path: Path | None) -> None:
        self._segment = Segment.create(0, path, _FILE_BYTES)
        self._numbers: dict[Place, int] = {}
        self._next_number = itertools.count().__next__
        self._is_full = False
        self.known: dict[int, Place] = {}
        self.find_number = self._numbers.get
        """Give the number of a place, None for one that was not added. Raises TypeError for what is no place."""

    def add(self, place: Place) -> int | None:
        """Number *place*; None when there is no room for it. Raises ValueError when it holds anything but plain values.

        By any thread, without a lock: a place that two add at once has two numbers, and each holds.
        """
        if self._is_full:
            return None
        number = self._next_number()
        frame = pack((number, *place))
        if len(frame) > _MOST_BYTES:
            return None
        try:
            self._segment.write(frame)
        except ValueError:
            self._is_full = True
            return None
        self.known[number] = place
        self._numbers[place] = number
        return number

    def close(self) -> None:
        """Unmap the file; it stays."""
        self._segment.close()


def read_places(path: Path) -> Mapping[int, Place]:
    """Read what a process left under *path*; nothing where it left nothing."""
    try:
        raw = path.read_bytes()
    except OSError:
        return {}
    return {number: tuple(place) for number, *place in unpack(raw, most_bytes=sys.maxsize).records}
