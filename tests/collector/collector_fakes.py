"""Stand-ins for the two ends of a pipeline, and requests to send through it."""

import asyncio
import threading
from collections.abc import Sequence

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from runmill.collector.component import Batch, Producer
from runmill.store.interface import Delivery, Grouping

DEADLINE_SECONDS = 30


class RecordingConsumer:
    """Takes every batch, or raises what it is told to; while `open` is not set, it keeps them waiting."""

    def __init__(self, *errors: Exception | None) -> None:
        self.batches = list[Batch]()
        self.errors = list(errors)
        self.open = asyncio.Event()
        self.open.set()
        self.arrived = asyncio.Event()

    async def consume(self, batch: Batch, /) -> None:
        self.batches.append(batch)
        self.arrived.set()
        await self.open.wait()
        if error := self.errors.pop(0) if self.errors else None:
            raise error


class RecordingStore:
    """As much of a Store as an exporter uses; an append waits while `open` is not set."""

    def __init__(self, *errors: Exception | None) -> None:
        self.appends = list[list[Delivery]]()
        self.errors = list(errors)
        self.open = threading.Event()
        self.open.set()

    @property
    def grouping(self) -> Grouping:
        return Grouping(interval_seconds=0.2, records=1000)

    def append(self, deliveries: Sequence[Delivery], /) -> int:
        self.appends.append(list(deliveries))
        assert self.open.wait(DEADLINE_SECONDS)
        if error := self.errors.pop(0) if self.errors else None:
            raise error
        return 0

    def bodies(self) -> list[list[str]]:
        """The log bodies of each append."""
        return [[body for one in group for body in one.columns.logs["body"].to_pylist()] for group in self.appends]


def logs(*bodies: str) -> bytes:
    """An export request with a record per body."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        records.add(time_unix_nano=1, severity_number=9).body.string_value = body
    return request.SerializeToString()


def batch(*bodies: str, producer: Producer | None = None) -> Batch:
    return Batch("logs", logs(*bodies), len(bodies), producer)


async def until(condition) -> None:
    """Let the loop run until *condition* holds."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - any state can be waited for, not only what has an event
            await asyncio.sleep(0)


async def settle() -> None:
    """Let everything that can go on go on: what has not happened after this waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)
