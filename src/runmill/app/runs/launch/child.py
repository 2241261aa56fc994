"""A script's process: started with its two streams in our hands, watched, and ended when somebody asks for it."""

import errno
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Protocol, Self

from runmill.app.runs.launch.terminal import fit_terminal, open_terminal
from runmill.app.runs.lines import Stream

__all__ = ["Child", "Stop", "Terminal", "Watched", "started_mark"]

_STREAMS: Final[tuple[Stream, Stream]] = ("stdout", "stderr")
_LOOK_SECONDS: Final = 0.1
_READ_BYTES: Final = 1 << 16
_DRAIN_SECONDS: Final = 1.0
"""How long streams are read that a process left behind by the script still holds open."""


class Watched(Protocol):
    """What is asked while a script runs."""

    def take(self, stream: Stream, content: bytes) -> bool:
        """Take output; False: nobody wants more of this stream."""

    def is_canceled(self) -> bool:
        """Say whether somebody asked for the end."""

    def tick(self) -> None:
        """Do what is to be done from time to time."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a script was ended before its own end."""

    was_canceled: bool = False
    time_limit_seconds: float | None = None
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a script shares of the terminal we stand at; nothing, for one in the background."""

    inherits_stdin: bool = False
    """It reads our standard input; else it has none."""
    shares_signals: bool = False
    """It stays in our process group: Ctrl-C and Ctrl-Z reach it from the terminal."""
    shown_on: frozenset[Stream] = frozenset()
    """Its streams that we show on a terminal: each is one for it, too, so that it draws bars and colours."""


class Child:
    """One process, in a process group of its own unless it shares the terminal's signals with us.

    Args:
        argv: The command.
        folder: Where it runs.
        variables: Its whole environment.
        terminal: What it shares of ours.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        folder: Path,
        variables: Mapping[str, str],
        terminal: Terminal = Terminal(),
    ) -> None:
        self._streams: dict[Stream, int] = {}
        theirs: list[int] = []
        for stream in _STREAMS:
            ours, given = open_terminal() if stream in terminal.shown_on else os.pipe()
            self._streams[stream] = ours
            theirs.append(given)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's program is what this is for
                list(argv),
                cwd=folder,
                env=dict(variables),
                stdin=None if terminal.inherits_stdin else subprocess.DEVNULL,
                stdout=theirs[0],
                stderr=theirs[1],
                process_group=None if terminal.shares_signals else 0,
            )
        except BaseException:
            self._close(self._streams.values())
            raise
        finally:
            self._close(theirs)
        self.pid = self._process.pid
        self._terminals = [self._streams[stream] for stream in terminal.shown_on]
        self._has_group = not terminal.shares_signals
        self._stop = Stop()
        self._kill_at = float("inf")

    def send(self, number: int) -> None:
        """Send a signal to the process and all of its group."""
        with suppress(ProcessLookupError, PermissionError):
            if self._has_group:
                os.killpg(self.pid, number)
            else:
                self._process.send_signal(number)

    def watch(self, watched: Watched, *, limit_seconds: float | None, grace_seconds: float) -> tuple[int, Stop]:
        """Hand on all output until the process has ended; give its exit code and why it was stopped.

        One that is asked to stop gets SIGTERM, and SIGKILL *grace_seconds* later. What the script left running goes
        on, unless it was stopped.
        """
        deadline = float("inf") if limit_seconds is None else time.monotonic() + limit_seconds
        with _Streams(self._streams) as streams:
            ended_at = float("inf")
            while streams.are_open or self._process.poll() is None:
                if streams.are_open:
                    streams.pass_on(watched)
                else:  # closed both: only its end is left to wait for
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(_LOOK_SECONDS)
                watched.tick()
                if self._process.poll() is None:
                    self._stop_if_asked(watched, deadline, limit_seconds, grace_seconds)
                else:
                    ended_at = min(ended_at, time.monotonic())
                    if time.monotonic() > ended_at + _DRAIN_SECONDS:
                        break
        if self._stop != Stop():
            self.send(signal.SIGKILL)
        return self._process.returncode, self._stop

    def stop(self, reason: Stop, grace_seconds: float) -> None:
        """Ask it to end; the first reason counts."""
        if self._stop == Stop():
            self._stop = reason
            self._kill_at = time.monotonic() + grace_seconds
            self.send(signal.SIGTERM)

    @contextmanager
    def stopped_by_signals(self, grace_seconds: float) -> Iterator[None]:
        """Let SIGTERM, SIGINT and SIGHUP of ours stop it in order."""

        def stop(number: int, _frame: FrameType | None) -> None:
            self.stop(Stop(stopped_by=signal.Signals(number).name), grace_seconds)

        with _handling(stop):
            yield

    @contextmanager
    def given_signals(self) -> Iterator[None]:
        """Hand our signals on to it: it decides. On a shared terminal it has its Ctrl-C already."""

        def hand_on(number: int, _frame: FrameType | None) -> None:
            if self._has_group or number != signal.SIGINT:
                self.send(number)

        def resize(number: int, _frame: FrameType | None) -> None:
            for descriptor in self._terminals:
                with suppress(OSError):  # closed: it writes to it no more
                    fit_terminal(descriptor)
            # Once more, where it shares our terminal's signals: it may have looked before there was a new size.
            self.send(number)

        with _handling(hand_on), _handling(resize, (signal.SIGWINCH,)):
            yield

    @staticmethod
    def _close(descriptors: Iterable[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    def _stop_if_asked(
        self, watched: Watched, deadline: float, limit_seconds: float | None, grace_seconds: float
    ) -> None:
        now = time.monotonic()
        if now >= self._kill_at:
            self.send(signal.SIGKILL)
        elif watched.is_canceled():
            self.stop(Stop(was_canceled=True), grace_seconds)
        elif now >= deadline:
            self.stop(Stop(time_limit_seconds=limit_seconds), grace_seconds)


class _Streams:
    """Both streams of a process, read as they come."""

    def __init__(self, streams: Mapping[Stream, int]) -> None:
        self._selector = selectors.DefaultSelector()
        for name, descriptor in streams.items():
            self._selector.register(descriptor, selectors.EVENT_READ, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            self._close(key.fd)
        self._selector.close()

    @property
    def are_open(self) -> bool:
        """Whether anybody may still write."""
        return bool(self._selector.get_map())

    def pass_on(self, watched: Watched) -> None:
        """Hand on what is there; wait for it a little."""
        for key, _ in self._selector.select(_LOOK_SECONDS):
            content = _read(key.fd)
            if not content or not watched.take(key.data, content):
                self._close(key.fd)  # one that nobody reads: the script is told so when it writes

    def _close(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ_BYTES)
    except OSError as error:
        # Linux answers so for a terminal that nobody holds any more.
        if error.errno == errno.EIO:
            return b""
        raise


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], None],
    numbers: Iterable[int] = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def started_mark(pid: int) -> str:
    """Give what tells a process from a later one of the same pid; nothing where there is no such process.

    Source: Linux, proc_pid_stat(5), field 22 (starttime).
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
