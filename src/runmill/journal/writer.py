"""The journal of this process: what its threads append, segment after segment."""

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from marshal import dumps
from typing import Final

from runmill.journal.brief import ARGUMENTS, MARSHAL_VERSION, TEXT, Body, Place, Rest, pack_head, whole
from runmill.journal.control import Control
from runmill.journal.folder import CONTROL_NAME, LOSSES_NAME, Folder
from runmill.journal.frames import HEADER_BYTES, checksum, pack, pack_header
from runmill.journal.loss_record import is_loss_record, loss_record
from runmill.journal.losses import JOURNAL_FULL, Losses
from runmill.journal.places import PLACES_NAME, Places
from runmill.journal.records import LOG, Record, level_of, run_key_of
from runmill.journal.segment import SUFFIX, Segment

__all__ = ["Bounds", "Journal"]

_ERROR: Final = 40
_WARNING: Final = 30
_INFO: Final = 20

_TELL_SECONDS: Final = 10.0
"""How often losses are told of at most, while they go on."""
_LOOK_SECONDS: Final = 0.001
"""How often who waits for room looks for it: what makes the room cannot be waited for without a lock."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a journal may take."""

    max_bytes: int = 256 << 20
    disk_bytes: int = 256 << 20
    """How much of that may be on disk: a share of what is free there. The rest is kept in memory."""
    segment_bytes: int = 1 << 20
    wait_seconds: float = 0.01
    """How long a caller is held back at the bound, and only where the collector acknowledged since one was in vain."""

    def share(self, record: Record) -> float:
        """Give the part of `max_bytes` that this record's severity may fill: the least severe stop first.

        The last eighth is for errors, for the numbers and events of runs, and for telling what was lost.
        """
        if record[0] != LOG or record[4] >= _ERROR or is_loss_record(record):
            return 1.0
        return 7 / 8 if record[4] >= _WARNING else 3 / 4 if record[4] >= _INFO else 1 / 2


