"""What no HTTP library sends: the server answers or hangs up, and serves the next one."""

import asyncio
import re

import pytest
from collector_fakes import DEADLINE_SECONDS, batch, logs, until

HEAD = b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"


async def exchange(server, *pieces, close=False):
    """Send the bytes on a connection of their own; give the first line of the answer, empty when there is none."""
    reader, writer = await asyncio.open_connection(*server.address)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    if close:
        writer.close()
        await writer.wait_closed()
        return b""
    line = await asyncio.wait_for(reader.readline(), DEADLINE_SECONDS)
    writer.close()
    await writer.wait_closed()
    return line.strip()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST /v1/logs HTTP/9.9\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/logs HTTP/1.1\r\nHost localhost\r\n\r\n",
    ],
    ids=["tls", "nonsense", "version", "length", "negative", "two lengths", "smuggling", "chunk", "header"],
)
@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
async def test_what_is_not_http_is_400_and_the_server_goes_on(receiving, sent):
    """Nothing of it reaches a pipeline, and the next sender is served."""
    server = await receiving()
    assert (await exchange(server, sent)).startswith(b"HTTP/1.1 400")
    body = logs("a")
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert await exchange(server, whole) == b"HTTP/1.1 200 OK"
    assert server.consumer.batches == [batch("a")]


async def test_body_in_chunks_and_single_bytes_is_one_body(receiving):
    """However it is cut on its way."""
    server = await receiving()
    body = logs("a")
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
    assert await exchange(server, *(bytes([byte]) for byte in request)) == b"HTTP/1.1 200 OK"
    assert server.consumer.batches == [batch("a")]


async def test_sender_that_leaves_in_the_middle_of_its_body_is_only_counted(receiving):
    """Half a request is nothing."""
    server = await receiving()
    await exchange(server, HEAD + b"Content-Length: 100\r\n\r\nhalf", close=True)
    await until(server.telemetry.snapshot)
    assert server.telemetry.snapshot() == {
        'runmill_receiver_failed_requests_total{reason="client_gone",receiver="otlp"}': 1
    }
    assert server.consumer.batches == []


async def test_requests_on_one_connection_are_answered_in_their_order(receiving):
    """A sender may write the next request before it has read the answer."""
    server = await receiving()
    reader, writer = await asyncio.open_connection(*server.address)
    for body in (logs("a"), b"\xff\xff", logs("b")):
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    writer.write(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    answers = await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    writer.close()
    await writer.wait_closed()
    statuses = re.findall(rb"HTTP/1.1 (\d+)", answers)
    assert statuses == [b"200", b"400", b"200", b"200"]
    assert server.consumer.batches == [batch("a"), batch("b")]
