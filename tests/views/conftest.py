"""A server with a store in memory, and one browser for the session."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from memory_store import MemoryStore
from training import fill

from runmill.views.app import create_app
from runmill.views.feeds import Feeds
from runmill.views.server import PortalServer

RUN = "3f9a1c04-7d52-4b8e-9a61-0c5e2b7d9f10"
FAILED = "b71e60aa-1f0c-4c09-8a77-5d2f6f1e8c33"


class ThreadedServer(PortalServer):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config, feeds: Feeds) -> None:
        super().__init__(config, feeds)
        self.is_up = threading.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def serving(store: MemoryStore, **settings) -> Iterator[str]:
    """Serve *store* on a free port; give the base address."""
    feeds = Feeds()
    app = create_app(store, version="1.2.3", feeds=feeds, **settings)
    server = ThreadedServer(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"), feeds)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.is_up.wait(10)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def trained(store: MemoryStore) -> MemoryStore:
    fill(store, RUN)
    return store


@pytest.fixture
def address(store: MemoryStore) -> Iterator[str]:
    with serving(store) as base:
        yield base


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=10) as client:
        yield client
