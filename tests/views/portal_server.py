"""The views on a real socket, in a thread with a loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runmill.collector.server import HttpServer
from runmill.store.interface import Store
from runmill.views.app import create_app


@contextmanager
def serving(store: Store, *, port: int = 0, **settings) -> Iterator[str]:
    """Serve *store*, on a free port unless one is given; give the base address."""
    listening = socket.create_server(("127.0.0.1", port))
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    stop = asyncio.Event()

    async def serve() -> None:
        server = HttpServer(create_app(store, version="1.2.3", **settings), listening)
        await server.start()
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        await server.shutdown()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(15)
        assert not thread.is_alive()
