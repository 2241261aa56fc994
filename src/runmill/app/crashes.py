"""Lets Python say what it crashed of: into the journal's folder, from where the next process delivers it.

`faulthandler` writes to one file only. Where it is on already (``python -X faulthandler``, ``PYTHONFAULTHANDLER``, a
test runner, the program itself) somebody wants its words on stderr: then it is left alone, and the crash is told there
and not by a record.
"""

import faulthandler
import os
from pathlib import Path
from typing import IO

from runmill.app.notices import notice
from runmill.journal.crash import CRASH_NAME

__all__ = ["arm", "disarm", "forget"]

# Never closed: faulthandler writes to the number of the descriptor, whatever that is by then.
_file: IO[bytes] | None = None


def arm(folder: Path) -> None:
    """Send faulthandler's output to the journal in *folder*; in a forked child, to its own instead of its parent's."""
    global _file  # noqa: PLW0603 - a process has one faulthandler
    if faulthandler.is_enabled() and _file is None:
        return
    try:
        file = (folder / CRASH_NAME).open("wb", buffering=0)
        faulthandler.enable(file)
    except (OSError, RuntimeError, ValueError) as error:
        notice(f"a crash of the interpreter cannot be recorded: {error}")
    else:
        _file = file


def disarm() -> None:
    """Turn faulthandler off if `arm` turned it on."""
    global _file  # noqa: PLW0603 - as above
    if _file is not None:
        faulthandler.disable()
        _file = None


def forget(folder: Path) -> None:
    """Empty the file of the journal in *folder*: what it told of is recorded."""
    try:
        os.truncate(folder / CRASH_NAME, 0)
    except OSError as error:
        notice(f"a crash may be recorded twice: {error}")
