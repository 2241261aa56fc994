"""What the files have that is new, as batches: one at a time, each under way until it is said to be done."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from runmill.collector.component import Batch, Producer
from runmill.collector.files.content import CorruptFile
from runmill.collector.files.cursors import Cursors, Plan, Range
from runmill.collector.files.follower import Follower
from runmill.collector.files.tail import Tail
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.lines.entry import Drop
from runmill.collector.lines.framing import normalise
from runmill.collector.lines.recipe import Reading, Recipe

__all__ = ["Harvest", "Pace"]

_log: Final = logging.getLogger(__name__)

_BATCH_BYTES: Final = 4 << 20
_CHUNK_BYTES: Final = 1 << 20
_MOST_BOM_BYTES: Final = 4
# Something that never ends, such as a progress bar, is given this many times the patience.
_PATIENCE: Final = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How long what has no end yet is waited for, and by which clock."""

    flush_seconds: float
    monotonic: Callable[[], float] = time.monotonic
    unix_nano: Callable[[], int] = time.time_ns


class _Cut(NamedTuple):
    """What is taken from one file for a batch."""

    tail: Tail
    range: Range
    payload: bytes
    record_count: int
    drops: Sequence[Drop]


class Harvest:
    """Reads followed files. Used from one thread at a time."""

    def __init__(
        self, follower: Follower, cursors: Cursors, recipe: Recipe, *, origin_of: Callable[[str], Origin], pace: Pace
    ) -> None:
        self._follower = follower
        self._cursors = cursors
        self._recipe = recipe
        self._origin_of = origin_of
        self._pace = pace
        self._chunk_bytes = max(_CHUNK_BYTES, recipe.framing.max_line_bytes)
        self._under_way: list[_Cut] = []
        self._is_taken = False
        """Whether the batch given last was taken, and that is not written down yet."""
        self._turn = 0
        self._drops = list[Drop]()
        self._unfinished = follower.restore()

    @property
    def open_file_count(self) -> int:
        """How many files are open."""
        return self._follower.open_count

    def poll(self) -> None:
        """Look which files there are."""
        self._follower.poll(self._pace.monotonic())

    def take_drops(self) -> Sequence[Drop]:
        """Give what operators have left out since this was last asked."""
        drops, self._drops = self._drops, []
        return drops

    def next_batch(self) -> Batch | None:
        """Give what is new, at most a few MiB; None when there is nothing now.

        The first one is what was under way when the collector ended, if anything was. Raises sqlite3.Error when what
        is under way cannot be written down: nothing has happened then.
        """
        if self._is_taken:
            self._advance()
        if self._unfinished is not None:
            plan, self._unfinished = self._unfinished, None
            cuts = [cut for one in plan.ranges if (cut := self._cut_again(one)) is not None]
            return self._batch(plan, cuts)
        cuts = self._cuts()
        if any(cut.record_count for cut in cuts):
            return self._batch(self._plan(cuts), cuts)
        self._finish(cuts)
        self._note()
        return None

    def done(self) -> None:
        """The batch given last was taken, or never will be: go on behind it.

        Raises sqlite3.Error when that cannot be written down; it is tried again before anything else is given.
        """
        self._finish(self._under_way)
        self._under_way = []
        self._is_taken = True
        self._advance()

    def close(self) -> None:
        """Write down what is known and let go of everything."""
        try:
            self._note()
        finally:
            self._follower.close()
            self._cursors.close()

    def _plan(self, cuts: list[_Cut]) -> Plan:
        try:
            plan = self._cursors.plan([cut.range for cut in cuts], self._follower.changed)
        except sqlite3.Error:
            for cut in cuts:  # nothing was taken: it is still new
                cut.tail.read_size_bytes = -1
            raise
        self._follower.written()
        return plan

    def _advance(self) -> None:
        self._cursors.advance(self._follower.changed)
        self._follower.written()
        self._is_taken = False

    def _note(self) -> None:
        if self._follower.changed:
            self._cursors.note(self._follower.changed)
            self._follower.written()

    def _batch(self, plan: Plan, cuts: list[_Cut]) -> Batch:
        self._under_way = cuts
        payload = b"".join(cut.payload for cut in cuts)
        producer = Producer(self._cursors.producer_id, plan.sequence)
        return Batch("logs", payload, sum(cut.record_count for cut in cuts), producer)

    def _finish(self, cuts: list[_Cut]) -> None:
        for cut in cuts:
            self._drops += cut.drops
            self._follower.move(cut.range.file_id, cut.range.mark)

    def _cuts(self) -> list[_Cut]:
        """Cut from each file in turn; what did not fit is first in the next batch."""
        waiting = self._follower.waiting
        begin = next((at for at, tail in enumerate(waiting) if tail.cursor.file_id > self._turn), 0)
        cuts, size = list[_Cut](), 0
        for tail in chain(waiting[begin:], waiting[:begin]):
            if size >= _BATCH_BYTES:
                break
            self._turn = tail.cursor.file_id
            cut = self._guarded(tail, self._cut)
            if cut is not None:
                cuts.append(cut)
                size += cut.range.mark.offset - cut.range.start
        return cuts

    def _guarded(self, tail: Tail, cut: Callable[[Tail], _Cut | None]) -> _Cut | None:
        """Cut, or say once what is wrong with the file; it is tried again when it changes."""
        path = tail.cursor.path
        try:
            found = cut(tail)
        except FileNotFoundError:
            tail.read_size_bytes = tail.size_bytes  # another has its name by now: the next round tells
        except (OSError, CorruptFile) as error:
            tail.read_size_bytes = tail.size_bytes
            self._follower.complain(path, f"cannot be read further: {error}. It is tried again when it changes.")
        else:
            self._follower.complain(path, "")
            return found
        return None

    def _cut(self, tail: Tail) -> _Cut | None:
        now = self._pace.monotonic()
        if not tail.is_same_content():
            tail = self._follower.begin_anew(tail, now)
        offset, size_bytes = tail.cursor.mark.offset, tail.size_bytes
        raw = tail.open().read(offset, self._chunk_bytes)
        is_full = len(raw) == self._chunk_bytes
        tail.read_size_bytes = -1 if is_full else size_bytes
        if not raw:
            tail.held_seconds = None
            return None
        is_final = not is_full and self._is_due(tail, now)
        reading = self._read(tail, raw, is_final=is_final)
        if not reading.consumed and is_full:  # larger than can be waited for
            reading = self._read(tail, raw, is_final=True)
        self._hold(tail, is_held=reading.consumed < len(raw) and not is_full, is_moved=reading.consumed > 0, now=now)
        if not reading.consumed:
            return None
        return self._made(tail, offset, reading)

    def _is_due(self, tail: Tail, now: float) -> bool:
        """Say whether what has no end yet is to be given as it is."""
        patience = self._pace.flush_seconds
        if tail.held_seconds is None or not patience:
            return False
        is_quiet = now - max(tail.seen_seconds, tail.held_seconds) >= patience
        return is_quiet or now - tail.held_seconds >= patience * _PATIENCE

    def _hold(self, tail: Tail, *, is_held: bool, is_moved: bool, now: float) -> None:
        if not is_held:
            tail.held_seconds = None
        elif is_moved or tail.held_seconds is None:
            tail.held_seconds = now

    def _cut_again(self, planned: Range) -> _Cut | None:
        """Cut the same as before the collector ended; None when the file is gone, or is another."""
        tail = self._follower.find_tail(planned.file_id)
        if tail is None or tail.cursor.mark.offset != planned.start:
            size = planned.mark.offset - planned.start
            _log.warning("file %d is gone; %d bytes of it may be lost", planned.file_id, size)
            return None
        return self._guarded(tail, lambda tail: self._cut_planned(tail, planned))

    def _cut_planned(self, tail: Tail, planned: Range) -> _Cut | None:
        if not tail.is_same_content():
            return None
        raw = tail.open().read(planned.start, planned.mark.offset - planned.start)
        return self._made(tail, planned.start, self._read(tail, raw, is_final=True)) if raw else None

    def _read(self, tail: Tail, raw: bytes, *, is_final: bool) -> Reading:
        skipped, recipe = 0, self._recipe
        if recipe.framing.encoding.startswith("utf-"):
            encoding, mark_bytes = normalise(recipe.framing.encoding, tail.open().read(0, _MOST_BOM_BYTES))
            recipe = recipe.with_encoding(encoding)
            skipped = mark_bytes if tail.cursor.mark.offset == 0 else 0
        skipped = skipped or self._late_newline(tail, raw)
        reading = recipe.read(raw[skipped:] if skipped else raw, is_final=is_final)
        return reading._replace(consumed=reading.consumed + skipped)

    def _late_newline(self, tail: Tail, raw: bytes) -> int:
        """Give the size of the newline that ends a line which was given without one before."""
        offset = tail.cursor.mark.offset
        newline = next((end for end in (b"\n", b"\r\n") if raw.startswith(end)), b"")
        if not newline or not offset or tail.open().read(offset - 1, 1) == b"\n":
            return 0
        return len(newline)

    def _made(self, tail: Tail, offset: int, reading: Reading) -> _Cut:
        end = offset + reading.consumed
        payload = encode(reading.entries, self._origin_of(tail.cursor.path), observed_unix_nano=self._pace.unix_nano())
        planned = Range(tail.cursor.file_id, offset, self._follower.mark(tail, end))
        return _Cut(tail, planned, payload, len(reading.entries), reading.drops)
