"""A backend of OTLP/HTTP that behaves as it is told to, on a real socket."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest


@dataclass(frozen=True)
class Answer:
    """One answer; of status 0 none at all: `hangs` keeps the sender waiting, else the connection is cut."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False


OK = Answer()
CUT = Answer(0)
HANG = Answer(0, hangs=True)


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes
    """Decompressed."""

    def bodies(self) -> list[str]:
        """The bodies of the log records in it."""
        found = ExportLogsServiceRequest.FromString(self.body)
        records = [r for one in found.resource_logs for scope in one.scope_logs for r in scope.log_records]
        return [record.body.string_value for record in records]


class Backend:
    """Gives the answers of its list, then `always`; keeps what it accepted."""

    def __init__(self, *answers: Answer, always: Answer = OK) -> None:
        self.answers = list(answers)
        self.always = always
        self.requests = list[Request]()
        self.accepted = list[Request]()
        self.url = ""

    def bodies(self) -> list[str]:
        """Every log body that was accepted, sorted."""
        return sorted(body for request in self.accepted for body in request.bodies())

    async def serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            while not writer.is_closing():
                await self._answer(await read_request(reader), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender closed
        finally:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.pop(0) if self.answers else self.always
        self.requests.append(request)
        if answer.hangs:
            await asyncio.get_running_loop().create_future()
        if not answer.status:
            writer.close()
            return
        if answer.status == 200:
            self.accepted.append(request)
        fields = {"content-length": str(len(answer.body)), **answer.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode() + answer.body)
        await writer.drain()


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Request(first.split(" ")[1], headers, body)


@asynccontextmanager
async def serving(backend: Backend, port: int = 0) -> AsyncIterator[Backend]:
    """Listen while inside; what hangs is let go at the end."""
    # Not asyncio's server: closed while a connection comes in, the one of Python 3.11 leaks it.
    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.setblocking(False)
        backend.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        tasks = set[asyncio.Task[None]]()

        async def accept() -> None:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listening)
                tasks.add(asyncio.create_task(backend.serve(connection)))

        tasks.add(asyncio.create_task(accept()))
        try:
            yield backend
        finally:
            for _ in range(5):  # who was accepted last begins
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
