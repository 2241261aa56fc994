"""Reads a journal batch by batch, and frees what was acknowledged.

The same for the journal that this process writes and for one that a dead process left.
"""

import contextlib
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runmill.journal.brief import Place
from runmill.journal.control import Control
from runmill.journal.crash import find_crash
from runmill.journal.folder import CONTROL_NAME, LOSSES_NAME, Folder
from runmill.journal.frames import HEADER_BYTES, Frames, count, pack, unpack
from runmill.journal.loss_record import loss_record
from runmill.journal.losses import Losses
from runmill.journal.places import PLACES_NAME, read_places
from runmill.journal.records import Record
from runmill.journal.segment import SUFFIX, Segment
from runmill.journal.wills import find_wills
from runmill.journal.writer import Journal

__all__ = ["JournalBatch", "Reader", "look_at", "read_abandoned", "read_own"]

_MOST_BYTES = 1 << 20
"""What one batch holds: large enough to make a request's cost small, small enough to hold the interpreter shortly."""

_LEAST_BYTES = 1 << 16
"""What a batch holds at least where a collector takes little at once: less would only cost more requests."""

_BEHIND_ALL = 10**12 - 1
"""The number of a segment that is behind every other one."""


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """Records to deliver under one sequence number."""

    sequence: int
    records: list[Record]


class Reader:
    """Hands out one batch at a time: the same one until it is acknowledged."""

    def __init__(
        self,
        segments: deque[Segment],
        control: Control,
        *,
        places: Mapping[int, Place],
        is_live: bool,
        release: Callable[[Segment], None],
        go_on: Callable[[], bool] = lambda: False,
    ) -> None:
        self.torn_count = 0
        self._most_bytes = _MOST_BYTES
        self._segments = segments
        self._control = control
        self._places = places
        self._is_live = is_live
        self._release = release
        self._go_on = go_on
        """Asked when all is read; True: something was appended just now."""
        self._batch: JournalBatch | None = None

    def next_batch(self) -> JournalBatch | None:
        """Give the next batch, and note that it is under way; None when there is nothing to read now."""
        if self._batch is None:
            self._batch = self._again() if self._control.progress.is_under_way else self._further()
        return self._batch

    def acknowledge(self) -> None:
        """Forget the batch handed out last: it is safe elsewhere, or never will be."""
        progress = self._control.progress
        if progress.is_under_way:
            self._control.save(replace(progress, sequence=progress.sequence + 1, start=progress.end))
        self._batch = None

    def halve(self) -> bool:
        """Have `next_batch` give about half of the batch handed out last, under its number: nobody took it so far.

        Later batches are no larger either. False when it is one record, which cannot be halved.
        """
        progress, size = self._control.progress, self._control.progress.end - self._control.progress.start
        raw = self._segments[0].read(progress.start, size)
        half_bytes = unpack(raw, most_bytes=sys.maxsize).whole_bytes // 2
        frames = unpack(raw, most_bytes=half_bytes)
        if frames.end == size:
            return False
        self._most_bytes = max(_LEAST_BYTES, min(self._most_bytes, half_bytes))
        self._control.save(replace(progress, end=progress.start + frames.end))
        self._batch = None
        return True

    def pending_count(self) -> int:
        """Count the records not acknowledged yet."""
        progress, pending = self._control.progress, 0
        for segment in tuple(self._segments):
            start = progress.start if segment.number == progress.segment else 0
            pending += count(segment.read(start, segment.size_bytes))
        return pending

    def close(self) -> None:
        """Unmap what is left of it; the files stay."""
        for segment in self._segments:
            segment.close()
        self._control.close()

    def position(self) -> tuple[int, int]:
        """Give (segment, offset): all before it is acknowledged."""
        return self._control.progress.segment, self._control.progress.start

    def _again(self) -> JournalBatch | None:
        """Give the batch that was under way when its process ended: the same bytes, the same number."""
        progress = self._control.progress
        while self._segments and self._segments[0].number < progress.segment:
            self._free_first()
        if not self._segments or self._segments[0].number != progress.segment:
            self.acknowledge()  # its segment lived in memory and is gone
            return self._further()
        size = progress.end - progress.start
        frames = unpack(self._segments[0].read(progress.start, size), most_bytes=sys.maxsize, places=self._places)
        return JournalBatch(progress.sequence, frames.records)

    def _further(self) -> JournalBatch | None:
        while self._segments:
            segment, progress = self._segments[0], self._control.progress
            start = progress.start if segment.number == progress.segment else 0
            # Asked before reading: what is sealed by now gets no more frames.
            is_sealed = not self._is_live or len(self._segments) > 1
            frames = self._frames(segment, start)
            end = start + frames.end
            if frames.records:
                self._control.save(replace(progress, segment=segment.number, start=start, end=end))
                return JournalBatch(progress.sequence, frames.records)
            if frames.end:  # nothing but torn frames
                self._control.save(replace(progress, segment=segment.number, start=end, end=end))
            elif is_sealed:
                self._free_first()
            elif not self._go_on():
                break
        return None

    def _frames(self, segment: Segment, start: int) -> Frames:
        frames = unpack(segment.read(start, self._most_bytes), most_bytes=self._most_bytes, places=self._places)
        if not frames.end and segment.read(start, HEADER_BYTES).strip(b"\0"):  # one frame longer than what was read
            frames = unpack(segment.read(start, segment.size_bytes), most_bytes=self._most_bytes, places=self._places)
        self.torn_count += frames.torn_count
        return frames

    def _free_first(self) -> None:
        self._release(self._segments.popleft())


def read_own(journal: Journal) -> Reader:
    """Read the journal that this process writes."""
    return Reader(
        journal.segments,
        journal.control,
        places=journal.places.known,
        is_live=True,
        release=journal.take_back,
        go_on=journal.tell_losses_seldom,
    )


def read_abandoned(folder: Folder) -> Reader:
    """Read the journal of a dead process; its folder is locked by the caller, who removes it at the end."""
    last_words = b"".join(pack(tuple(record)) for record in _last_words(folder))
    return _read(folder, [_in_memory(last_words)] if last_words else [])


def look_at(folder: Folder) -> Reader:
    """Read the journal of a process that is still there, to count what waits in it."""
    return _read(folder, [])


def _read(folder: Folder, last: Iterable[Segment]) -> Reader:
    segments = deque([*_segments(folder), *last])
    control, places = Control(folder.path / CONTROL_NAME), read_places(folder.path / PLACES_NAME)
    return Reader(segments, control, places=places, is_live=False, release=Segment.discard)


def _segments(folder: Folder) -> Iterator[Segment]:
    for path in sorted(folder.path.glob(f"*{SUFFIX}")):
        with contextlib.suppress(OSError, ValueError):  # made, and its process killed before it was allocated: empty
            yield Segment.open(path)


def _last_words(folder: Folder) -> list[Record]:
    """Give what a dead process could not say itself: what it lost, of what it died, what it wanted said then."""
    losses = Losses(folder.path / LOSSES_NAME)
    crash = find_crash(folder.path)
    told = [loss_record(loss) for loss in (*losses.untold(), *losses.at_risk())]
    losses.close()
    return [*told, *([crash] if crash else []), *find_wills(folder.path, crash)]


def _in_memory(frames: bytes) -> Segment:
    """Give a segment behind all others, equal each time it is made: what was under way of it is found again."""
    segment = Segment.create(_BEHIND_ALL, None, len(frames) + HEADER_BYTES)
    segment.write(frames)
    return segment
