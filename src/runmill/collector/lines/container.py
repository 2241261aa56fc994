r"""What container engines write: each line of a container's output with its time and stream around it.

```text
docker json-file   {"log":"epoch 1\n","stream":"stdout","time":"2026-11-22T01:04:26.734407489Z"}
CRI (containerd)   2026-11-22T01:04:26.734407489Z stdout F epoch 1
CRI (cri-o)        2026-11-22T01:04:26.734407489+00:00 stdout F epoch 1
```

An engine cuts long lines: docker at 16 KiB (a piece has no newline at its end), CRI engines also at every short write
(tag P, and F for the piece that ends a line). The pieces of a line are joined, apart for each stream. What has none of
these forms is kept as the text it is.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import orjson

from runmill.collector.lines.entry import Gathered, Line, Lines
from runmill.collector.lines.timestamps import from_rfc3339

__all__ = ["Format", "Piece", "join", "parse"]

Format = Literal["auto", "docker", "crio", "containerd"]

Piece: TypeAlias = tuple[int, str | None, bytes, bool]
"""(time_unix_nano, stream, text, whether it ends a line)"""

_CRI_FIELDS: Final = 4
_STREAM_NAMES: Final = ("stdout", "stderr")
_STREAMS: Final = {name.encode(): name for name in _STREAM_NAMES}


def parse(lines: Sequence[bytes], *, format: Format, max_line_bytes: int, is_final: bool) -> Lines:  # noqa: A002 - the key's name
    """Give what the container printed, each line whole.

    Args:
        lines: Lines of one log file.
        format: What wrote it; ``auto`` tells by the line.
        max_line_bytes: A joined line that reaches this is given as it is; what follows begins another.
        is_final: Lines whose end is missing are given too. Otherwise they are held.
    """
    is_docker = format == "docker" or (format == "auto" and lines[:1] and lines[0][:1] == b"{")
    whole = _docker_lines(lines) if is_docker else None
    if whole is not None:
        return Lines(whole)
    return join([_piece(line, format) for line in lines], max_line_bytes, is_final=is_final)


def _docker_lines(lines: Sequence[bytes]) -> list[Gathered] | None:
    """Read a block of whole lines as one JSON array, which costs half; None when there is anything else in it."""
    whole = list[Gathered]()
    try:
        found = orjson.loads(b"[" + b",".join(lines) + b"]")
        for index, one in enumerate(found):
            text, time_unix_nano = one["log"], from_rfc3339(one["time"])
            if text[-1] != "\n" or time_unix_nano is None or one["stream"] not in _STREAM_NAMES:
                return None
            end = -2 if text[-2:-1] == "\r" else -1
            whole.append((index, index, time_unix_nano, one["stream"], text[:end].encode()))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return whole if len(found) == len(lines) else None


def _docker_piece(found: dict[str, Any]) -> Piece:
    text: str = found["log"]
    time_unix_nano = from_rfc3339(found["time"])
    if time_unix_nano is None or found["stream"] not in _STREAM_NAMES:
        raise ValueError("not an engine's line")
    if text[-1:] != "\n":
        return time_unix_nano, found["stream"], text.encode(), False
    # A terminal ends lines with both; the program wrote the newline only.
    return time_unix_nano, found["stream"], (text[:-2] if text[-2:-1] == "\r" else text[:-1]).encode(), True


def _piece(line: bytes, format: Format) -> Piece:  # noqa: A002 - the key's name
    if format != "docker" and line[:1] != b"{":
        return _cri_piece(line)
    try:
        return _docker_piece(orjson.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0, None, line, True


def _cri_piece(line: bytes) -> Piece:
    parts = line.split(b" ", 3)
    stream = _STREAMS.get(parts[1]) if len(parts) >= _CRI_FIELDS - 1 else None
    if stream is None:
        return 0, None, line, True
    tag = parts[2]
    time_unix_nano = from_rfc3339(parts[0].decode("ascii", "replace"))
    if time_unix_nano is None or tag[:1] not in (b"F", b"P") or tag[1:2] not in (b"", b":"):
        return 0, None, line, True
    text = parts[3] if len(parts) == _CRI_FIELDS else b""
    is_end = tag[:1] == b"F"
    return time_unix_nano, stream, text.removesuffix(b"\r") if is_end else text, is_end


class _Open:
    """A line of a stream whose end has not come."""

    __slots__ = ("first", "last", "pieces", "size", "time_unix_nano")

    def __init__(self, index: int, time_unix_nano: int) -> None:
        self.first = index
        self.last = index
        self.time_unix_nano = time_unix_nano
        self.pieces = list[bytes]()
        self.size = 0

    def add(self, index: int, text: bytes) -> None:
        self.last = index
        self.pieces.append(text)
        self.size += len(text)

    def line(self, stream: str | None) -> Line:
        return self.first, self.last, self.time_unix_nano, stream, b"".join(self.pieces)


def join(pieces: Sequence[Piece], max_line_bytes: int, *, is_final: bool) -> Lines:
    """Give the lines that *pieces* are, apart for each stream; arguments as for `parse`."""
    joined: list[Gathered] = []
    open_by_stream: dict[str | None, _Open] = {}
    for index, (time_unix_nano, stream, text, is_end) in enumerate(pieces):
        if is_end and stream not in open_by_stream:
            joined.append((index, index, time_unix_nano, stream, text))
            continue
        begun = open_by_stream.setdefault(stream, _Open(index, time_unix_nano))
        begun.add(index, text)
        if is_end or begun.size >= max_line_bytes:
            joined.append(open_by_stream.pop(stream).line(stream))
    if is_final:
        joined += [begun.line(stream) for stream, begun in open_by_stream.items()]
        return Lines(joined)
    return Lines(joined, min((begun.first for begun in open_by_stream.values()), default=None))
