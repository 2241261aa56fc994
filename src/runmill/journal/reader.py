"""Reads a journal batch by batch, and frees what was acknowledged.

The same for the journal that this process writes and for one that a dead process left.
"""

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from runmill.journal.control import Control
from runmill.journal.crash import find_crash
from runmill.journal.folder import CONTROL_NAME, Folder
from runmill.journal.frames import HEADER_BYTES, Frames, count, pack, unpack
from runmill.journal.records import LOG, Log, Record
from runmill.journal.segment import SUFFIX, Segment
from runmill.journal.wills import find_wills
from runmill.journal.writer import Journal

__all__ = ["JournalBatch", "Reader", "read_abandoned", "read_own"]

_MOST_BYTES = 1 << 20
"""What one batch holds: large enough to make a request's cost small, small enough to hold the interpreter shortly."""

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
        self, segments: deque[Segment], control: Control, *, is_live: bool, release: Callable[[Segment], None]
    ) -> None:
        self.torn_count = 0
        self._segments = segments
        self._control = control
        self._is_live = is_live
        self._release = release
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

    def pending_count(self) -> int:
        """Count the records not acknowledged yet."""
        progress, pending = self._control.progress, 0
        for segment in tuple(self._segments):
            start = progress.start if segment.number == progress.segment else 0
            pending += count(segment.read(start, segment.size_bytes))
        return pending

    @property
    def dropped_count(self) -> int:
        """How many records its process could not keep."""
        return self._control.dropped_count

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
        frames = unpack(self._segments[0].read(progress.start, size), most_bytes=size)
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
            else:
                break
        return self._drop_notice()

    def _frames(self, segment: Segment, start: int) -> Frames:
        frames = unpack(segment.read(start, _MOST_BYTES), most_bytes=_MOST_BYTES)
        if not frames.end and segment.read(start, HEADER_BYTES).strip(b"\0"):  # one frame longer than what was read
            frames = unpack(segment.read(start, segment.size_bytes), most_bytes=_MOST_BYTES)
        self.torn_count += frames.torn_count
        return frames

    def _drop_notice(self) -> JournalBatch | None:
        """Give a batch that says how many records were dropped, where they would have been; None when none were."""
        progress, dropped_count = self._control.progress, self._control.dropped_count
        if dropped_count == progress.told_count:
            return None
        # Noted before it is sent: said at most once, and never under the number of other records.
        self._control.save(replace(progress, sequence=progress.sequence + 1, told_count=dropped_count))
        record = _dropped_record(dropped_count - progress.told_count)
        self._batch = JournalBatch(progress.sequence, [record])
        return self._batch

    def _free_first(self) -> None:
        self._release(self._segments.popleft())


def read_own(journal: Journal) -> Reader:
    """Read the journal that this process writes."""
    return Reader(journal.segments, journal.control, is_live=True, release=journal.take_back)


def read_abandoned(folder: Folder) -> Reader:
    """Read the journal of a dead process; its folder is locked by the caller, who removes it at the end."""
    segments: deque[Segment] = deque()
    for path in sorted(folder.path.glob(f"*{SUFFIX}")):
        with contextlib.suppress(OSError, ValueError):  # made, and its process killed before it was allocated: empty
            segments.append(Segment.open(path))
    crash = find_crash(folder.path)
    last_words = [*([crash] if crash else []), *find_wills(folder.path, crash)]
    if last_words:
        segments.append(_in_memory(b"".join(pack(tuple(record)) for record in last_words)))
    return Reader(segments, Control(folder.path / CONTROL_NAME), is_live=False, release=Segment.discard)


def _in_memory(frames: bytes) -> Segment:
    """Give a segment behind all others, equal each time it is made: what was under way of it is found again."""
    segment = Segment.create(_BEHIND_ALL, None, len(frames) + HEADER_BYTES)
    segment.write(frames)
    return segment


def _dropped_record(dropped_count: int) -> Record:
    body = f"{dropped_count} records were dropped: the journal was full and no collector took them"
    return Log(
        record_kind=LOG,
        time=time.time_ns(),
        run_key=None,
        logger="runmill",
        levelno=logging.WARNING,
        level_name="WARNING",
        body=body,
        attributes={"runmill.dropped_records": dropped_count},
        file_path="",
        line_number=0,
        function_name="",
        thread_id=0,
        thread_name="",
        trace_id=None,
        span_id=None,
        trace_flags=0,
        dropped_attributes_count=0,
    )
