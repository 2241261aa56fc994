"""What a script writes, kept twice: as lines of the run's log, and raw."""

import os
import time
from pathlib import Path
from typing import Final

from runmill.app.notices import notice
from runmill.app.runs.launch.supervised import SupervisedRun
from runmill.app.runs.lines import LineSplitter, Stream

__all__ = ["Output"]

_TAIL_BYTES: Final = 64 << 10


class Output:
    """Both streams of one script. A disk that is full costs the raw file, never the script."""

    def __init__(self, run: SupervisedRun, raw: Path) -> None:
        self._run = run
        self._raw = raw.open("wb", buffering=0)
        self._splitters: dict[Stream, LineSplitter] = {"stdout": LineSplitter(), "stderr": LineSplitter()}
        self._stderr_tail = bytearray()

    def take(self, stream: Stream, content: bytes) -> None:
        """Keep what was written to a stream, in the order it came."""
        self._keep_raw(content)
        if stream == "stderr":
            self._stderr_tail += content
            del self._stderr_tail[:-_TAIL_BYTES]
        for line in self._splitters[stream].feed(content, time.monotonic()):
            self._run.log_line(stream, line)

    def close(self) -> None:
        """Keep the last lines, those without an end, too."""
        for stream, splitter in self._splitters.items():
            for line in splitter.close():
                self._run.log_line(stream, line)
        self._raw.close()

    @property
    def stderr_tail(self) -> str:
        """The end of what was written to stderr."""
        return self._stderr_tail.decode("utf-8", "backslashreplace").replace("\r\n", "\n")

    def _keep_raw(self, content: bytes) -> None:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(self._raw.fileno(), view) :]
        except OSError as error:
            notice(f"{self._raw.name!r} lacks some of the script's output: {error}. Its log lines are kept.")