class Journal:
    """Appended to by any thread, without a lock; read and freed by one reader.

    Only when a segment is full does a caller take a lock, and make or pick up the next segment. At the bound it waits
    shortly, as long as room is being made; then the record is counted in `losses` and left out.
    """

    def __init__(self, folder: Folder | None, *, bounds: Bounds, notice: Callable[[str], None]) -> None:
        self.folder = folder
        self.bounds = bounds
        self.losses = Losses(None if folder is None else folder.path / LOSSES_NAME)
        self.control = Control(None if folder is None else folder.path / CONTROL_NAME)
        self.places = Places(None if folder is None else folder.path / PLACES_NAME)
        self.segments: deque[Segment] = deque()
        """Oldest first; the last one is being written."""
        self.freed_at = 0.0
        """When the reader last freed a segment, by the monotonic clock."""
        self._waited_in_vain_at = 0.0
        self._tell_at = 0.0
        self._telling = threading.Lock()
        self._notice = notice
        self._numbers = itertools.count()
        # Re-entrant: a signal handler or a finaliser may log while this very thread is in here.
        self._lock = threading.RLock()
        self._successor: Callable[[Record], None] | None = None
        self._spares: deque[Segment] = deque()
        self.segments.append(self._make(bounds.segment_bytes))
        self.segments[0].touch()
        self._write = self.segments[0].write
        self._find_number = self.places.find_number

    def append(self, record: Record) -> None:
        """Keep *record*. Never raises for a full journal or disk; ValueError for a value that is not plain."""
        payload = dumps(record, MARSHAL_VERSION)  # `pack`, written out: the call alone would cost a tenth of it all
        try:
            self._write(pack_header(len(payload), checksum(payload)) + payload)
        except ValueError:  # it does not fit
            if not self._append_to_next(pack(record), record):
                self._drop(record)

    def append_log(self, place: Place, time: float, body: Body, rest: Rest) -> None:
        """Keep a Log, in less time and fewer bytes than `append`. Raises anything for a value that is not plain."""
        if (number := self._find_number(place)) is None and (number := self.places.add(place)) is None:
            return self.append(whole(place, time, body, rest))
        if place[-1] is not None:
            payload = pack_head(ARGUMENTS, number, time, len(body)) + body
        elif type(body) is str:
            encoded = body.encode()
            payload = pack_head(TEXT, number, time, len(encoded)) + encoded
        else:
            return self.append(whole(place, time, body, rest))
        if rest is not None:
            payload += dumps(rest, MARSHAL_VERSION)
        try:
            self._write(pack_header(len(payload), checksum(payload)) + payload)
        except ValueError:  # it does not fit
            self.append(whole(place, time, body, rest))

    def tell_losses(self) -> bool:
        """Append what was lost and is not told yet, as records of the runs that lost it; False: nothing was appended.

        What finds no room now is told later. Called by who delivers and by who flushes, never by who logs.
        """
        with self._telling:
            untold = self.losses.untold()
            for told_count, loss in enumerate(untold):
                record = tuple(loss_record(loss))
                if not self._append_to_next(pack(record), record):
                    return told_count > 0
                # Afterwards: a process killed in between tells it twice rather than never.
                self.losses.tell(loss)
            return bool(untold)

    def tell_losses_seldom(self) -> bool:
        """Do the same, but not more than every 10 seconds: losses may go on and on."""
        now = time.monotonic()
        if now < self._tell_at or not self.tell_losses():
            return False
        self._tell_at = now + _TELL_SECONDS
        return True

    def seal(self, successor: Callable[[Record], None]) -> None:
        """Take no more: what threads still append goes to *successor*."""
        with self._lock:
            self._successor = successor
            self.segments[-1].seal()

    def take_back(self, segment: Segment) -> None:
        """Free *segment*, whose records are all acknowledged. Called by the reader.

        One is kept to be written again: a new file would cost the callers a page fault for every 4 KB they log.
        """
        self.freed_at = time.monotonic()
        self._keep_or_discard(segment)
        if segment.path is None and all(each.path is not None for each in tuple(self.segments)):
            self.losses.end_risk()
        self.tell_losses_seldom()

    def _keep_or_discard(self, segment: Segment) -> None:
        is_ordinary = segment.path is not None and segment.size_bytes == self.bounds.segment_bytes
        if is_ordinary and not self._spares and self._successor is None:
            with contextlib.suppress(OSError):  # somebody removed the folder
                segment.blank()
                self._spares.append(segment)
                return
        segment.discard()

    def close(self) -> None:
        """Give the files back as they are, for whoever delivers the rest."""
        # Unmapped, not removed: in a forked child they are the parent's.
        for segment in (*self.segments, *self._spares):
            segment.close()
        self.control.close()
        self.losses.close()
        self.places.close()
        if self.folder is not None:
            self.folder.release()

    def remove(self) -> None:
        """Close it and delete its files: all of it was delivered."""
        folder, self.folder = self.folder, None
        self.close()
        if folder is not None:
            folder.remove()

    def _append_to_next(self, frame: bytes, record: Record) -> bool:
        while self._successor is None:
            seen = self.segments[-1]
            try:
                self._write(frame)
            except ValueError:
                if not self._go_on(seen, frame, record):
                    return False
            else:
                return True
        self._successor(record)
        return True

    def _go_on(self, seen: Segment, frame: bytes, record: Record) -> bool:
        """Put a fresh segment in place of *seen*, unless another thread did; False when there is no room for one."""
        size = max(self.bounds.segment_bytes, len(frame) + HEADER_BYTES)
        if not self._wait_for_room(size, self.bounds.share(record)):
            return False
        with self._lock:
            if self._successor is not None or self.segments[-1] is not seen:
                return True
            fresh = self._make(size)
            if self.segments[-1] is not seen:  # logged from a signal handler while the file was made
                fresh.discard()
                return True
            seen.seal()  # before the reader can see that there is a next one
            self.segments.append(fresh)
            self._write = fresh.write
        return True

    def _drop(self, record: Record) -> None:
        self._notice(
            f"the journal is full ({self.bounds.max_bytes >> 20} MB) and nobody takes what is in it: records are "
            "dropped, the least severe first, and counted. See `runmill doctor`."
        )
        self.losses.add("dropped", JOURNAL_FULL, run_key=run_key_of(record), level=level_of(record))

    def _wait_for_room(self, size: int, share: float) -> bool:
        """Wait for a moment if need be, but only where room is being made; say whether there is some.

        One wait in vain is the last until the reader frees another segment, so waiting costs a thread `wait_seconds`
        for each of them at most, and nothing while the collector is away.
        """
        deadline = time.monotonic() + self.bounds.wait_seconds
        while not self._has_room(size, share):
            if self.freed_at <= self._waited_in_vain_at:
                return False
            if (now := time.monotonic()) > deadline:
                self._waited_in_vain_at = now
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _has_room(self, size: int, share: float) -> bool:
        taken_bytes = sum(segment.size_bytes for segment in tuple(self.segments))
        return taken_bytes + size <= self.bounds.max_bytes * share

    def _has_its_share(self, size: int) -> bool:
        """Say whether *size* more bytes on disk are within its share; one segment always is."""
        on_disk = sum(segment.size_bytes for segment in tuple(self.segments) if segment.path is not None)
        return not on_disk or on_disk + size <= self.bounds.disk_bytes

    def _make(self, size: int) -> Segment:
        number = next(self._numbers)
        if self.folder is not None and not self._has_its_share(size):
            self.losses.risk("the journal takes its share of the disk")
            self._notice(
                f"journal {str(self.folder.path)!r} takes its share of the disk ({self.bounds.disk_bytes >> 20} MB): "
                "what is logged now is kept in memory and is lost if the process is killed. Run a collector."
            )
        elif self.folder is not None:
            try:
                if size == self.bounds.segment_bytes and (spare := self._reuse_spare(number)) is not None:
                    return spare
                return Segment.create(number, self.folder.path / f"{number:012d}{SUFFIX}", size)
            except OSError as error:
                self.losses.risk(str(error.strerror or error))
                self._notice(
                    f"journal {str(self.folder.path)!r}: {error.strerror or error}; what is logged now is kept in "
                    "memory and is lost if the process is killed. Make room on the disk, or set RUNMILL_HOME."
                )
        return Segment.create(number, None, size)

    def _reuse_spare(self, number: int) -> Segment | None:
        try:
            spare = self._spares.pop()
        except IndexError:
            return None
        spare.reuse(number)
        return spare
