"""What is printed inside ``with run:``, passed on as it comes and kept as one file of the run."""

import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any, Final

__all__ = ["USER_LOG", "UserLog"]

USER_LOG: Final = "logs/user_log.txt"


class UserLog:
    """Stands in front of ``sys.stdout`` and ``sys.stderr``; both go to one file, in the order they are written.

    What is written past them (by a subprocess, to ``sys.stdout.buffer``) is not seen.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._stdout, self._stderr = _Tee(sys.stdout, self._keep), _Tee(sys.stderr, self._keep)
        # A program without a console, as a service, has no streams.
        if sys.stdout is not None:
            sys.stdout = self._stdout
        if sys.stderr is not None:
            sys.stderr = self._stderr

    def close(self) -> IO[bytes] | None:
        """Stop, and give what was printed, from its start; None when nothing was.

        Where somebody stands in front of us by now, the streams stay as they are and only pass on.
        """
        self._stdout.stop()
        self._stderr.stop()
        if sys.stdout is self._stdout:
            sys.stdout = self._stdout.in_use
        if sys.stderr is self._stderr:
            sys.stderr = self._stderr.in_use
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.seek(0)
        return file

    def _keep(self, text: str) -> None:
        with self._lock:
            if self._file is None:
                # Held until the run has it: `UserLog.close` gives it away.
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.write(text.encode("utf-8", "replace"))


class _Tee:
    """A text stream that passes on all that is asked of it, and tells of what is written."""

    def __init__(self, behind: Any, tell: Callable[[str], None]) -> None:
        self.behind = behind
        self.tell: Callable[[str], None] | None = tell

    def write(self, text: str) -> int:
        """Write *text* as the stream behind does, then tell of it; a disk that is full is no fault of a print."""
        written: int = self.behind.write(text)
        if self.tell is not None:
            try:
                self.tell(text)
            except OSError:
                self.tell = None
        return written

    def writelines(self, lines: Any) -> None:
        """Write each of *lines*."""
        for line in lines:
            self.write(line)

    def stop(self) -> None:
        """Only pass on from now on."""
        self.tell = None

    @property
    def in_use(self) -> Any:
        """The first stream behind that is not a stopped one of ours: blocks may end in any order."""
        behind = self.behind
        while isinstance(behind, _Tee) and behind.tell is None:
            behind = behind.behind
        return behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)
