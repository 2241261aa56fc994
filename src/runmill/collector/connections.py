"""How many may connect, and how long they may take to ask: who is slow makes way for who is not.

A connection waits while it has not asked for anything whole: nothing, half a header, half a body. Where there are as
many as there may be, the one that has waited longest is closed for the one that comes, so a thousand that send a byte a
second cannot keep out one that sends its request at once.
"""

import asyncio
import resource
import time
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["Connection", "Waiting", "most_connections"]

_MOST_CONNECTIONS: Final = 4096
_HEADER_SECONDS: Final = 10.0
_MOST_HEADER_BYTES: Final = 64 * 2**10


def most_connections() -> int:
    """Give how many connections a server may hold: half of the files the process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, soft // 2)


class Waiting:
    """A server's connections that wait for their client, in the order in which they began to."""

    def __init__(self, most_connections: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_connections = most_connections
        self._clock = clock
        self._since = dict[Connection, float]()

    def begin(self, connection: "Connection") -> None:
        """Note that *connection* waits from now on."""
        self._since.pop(connection, None)  # last in the order
        self._since[connection] = self._clock()

    def end(self, connection: "Connection") -> None:
        """Note that it does not any more."""
        self._since.pop(connection, None)

    def make_room(self, connection_count: int) -> bool:
        """Close who has waited longest where *connection_count* are too many; False where nobody waits."""
        if connection_count <= self._most_connections:
            return True
        longest = next(iter(self._since), None)
        if longest is not None:
            longest.cut()
        return longest is not None

    def cut_late(self) -> None:
        """Close whoever takes too long for the header of a request."""
        limit = self._clock() - _HEADER_SECONDS
        late = [connection for connection, since in self._since.items() if since < limit and connection.owes_header]
        for connection in late:
            connection.cut()


class Connection(HttpToolsProtocol):
    """One client's connection, which may be closed for others while it waits."""

    def __init__(self, waiting: Waiting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting = waiting
        self._header_bytes = 0
        self.owes_header = True
        """Whether a request is due or has begun whose header is not complete."""

    def cut(self) -> None:
        """Close without an answer."""
        self._waiting.end(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base
        """Take a connection, or close it where there is no room for it."""
        super().connection_made(transport)
        if self._waiting.make_room(len(self.connections)):
            self._waiting.begin(self)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._waiting.end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; too long a header ends the connection."""
        if self.owes_header:
            self._header_bytes += len(data)
        super().data_received(data)
        if self.owes_header and self._header_bytes > _MOST_HEADER_BYTES:
            self.cut()

    def on_message_begin(self) -> None:
        """Expect the rest of a header."""
        self.owes_header = True
        cycle: RequestResponseCycle | None = self.cycle  # before the first request there is none
        if cycle is None or cycle.response_complete:  # else it is sent ahead, and waits for us
            self._waiting.begin(self)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Expect a body, for which whoever reads it sets the time."""
        self.owes_header = False
        self._header_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: it is our turn, unless we have answered already."""
        if self.cycle.response_complete:
            self._waiting.begin(self)
        else:
            self._waiting.end(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, for as long as a connection is kept alive."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._waiting.begin(self)
