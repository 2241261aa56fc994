"""``file``: what passes, in files that any tool reads: OTLP/JSON, one export request a line."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime

from runmill.collector.component import Batch
from runmill.collector.exporters.file_config import FileConfig
from runmill.collector.exporters.file_format import encode, whole_bytes
from runmill.collector.exporters.rotation import put_aside
from runmill.errors import Refused

__all__ = ["FileExporter"]


class FileExporter:
    """Appends each batch and returns when it is on disk; one at a time."""

    def __init__(self, config: FileConfig, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._config = config
        self._now = now
        self._descriptor: int | None = None
        self._size = 0
        self._writing = asyncio.Lock()
        self._is_at_work = False

    async def start(self) -> None:
        """Open the file. Raises OSError where it cannot be written."""
        await asyncio.to_thread(self._open, goes_on=self._config.append or self._config.rotation is not None)
        self._is_at_work = True

    async def shutdown(self) -> None:
        """Close the file once what is being written is on disk."""
        async with self._writing:
            self._is_at_work = False
            self._close()

    async def consume(self, batch: Batch, /) -> None:
        """Return when *batch* is on disk. Raises Rejected if it is not OTLP, Refused when the disk will not take it."""
        async with self._writing:
            if not self._is_at_work:  # by now another one may have the file
                raise Refused("the exporter is not at work. Send the same data again later.")
            await _to_its_end(asyncio.create_task(asyncio.to_thread(self._write, batch)))

    # What follows runs in a thread, one call at a time.

    def _open(self, *, goes_on: bool = True) -> None:
        config = self._config
        config.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(config.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        whole = whole_bytes(config.path, file_format=config.format, compression=config.compression)
        self._cut(self._descriptor, whole if goes_on else 0)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, batch: Batch) -> None:
        message = encode(batch, file_format=self._config.format, compression=self._config.compression)
        try:
            self._append(self._with_room(len(message)), message)
        except OSError as error:
            raise Refused(
                f"{self._config.path}: cannot be written: {error}. Send the same data again later."
            ) from error

    def _with_room(self, size: int) -> int:
        """Give the descriptor of a file that takes *size* more bytes: this one, or a new one."""
        rotation = self._config.rotation
        if rotation is not None and self._size and self._size + size > rotation.max_megabytes << 20:
            put_aside(self._config.path, rotation, now=self._now())
            self._close()
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None  # _open raises otherwise
        return self._descriptor

    def _append(self, descriptor: int, message: bytes) -> None:
        left, end = memoryview(message), self._size
        try:
            while left:
                written = os.pwrite(descriptor, left, end)
                left, end = left[written:], end + written
            os.fdatasync(descriptor)
        except OSError:
            self._cut(descriptor, self._size)  # half a message would be in the way of the next
            raise
        self._size = end

    def _cut(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)
        self._size = size


async def _to_its_end(writing: asyncio.Task[None]) -> None:
    """Return when *writing* has ended, also when who waits is cancelled: a thread goes on, and has the file."""
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise
