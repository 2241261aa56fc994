"""A uvicorn server that can stop while live views are open."""

import socket

import uvicorn

from runmill.views.feeds import Feeds

__all__ = ["PortalServer"]


class PortalServer(uvicorn.Server):
    """Ends the open streams first: uvicorn would wait for them, and they would wait for the next commit."""

    def __init__(self, config: uvicorn.Config, feeds: Feeds) -> None:
        super().__init__(config)
        self._feeds = feeds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the server."""
        self._feeds.close()
        await super().shutdown(sockets)
