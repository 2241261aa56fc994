"""What Python wrote about its own crash, as a record of the journal of the process that crashed.

`faulthandler` can do no more than write to an open file: `crash.txt` in the folder of the journal.
"""

import logging
import re
from pathlib import Path
from typing import Final

from runmill.journal.records import LOG, Log, Record

__all__ = ["CRASH_NAME", "find_crash"]

CRASH_NAME: Final = "crash.txt"

_MOST_BYTES: Final = 1 << 20
_THREAD: Final = re.compile(r"^Current thread 0x([0-9a-f]+)", re.MULTILINE)
_FRAME: Final = re.compile(r'^Current thread .*\n  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)


def find_crash(folder: Path) -> "Record | None":
    """Give the record of the crash that the journal in *folder* tells of, always the same one; None for no crash."""
    try:
        path = folder / CRASH_NAME
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode(errors="replace")
        time_unix_nano = path.stat().st_mtime_ns
    except OSError:
        return None
    return tuple(_record(text, time_unix_nano)) if text.strip() else None


def _record(text: str, time_unix_nano: int) -> Log:
    what = text.strip().splitlines()[0]
    kind, _, message = what.partition(": ")
    thread, frame = _THREAD.search(text), _FRAME.search(text)
    return Log(
        record_kind=LOG,
        time=time_unix_nano,
        run_key=None,
        logger="faulthandler",
        levelno=logging.CRITICAL,
        level_name="CRITICAL",
        body=what,
        attributes={"exception.type": kind, "exception.message": message, "exception.stacktrace": text},
        file_path=frame[1] if frame else "",
        line_number=int(frame[2]) if frame else 0,
        function_name=frame[3] if frame else "",
        thread_id=int(thread[1], 16) if thread else 0,
        thread_name="",
        trace_id=None,
        span_id=None,
        trace_flags=0,
        dropped_attributes_count=0,
    )
