"""What was lost: how many records, whose, of which level, why and since when; and how much of that was told.

Kept beside the journal, so that it is told also when the process that counted is gone.
"""

import marshal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from runmill.journal.brief import MARSHAL_VERSION
from runmill.journal.slots import Slots

__all__ = ["JOURNAL_FULL", "Cause", "Loss", "Losses"]

Cause: TypeAlias = Literal["dropped", "rejected", "damaged", "in memory"]
"""No room in the journal; not taken by the collector; a count that cannot be read any more; or in memory alone, where
the process was killed before they were delivered."""

JOURNAL_FULL: Final = "the journal was full and no collector took what was in it"

_MOST_BYTES: Final = 1 << 14
_RESERVED_BYTES: Final = 1 << 12
"""Of that: for numbers that grow, and for what is counted without its reason."""
_MOST_REASON_CHARS: Final = 300
_MANY: Final = "for several reasons"


class _Key(NamedTuple):
    cause: Cause
    reason: str
    run_key: str | None
    level: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Records lost for one reason, of one run and one level."""

    cause: Cause
    reason: str
    run_key: str | None
    level: str
    """The level's name; ``POINT``, ``EVENT`` or ``REQUEST`` for what has none, empty where it is not known."""
    count: int
    """What of ``damaged`` and ``in memory`` nobody knows: there it is 1, once for all of them."""
    told_count: int = 0
    """How many of them a record tells of already."""
    first_unix_nano: int = 0
    """Of those not told of."""
    last_unix_nano: int = 0

    @property
    def untold_count(self) -> int:
        """How many nobody knows of yet."""
        return self.count - self.told_count


class Losses:
    """Counted by any thread, told by one. In memory when *path* is None. Raises OSError: no room for the file."""

    def __init__(self, path: Path | None, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._slots = Slots(path, most_bytes=_MOST_BYTES)
        self._clock = clock
        # Re-entrant, and held for the time of a copy in memory: a signal handler may log while this thread is in here.
        self._lock = threading.RLock()
        self._losses: dict[_Key, Loss] = {}
        if self._slots.body:
            found = (Loss(*row) for row in marshal.loads(self._slots.body))  # noqa: S302 - ours, and the checksum holds
            self._losses = {_key(loss): loss for loss in found}
        elif self._slots.is_damaged:
            unknown = Loss("damaged", "the file that had their number is damaged", None, "", count=1)
            self._losses[_key(unknown)] = unknown

    def add(self, cause: Cause, reason: str, *, level: str, run_key: str | None = None, count: int = 1) -> None:
        """Count what was lost now. What is too manifold for the file is counted without its reason and run."""
        with self._lock:
            key, now = _Key(cause, reason[:_MOST_REASON_CHARS], run_key, level), self._clock()
            if key not in self._losses and len(self._encode()) > _MOST_BYTES - _RESERVED_BYTES:
                key = _Key(cause, _MANY, None, "")
            known = self._losses.get(key) or Loss(*key, count=0)
            first = known.first_unix_nano if known.untold_count else now
            self._losses[key] = replace(known, count=known.count + count, first_unix_nano=first, last_unix_nano=now)
            self._slots.save(self._encode())

    def all(self) -> list[Loss]:
        """Give everything that was lost, told or not, in the order it began."""
        with self._lock:
            return list(self._losses.values())

    def untold(self) -> list[Loss]:
        """Give what nobody was told of yet, without what is only at risk."""
        return [loss for loss in self.all() if loss.untold_count and loss.cause != "in memory"]

    def count(self, cause: Cause) -> int:
        """Count the records lost by *cause*."""
        return sum(loss.count for loss in self.all() if loss.cause == cause)

    def risk(self, reason: str) -> None:
        """Note that records are in memory alone from now on: should the process be killed, that is told of it."""
        with self._lock:
            if not self.at_risk():
                now = self._clock()
                at_risk = Loss("in memory", reason, None, "", 1, first_unix_nano=now, last_unix_nano=now)
                self._losses[_key(at_risk)] = at_risk
                self._slots.save(self._encode())

    def end_risk(self) -> None:
        """Note that all of them were delivered."""
        with self._lock:
            for loss in self.at_risk():
                del self._losses[_key(loss)]
            self._slots.save(self._encode())

    def at_risk(self) -> list[Loss]:
        """Give what is lost if the process is killed: one loss of an unknown number, or none."""
        return [loss for loss in self.all() if loss.cause == "in memory"]

    def tell(self, told: Loss) -> None:
        """Note that a record tells of *told*, as `untold` gave it; what came since is still to be told."""
        with self._lock:
            now = self._losses[_key(told)]
            self._losses[_key(told)] = replace(now, told_count=told.count, first_unix_nano=now.last_unix_nano)
            self._slots.save(self._encode())

    def close(self) -> None:
        """Unmap its file."""
        self._slots.close()

    def _encode(self) -> bytes:
        rows = [(*_key(loss), *_numbers(loss)) for loss in self._losses.values()]
        return marshal.dumps(rows, MARSHAL_VERSION)


def _key(loss: Loss) -> _Key:
    return _Key(loss.cause, loss.reason, loss.run_key, loss.level)


def _numbers(loss: Loss) -> tuple[int, int, int, int]:
    return loss.count, loss.told_count, loss.first_unix_nano, loss.last_unix_nano
