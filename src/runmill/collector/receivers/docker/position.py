"""How far a container is read, and what of an answer is new behind that.

An engine is asked for lines from a time on, and podman tells times in whole seconds: many lines have the same. So it is
kept, for each stream, which time the last line had and how many had it. Lines of one stream come in their order; those
of two may not, and a little more than is needed is asked for.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from runmill.collector.lines.timestamps import from_rfc3339
from runmill.collector.receivers.docker.frames import Piece

__all__ = ["NOWHERE", "Gate", "Position"]

_OVERLAP_SECONDS: Final = 10
"""By so much may a line of one stream be written after a later one of the other: an engine that waits for its disk."""
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Position:
    """By stream, the time of the last line read, as the engine wrote it, and how many lines had that time."""

    streams: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def behind(self, lines: Iterable[bytes]) -> "Position":
        """Give the position behind *lines*, CRI lines that follow this one."""
        streams = {stream.encode(): (time.encode(), count) for stream, (time, count) in self.streams.items()}
        for line in lines:
            time, stream, _ = line.split(b" ", 2)
            last, count = streams.get(stream, (b"", 0))
            streams[stream] = (time, count + 1 if time == last else 1)
        return Position({stream.decode(): (time.decode(), count) for stream, (time, count) in streams.items()})

    def since_seconds(self, begun_unix_nano: int) -> int:
        """Give from when on to ask, in seconds since the epoch; where nothing is read yet, *begun_unix_nano*."""
        times = [_unix_nano(time) for time, _ in self.streams.values()]
        return max(0, max(times) // _SECOND - _OVERLAP_SECONDS) if times else begun_unix_nano // _SECOND

    def encode(self) -> str:
        """Give the position as text."""
        return json.dumps(self.streams)

    @staticmethod
    def decode(text: str) -> "Position":
        """Read what `encode` gave."""
        return Position({stream: (time, count) for stream, (time, count) in json.loads(text).items()})


NOWHERE: Final = Position()


class Gate:
    """Lets through what is new of one answer; once something of a stream was, all that follows is."""

    def __init__(self, position: Position, begun_unix_nano: int) -> None:
        self._last = {stream.encode(): (_unix_nano(time), count) for stream, (time, count) in position.streams.items()}
        self._begun_unix_nano = begun_unix_nano
        self._open = set[bytes]()

    def lets(self, piece: Piece) -> bool:
        """Say whether *piece* is new."""
        if piece.stream in self._open:
            return True
        time_unix_nano = _unix_nano(piece.time.decode("ascii", "replace"))
        last, left = self._last.get(piece.stream, (self._begun_unix_nano, 0))
        if time_unix_nano == last and left:
            self._last[piece.stream] = last, left - 1
            return False
        if time_unix_nano < last:
            return False
        self._open.add(piece.stream)
        return True


def _unix_nano(time: str) -> int:
    return from_rfc3339(time) or 0
