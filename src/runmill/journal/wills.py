"""Last wills: what a process wants said should it die before it can say so itself.

A will is an event in a file of its own, in the folder of the journal. A process that comes to its end takes its wills
back; of one that was killed they are still there, and are the last that whoever delivers its journal finds in it.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.journal.frames import pack, unpack
from runmill.journal.records import Event, Log, Record

__all__ = ["Will", "find_wills", "write_will"]

_SUFFIX: Final = ".will"


@dataclass(frozen=True, slots=True)
class Will:
    """One will of this process. No method raises: a run must not fail for its will."""

    path: Path

    def confirm(self) -> None:
        """Say that the process is alive now: the event will be of the last time it said so."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def revoke(self) -> None:
        """Take it back: what it says is not to be said any more."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def write_will(folder: Path, record: Record, *, name: str) -> Will | None:
    """Put *record*, an Event whose time does not matter, into the folder of the journal; None where that fails."""
    will = Will(folder / f"{name}{_SUFFIX}")
    try:
        # In one step: a process killed in here leaves a whole will or none.
        draft = will.path.with_suffix(".draft")
        draft.write_bytes(pack(record))
        draft.rename(will.path)
    except OSError:
        return None
    return will


def find_wills(folder: Path, crash: "Record | None") -> Iterator[Event]:
    """Yield what the process whose journal *folder* is wanted said, always the same events.

    An event with an ``error`` is given the words of the *crash* as its message, where the interpreter had any.
    """
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(OSError):
            for record in unpack(path.read_bytes(), most_bytes=1 << 20).records:
                yield _event(Event._make(record), path.stat().st_mtime_ns, crash)


def _event(event: Event, time_unix_nano: int, crash: "Record | None") -> Event:
    if crash is None:
        return event._replace(time_unix_nano=time_unix_nano)
    told, body = Log._make(crash), event.body
    if isinstance(body.get("error"), dict):
        body = {**body, "error": {**body["error"], "message": told.body}}
    return event._replace(time_unix_nano=max(time_unix_nano, int(told.time)), body=body)
