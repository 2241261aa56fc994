"""One long answer of an engine, in large blocks.

An engine that speaks HTTP/1.1 sends every line of a container as a chunk of its own, and a client then spends 7 µs a
line on chunks alone. Asked in HTTP/1.0, which has no chunks, it sends the same bytes as they are: 1.5 µs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Download", "opened", "socket_of"]

_BLOCK_BYTES: Final = 1 << 18
_DEFAULT_PORT: Final = 2375
_UNIX: Final = "unix://"


@dataclass(frozen=True, slots=True)
class Download:
    """An answer whose head has come."""

    status: int
    reader: asyncio.StreamReader

    @property
    def is_error(self) -> bool:
        """Whether what follows is a message."""
        return self.status >= HTTPStatus.BAD_REQUEST

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield what comes, as it comes. That nothing more comes may also mean that the connection broke."""
        while block := await self.reader.read(_BLOCK_BYTES):
            yield block

    async def rest(self) -> bytes:
        """Give all that comes."""
        return await self.reader.read()


@asynccontextmanager
async def opened(endpoint: str, path: str, *, timeout_seconds: float) -> AsyncIterator[Download]:
    """Ask for *path*; hung up at the end. Raises OSError, asyncio.IncompleteReadError."""
    async with asyncio.timeout(timeout_seconds) as patience:
        reader, writer = await _connect(endpoint)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            patience.reschedule(None)  # what follows may take as long as its container runs
            yield Download(int(head.split(b" ", 2)[1]), reader)
        finally:
            writer.close()


async def _connect(endpoint: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    socket = socket_of(endpoint)
    if socket is not None:
        return await asyncio.open_unix_connection(socket, limit=_BLOCK_BYTES)
    address = urlsplit(endpoint)
    return await asyncio.open_connection(address.hostname, address.port or _DEFAULT_PORT, limit=_BLOCK_BYTES)


def socket_of(endpoint: str) -> str | None:
    """Give the path of the socket that *endpoint* names; None for an address on a network."""
    return endpoint.removeprefix(_UNIX) if endpoint.startswith(_UNIX) else None
