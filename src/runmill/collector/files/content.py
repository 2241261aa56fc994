"""The bytes of an open file from any offset on, compressed or not."""

import os
import zlib
from typing import Final, Protocol

__all__ = ["Content", "CorruptFile", "GzipContent", "PlainContent", "end_of", "open_content"]

_CHUNK_BYTES: Final = 1 << 18
_GZIP_WINDOW: Final = 31


class CorruptFile(Exception):  # noqa: N818 - what is wrong with the file, not with the program
    """What is compressed cannot be read beyond a certain offset."""


class Content(Protocol):
    """A file's bytes; offsets count decompressed ones."""

    def read(self, offset: int, size: int) -> bytes:
        """Give up to *size* bytes from *offset*; none behind the end. Raises OSError, CorruptFile."""

    def status(self) -> os.stat_result:
        """Give the state of the open file, also when it has another name or none by now."""

    def close(self) -> None:
        """Let go of it."""


class PlainContent:
    """A file as it is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, offset: int, size: int) -> bytes:
        """Give up to *size* bytes from *offset*."""
        return os.pread(self._descriptor, size, offset)

    def status(self) -> os.stat_result:
        """Give the state of the open file."""
        return os.fstat(self._descriptor)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


class GzipContent(PlainContent):
    """A gzip file of one member or several. Reading on is cheap, reading again begins at the start."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._rewind()

    def read(self, offset: int, size: int) -> bytes:
        """Give up to *size* decompressed bytes from *offset*. Raises CorruptFile behind the last that can be had."""
        if offset < self._start:
            self._rewind()
        while self._start + len(self._ready) < offset + size:
            skipped = min(len(self._ready), offset - self._start)
            del self._ready[:skipped]
            self._start += skipped
            if not self._decompress_more():
                break
        at = offset - self._start
        found = bytes(self._ready[at : at + size])
        if not found and self._fault:
            raise CorruptFile(self._fault)
        return found

    def _rewind(self) -> None:
        self._start = 0
        self._ready = bytearray()
        """The decompressed bytes from `_start` on."""
        self._position = 0
        self._pending = b""
        """Compressed bytes that were read and not used yet."""
        self._decompressor = zlib.decompressobj(_GZIP_WINDOW)
        self._fault = ""

    def _decompress_more(self) -> bool:
        """Decompress some more; False when there is nothing more now. A little compressed may be very much."""
        if not self._pending:
            self._pending = super().read(self._position, _CHUNK_BYTES)
            self._position += len(self._pending)
        if self._decompressor.eof:  # another member follows, or zeros that pad the file
            self._pending = self._pending.lstrip(b"\0")
            self._decompressor = zlib.decompressobj(_GZIP_WINDOW)
        if not self._pending or self._fault:
            return False
        try:
            self._ready += self._decompressor.decompress(self._pending, _CHUNK_BYTES)
        except zlib.error as error:
            self._fault = str(error)
            return False
        self._pending = self._decompressor.unconsumed_tail or self._decompressor.unused_data
        return True


def open_content(path: str, *, is_gzip: bool) -> Content:
    """Open a file for reading; never waits, whatever the path leads to. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    return GzipContent(descriptor) if is_gzip else PlainContent(descriptor)


def end_of(content: Content) -> int:
    """Give the size of what is compressed, or how much of it can be read."""
    offset = 0
    try:
        while read := len(content.read(offset, 1 << 20)):
            offset += read
    except CorruptFile:
        pass
    return offset
