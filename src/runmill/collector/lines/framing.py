"""Bytes of a file to lines, in any encoding and of any length.

Pure, so that the same bytes always give the same lines: what was under way when the collector was killed is read
again and gives the very same batch.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from operator import add
from typing import Final, NamedTuple

__all__ = ["NOP", "Block", "Framing", "codec_name", "normalise"]

NOP: Final = "nop"
"""The encoding that is none: bytes are taken as UTF-8 where they are, and stay bytes where they are not."""

_WIDTHS: Final = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_BOMS: Final = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
_LONGEST_CHARACTER: Final = 4
_UNMARKED: Final = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}


class Block(NamedTuple):
    """The lines at the start of some bytes."""

    lines: list[bytes]
    """Without their ends, in UTF-8 whatever the encoding."""
    ends: list[int]
    """For each line, the offset behind its end."""

    @property
    def consumed(self) -> int:
        """How many of the bytes the lines are."""
        return self.ends[-1] if self.ends else 0


@dataclass(frozen=True, slots=True)
class Framing:
    """How a file is cut into lines."""

    encoding: str
    """A codec's name as `codec_name` gives it, or ``nop``."""
    max_line_bytes: int
    """A longer line is cut into several."""

    def split(self, raw: bytes, *, is_final: bool) -> Block:
        """Give the lines of *raw*, and of text without a line's end what exceeds the limit.

        With *is_final* the rest is a line too, as if it had ended; so every byte belongs to a line.
        """
        width = _WIDTHS.get(self.encoding, 1)
        pieces, ends = _split_wide(raw, self.encoding, width) if width > 1 else _split(raw)
        if len(raw) > self.max_line_bytes:
            pieces, ends = self._cut(pieces, ends, len(raw))
        rest = pieces.pop()
        if is_final and rest:
            pieces.append(rest)
            ends.append(len(raw))
        return Block([self._decoded(piece) for piece in pieces] if self._decodes(raw) else pieces, ends)

    def _cut(self, pieces: list[bytes], ends: list[int], size: int) -> tuple[list[bytes], list[int]]:
        """Cut the long ones; each piece but the last of its line ends where it was cut."""
        cut, cut_ends, start = list[bytes](), list[int](), 0
        for piece, end in zip(pieces, [*ends, size], strict=True):
            at = 0
            for mark in self._marks(piece):
                cut.append(piece[at:mark])
                cut_ends.append(start + mark)
                at = mark
            cut.append(piece[at:])
            cut_ends.append(end)
            start = end
        return cut, cut_ends[:-1]

    def _marks(self, piece: bytes) -> Iterator[int]:
        """Yield where to cut: never inside a character of UTF-8."""
        width = _WIDTHS.get(self.encoding, 1)
        most = max(self.max_line_bytes - self.max_line_bytes % width, _LONGEST_CHARACTER)
        at = 0
        while len(piece) - at > most:
            at += most
            for back in range(_LONGEST_CHARACTER):
                if width > 1 or piece[at - back] & 0xC0 != 0x80:  # noqa: PLR2004 - what follows in a character
                    at -= back
                    break
            yield at

    def _decodes(self, raw: bytes) -> bool:
        """Say whether lines of *raw* differ from their UTF-8; asked once a block, as nearly always nothing does."""
        if self.encoding == NOP or raw.isascii():
            return self.encoding in _WIDTHS or b"\0" in raw or b"\r" in raw
        if self.encoding != "utf-8" or b"\0" in raw or b"\r" in raw:
            return True
        try:
            raw.decode()
        except UnicodeDecodeError:
            return True
        return False

    def _decoded(self, line: bytes) -> bytes:
        if self.encoding == NOP:
            return line.removesuffix(b"\r")
        # A writer that goes on at its old offset after its file was truncated leaves zeros in front.
        text = line.decode(self.encoding, "replace").lstrip("\0").removesuffix("\r")
        return text.encode(errors="replace")


def codec_name(name: str) -> str:
    """Give the name to use for an encoding as a person writes it (``UTF8``, ``utf-16le``). Raises LookupError."""
    return NOP if name.lower() == NOP else codecs.lookup(name).name


def normalise(encoding: str, head: bytes) -> tuple[str, int]:
    """Give the encoding of a file that begins with *head*, and how many bytes its byte order mark takes."""
    if encoding in _UNMARKED:
        marked = (name for name in _BOMS if name.startswith(encoding) and head.startswith(_BOMS[name]))
        encoding = next(marked, _UNMARKED[encoding])
    mark = _BOMS.get(encoding, b"\0")
    return encoding, len(mark) if head.startswith(mark) and encoding in _BOMS else 0


def _split(raw: bytes) -> tuple[list[bytes], list[int]]:
    pieces = raw.split(b"\n")
    ends = list(map(add, accumulate(map(len, pieces)), count(1)))
    ends.pop()
    return pieces, ends


def _split_wide(raw: bytes, encoding: str, width: int) -> tuple[list[bytes], list[int]]:
    newline, pieces, ends, start, at = "\n".encode(encoding), list[bytes](), list[int](), 0, 0
    while (at := raw.find(newline, at)) >= 0:
        if at % width:  # the second half of one character and the first of the next
            at += 1
            continue
        pieces.append(raw[start:at])
        start = at = at + width
        ends.append(start)
    pieces.append(raw[start:])
    return pieces, ends
