"""Who connects and does not ask: slow clients, silent ones, endless ones, and one that wants to work beside them."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from collector_fakes import DEADLINE_SECONDS, batch, logs, until

PROTOBUF = {"content-type": "application/x-protobuf"}
HEADER = b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"


@asynccontextmanager
async def connections(server, count):
    """So many open connections, of which the reading ends are watched by nobody."""
    made = await asyncio.gather(*(asyncio.open_connection(*server.address) for _ in range(count)))
    try:
        yield made
    finally:
        for _, writer in made:
            writer.close()


async def test_body_that_comes_too_slowly_is_cut_off(receiving):
    """Its sender is asked to try again, and the connection is closed: the rest is not waited for."""
    server = await receiving(read_timeout="50ms")
    async with connections(server, 1) as [(reader, writer)], asyncio.timeout(DEADLINE_SECONDS):
        writer.write(HEADER + b"Content-Length: 100\r\n\r\nhalf")
        answer = await reader.read()  # to its end
    header, _, body = answer.partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in header
    assert b"the body did not come within 0.05 s. Send it again, or in parts." in body


@pytest.mark.slow
@pytest.mark.parametrize("begun", [b"", HEADER[:20], HEADER + b"Content-Length: 100\r\n\r\n"], ids=["n", "h", "b"])
async def test_thousand_slow_clients_do_not_keep_out_a_good_one(receiving, monkeypatch, begun):
    """Each holds a connection and sends a byte now and then; who has waited longest makes way for who comes."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (400, 400))  # as a system that lets us have 200 of them
    server = await receiving()
    async with connections(server, 1000) as slow:
        for _, writer in slow:
            writer.write(begun)
        for _ in range(5):
            for _, writer in slow:
                writer.write(b"x")
            response = await server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)
            assert response.status_code == 200
    assert server.consumer.batches == [batch("a")] * 5


@pytest.mark.slow
async def test_requests_at_work_are_never_cut_for_new_connections(receiving, monkeypatch):
    """Only who waits for nobody but himself makes way."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (20, 20))
    server = await receiving()
    server.consumer.open.clear()
    sends = [asyncio.create_task(server.client.post("/v1/logs", content=logs("a"), headers=PROTOBUF)) for _ in range(5)]
    await until(lambda: len(server.consumer.batches) == 5)
    async with connections(server, 100):
        server.consumer.open.set()
        assert [response.status_code for response in await asyncio.gather(*sends)] == [200] * 5


async def test_endless_header_ends_the_connection(receiving):
    """What is not a request after 64 KiB never will be."""
    server = await receiving()
    async with connections(server, 1) as [(reader, writer)], asyncio.timeout(DEADLINE_SECONDS):
        writer.write(HEADER + b"x: " + b"x" * 130_000)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
