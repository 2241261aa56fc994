"""What is printed inside ``with run:``, passed on as it comes, and kept twice: as lines of the run's log, and raw."""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Any, Final

from runmill.app.current import current_run_key
from runmill.app.runs.lines import Line, LineSplitter, Stream
from runmill.app.runs.recorder import Recorder

__all__ = ["USER_LOG", "UserLog"]

USER_LOG: Final = "logs/user_log.txt"


class UserLog:
    """Stands in front of ``sys.stdout`` and ``sys.stderr``; both go to one file, in the order they are written.

    A line is a log record of the run that is current where it is printed: of the inner one of two blocks. What is
    written past the streams (by a subprocess, to ``sys.stdout.buffer``) is not seen.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._splitters: dict[Stream, LineSplitter] = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._stdout = _Tee(sys.stdout, partial(self._keep, "stdout"))
        self._stderr = _Tee(sys.stderr, partial(self._keep, "stderr"))
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
            last = [(stream, line) for stream, splitter in self._splitters.items() for line in splitter.close()]
        for stream, line in last:
            self._log(stream, [line])
        if file is not None:
            file.seek(0)
        return file

    def _keep(self, stream: Stream, text: str) -> None:
        content = text.encode("utf-8", "replace")
        with self._lock:
            lines = list(self._splitters[stream].feed(content, time.monotonic()))
        # Not under the lock: a journal that fails says so on stderr, which is this.
        self._log(stream, lines)
        with self._lock:
            if self._file is None:
                # Held until the run has it: `UserLog.close` gives it away.
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.write(content)

    def _log(self, stream: Stream, lines: Iterable[Line]) -> None:
        for line in lines:
            if current_run_key() == self._recorder.key:
                self._recorder.line(stream, line)


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
