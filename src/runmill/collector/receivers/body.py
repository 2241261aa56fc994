"""A request's body, bounded while it is read and while it is decompressed: a zip bomb never is in memory."""

import sys
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol

from runmill.collector.asgi import Receive
from runmill.errors import WireError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ClientGone", "Inflate", "TooLarge", "read_body"]


class _Member(Protocol):
    """What zlib and zstd call a decompressor: of one gzip member, one zlib stream, one zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, chunk: bytes, most_bytes: int, /) -> bytes: ...


# A frame says how far back it refers, and the decompressor holds that much: 8 MiB, what RFC 8878 asks a decoder for.
_ZSTD_OPTIONS: Final[Mapping[int, int]] = {zstd.DecompressionParameter.window_log_max: 23}

_OPEN: Final[Mapping[str, Callable[[], _Member]]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": lambda: zlib.decompressobj(zlib.MAX_WBITS),  # the zlib format. Source: RFC 9110, section 8.4.1
    "zlib": lambda: zlib.decompressobj(zlib.MAX_WBITS),
    "zstd": lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS),
}

# Each begins anew, so very many of them would take more time than their bytes are worth.
_MOST_MEMBERS: Final = 1000


class TooLarge(Exception):  # noqa: N818 - an outcome that becomes a 413, not an error of ours
    """The body has more bytes than allowed, as it came or decompressed."""


class ClientGone(Exception):  # noqa: N818 - nobody is left to tell
    """The connection closed before the body was complete."""


async def read_body(receive: Receive, *, content_encoding: str, max_bytes: int) -> bytes:
    """Give the whole body, decompressed.

    Args:
        receive: Where its pieces come from.
        content_encoding: ``identity``, or how it is compressed.
        max_bytes: What neither the body nor its decompressed form may exceed.

    Raises:
        TooLarge: It does; no more than *max_bytes* were held.
        ClientGone: The rest will never come.
        WireError: The compressed form is broken.
    """
    if content_encoding == "identity":
        return await _gather(_chunks(receive), max_bytes)
    inflate = Inflate(content_encoding, max_bytes)
    async for chunk in _chunks(receive):
        inflate.feed(chunk)
    return inflate.finish()


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _gather(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        if len(gathered) > max_bytes:
            raise TooLarge
    return bytes(gathered)


class Inflate:
    """Decompresses piece by piece; several members (gzip) or frames (zstd) one after another are one body."""

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        self._open = _OPEN[content_encoding]
        self._member = self._open()
        self._max_bytes = max_bytes
        self._member_count = 1
        self._compressed_bytes = 0
        self._gathered = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises TooLarge or WireError."""
        self._compressed_bytes += len(chunk)
        try:
            while chunk:
                if self._member.eof:
                    self._begin_member()
                room = self._max_bytes - len(self._gathered)
                # One byte more than fits tells a full body from one that is too large.
                self._gathered += self._member.decompress(chunk, room + 1)
                if len(self._gathered) > self._max_bytes or self._compressed_bytes > self._max_bytes:
                    raise TooLarge
                chunk = self._member.unused_data
        except (zlib.error, zstd.ZstdError) as error:
            raise WireError(f"the compressed body is broken: {error}. Compress it as Content-Encoding says.") from error

    def _begin_member(self) -> None:
        self._member_count += 1
        if self._member_count > _MOST_MEMBERS:
            raise WireError(f"the compressed body has more than {_MOST_MEMBERS} parts. Compress it as one.")
        self._member = self._open()

    def finish(self) -> bytes:
        """Give the whole body. Raises WireError when its end is missing."""
        if self._compressed_bytes and not self._member.eof:
            raise WireError("the compressed body ends too early. Send all of it.")
        return bytes(self._gathered)
