"""A request's body, bounded while it is read and while it is decompressed: a zip bomb never is in memory."""

import zlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from runmill.collector.asgi import Receive
from runmill.errors import WireError

__all__ = ["ENCODINGS", "ClientGone", "TooLarge", "read_body"]

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS

ENCODINGS: Final = ("identity", "gzip", "deflate", "zlib")
"""What Content-Encoding may say; ``deflate`` is the zlib format. Source: RFC 9110, section 8.4.1."""


class TooLarge(Exception):  # noqa: N818 - an outcome that becomes a 413, not an error of ours
    """The body has more bytes than allowed, as it came or decompressed."""


class ClientGone(Exception):  # noqa: N818 - nobody is left to tell
    """The connection closed before the body was complete."""


async def read_body(receive: Receive, *, content_encoding: str, max_bytes: int) -> bytes:
    """Give the whole body, decompressed.

    Args:
        receive: Where its pieces come from.
        content_encoding: One of `ENCODINGS`.
        max_bytes: What neither the body nor its decompressed form may exceed.

    Raises:
        TooLarge: It does; no more than *max_bytes* were held.
        ClientGone: The rest will never come.
        WireError: The compressed form is broken.
    """
    if content_encoding == "identity":
        return await _gather(_chunks(receive), max_bytes)
    inflate = _Inflate(_GZIP if content_encoding == "gzip" else _ZLIB, max_bytes)
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


class _Inflate:
    """Decompresses piece by piece; several gzip members one after another are one body."""

    def __init__(self, window_bits: int, max_bytes: int) -> None:
        self._open: Callable[[], zlib._Decompress] = lambda: zlib.decompressobj(window_bits)
        self._member = self._open()
        self._max_bytes = max_bytes
        self._compressed_bytes = 0
        self._gathered = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._compressed_bytes += len(chunk)
        try:
            while chunk:
                if self._member.eof:
                    self._member = self._open()
                room = self._max_bytes - len(self._gathered)
                # One byte more than fits tells a full body from one that is too large.
                self._gathered += self._member.decompress(chunk, room + 1)
                if len(self._gathered) > self._max_bytes or self._compressed_bytes > self._max_bytes:
                    raise TooLarge
                chunk = self._member.unused_data
        except zlib.error as error:
            raise WireError(f"the compressed body is broken: {error}. Compress it as Content-Encoding says.") from error

    def finish(self) -> bytes:
        if self._compressed_bytes and not self._member.eof:
            raise WireError("the compressed body ends too early. Send all of it.")
        return bytes(self._gathered)
