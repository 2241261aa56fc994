"""Receivers on real sockets, whose other end records."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from collector_fakes import RecordingConsumer

from runmill.collector.guard import Health
from runmill.collector.receivers.otlp import OtlpReceiver, bind
from runmill.collector.receivers.otlp_config import HttpConfig
from runmill.collector.telemetry import Telemetry


@dataclass
class Receiving:
    """A started receiver, what it hands on, and a client of it."""

    receiver: OtlpReceiver
    consumer: RecordingConsumer
    client: httpx.AsyncClient
    telemetry: Telemetry
    health: Health

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.receiver.endpoint.rpartition(":")
        return host, int(port)


@pytest.fixture
async def receiving() -> AsyncIterator[Callable[..., Awaitable[Receiving]]]:
    """Give a function that starts a receiver on a free port; logs and metrics have a pipeline, traces have none."""
    async with AsyncExitStack() as stack:

        async def start(*errors, others=None, token=None, **settings):
            consumer, telemetry, health = RecordingConsumer(*errors), Telemetry(), Health()
            receiver = OtlpReceiver(
                HttpConfig(**{"endpoint": "127.0.0.1:0", **settings}),
                {"logs": consumer, "metrics": consumer},
                receiver_id="otlp",
                telemetry=telemetry,
                health=health,
                others=others,
                bind=bind,
                token=token,
            )
            await receiver.start()
            stack.push_async_callback(receiver.shutdown)
            host, _, port = receiver.endpoint.rpartition(":")
            url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
            return Receiving(receiver, consumer, client, telemetry, health)

        yield start
