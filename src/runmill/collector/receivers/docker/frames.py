r"""What an engine sends of a container's output, to the lines that CRI engines write to files.

```text
no terminal     [stream 1B][0 0 0][length 4B] 2026-11-22T01:04:26.734407489Z epoch 1\n     and so on
terminal        2026-11-22T01:04:26.734407489Z epoch 1\r\n                                 and so on
```

Both become ``2026-11-22T01:04:26.734407489Z stdout F epoch 1``, and a piece of a line gets P in place of F: what reads
files of containers reads these too, and joins the pieces. Source: Docker Engine API, ContainerAttach, Stream format.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

__all__ = ["Frames", "Multiplexed", "Piece", "Terminal"]

_HEADER: Final = struct.Struct(">BxxxI")
_STREAMS: Final = {0: b"stdout", 1: b"stdout", 2: b"stderr"}
_ENGINE_PIECE_BYTES: Final = 16384
_MOST_REST_BYTES: Final = 1 << 20


class Piece(NamedTuple):
    """A line of a container, or a part of one."""

    time: bytes
    """As the engine wrote it: RFC 3339."""
    stream: bytes
    text: bytes
    is_end: bool
    """Whether it ends its line."""

    @property
    def line(self) -> bytes:
        """The piece as a CRI engine writes it."""
        return b"%b %b %b %b\n" % (self.time, self.stream, b"F" if self.is_end else b"P", self.text)


class Frames(Protocol):
    """Cuts a response into pieces."""

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Yield what is whole with *chunk*; take all of it before feeding again."""

    def end(self) -> Iterator[Piece]:
        """Yield what the response ended with."""


class Multiplexed:
    """In frames: of a container without a terminal, and of podman's with one."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self._rest = b""
        # A terminal ends lines with `\r\n`, and an engine may take off the second of them.
        self._ends = (b"\r",) if is_terminal else ()

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Yield the frames that are whole."""
        raw, at = self._rest + chunk, 0
        while len(raw) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(raw, at)
            begin = at + _HEADER.size
            if len(raw) < begin + size:
                break
            at = begin + size
            time, _, text = raw[begin:at].partition(b" ")
            # One line, or a piece of one; several would each get what the frame says of them.
            *whole, rest = text.split(b"\n")
            for line in whole:
                yield Piece(time, _STREAMS.get(stream, b"stderr"), line, is_end=True)
            if rest:
                yield Piece(time, _STREAMS.get(stream, b"stderr"), rest, is_end=rest.endswith(self._ends))
        self._rest = raw[at:]

    def end(self) -> Iterator[Piece]:
        """Yield nothing: what is left of a frame is read again."""
        yield from ()


class Terminal:
    """Of a container with a terminal, as Docker sends it: everything is standard output."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Yield the lines that are whole, and most of one that is very long."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from _terminal_pieces(line, is_end=True)
        if len(self._rest) > _MOST_REST_BYTES:
            *pieces, last = _terminal_pieces(self._rest, is_end=False)
            yield from pieces
            self._rest = last.time + b" " + last.text

    def end(self) -> Iterator[Piece]:
        """Yield the last line, when it has no end."""
        if self._rest:
            yield from _terminal_pieces(self._rest, is_end=False)
        self._rest = b""


def _terminal_pieces(line: bytes, *, is_end: bool) -> Iterator[Piece]:
    """Cut a line where the engine has put its time in again: before every 16 KiB."""
    time, _, text = line.partition(b" ")
    stamp = time + b" "
    while len(text := text.removeprefix(stamp)) > _ENGINE_PIECE_BYTES:
        yield Piece(time, b"stdout", text[:_ENGINE_PIECE_BYTES], is_end=False)
        text = text[_ENGINE_PIECE_BYTES:]
    yield Piece(time, b"stdout", text, is_end=is_end)
