"""``journald``: what the systemd journal holds, read by the program that can: journalctl."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runmill.collector.component import Consumer, Signal
from runmill.collector.lines.encoding import Origin, encode
from runmill.collector.receivers.dispatch import Dispatch
from runmill.collector.receivers.insist import Sleep
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.collector.receivers.journald_entries import JournalReading, read_entries
from runmill.collector.receivers.outbox import Outbox, outbox_path
from runmill.collector.telemetry import Telemetry

__all__ = ["JournaldReceiver"]

_log: Final = logging.getLogger(__name__)

_MARK: Final = "journal"
_MOST_BYTES: Final = 4 << 20
_PATIENCE: Final = 10
_PAUSE_SECONDS: Final = 1.0
_SECOND: Final = 1_000_000_000


class JournaldReceiver:
    """Follows a journal; keeps in *state_folder* how far it is."""

    def __init__(
        self,
        config: JournaldConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        state_folder: Path,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._outbox_path = outbox_path(config.storage, state_folder, receiver_id)
        self._sleep = sleep
        self._dispatch = Dispatch(consumers["logs"], receiver_id=receiver_id, sleep=sleep)
        self._begin = ""
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up where the last one ended. Raises OSError when there is no journalctl, or sqlite3.Error."""
        outbox = await self._dispatch.open(self._outbox_path)
        self._begin = self._where(outbox)
        self._process = await self._journalctl()
        self._task = asyncio.create_task(self._run(self._process), name=f"{self._receiver_id} gathers")

    async def shutdown(self) -> None:
        """Stop; what was read and not written down is read again next time, what was is handed on first."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._process is not None:
            await _end(self._process)
            self._process = None
        await self._dispatch.close()

    def _where(self, outbox: Outbox) -> str:
        cursor = outbox.marks().get(_MARK)
        if cursor is not None:
            return f"--after-cursor={cursor}"
        return f"--since=@{outbox.begun_unix_nano // _SECOND}" if self._config.start_at == "end" else "--since=@0"

    async def _journalctl(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._config.journalctl_path,
            self._begin,
            *self._config.arguments(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_MOST_BYTES,
            start_new_session=True,  # Ctrl-C is for the collector
        )

    async def _run(self, process: asyncio.subprocess.Process) -> None:
        while True:
            try:
                await self._dispatch.hand_on_pending()
                await self._follow(process)
            except Exception:  # noqa: BLE001 - the component's edge: gathering goes on
                self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
                _log.exception("receiver %s: reading the journal failed; it is tried again", self._receiver_id)
            await _end(process)
            await self._sleep(_PAUSE_SECONDS)
            with contextlib.suppress(OSError):  # its program is gone, or there are no processes left: tried again
                process = self._process = await self._journalctl()

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """Hand on what journalctl prints until it ends, and say why it did."""
        assert process.stdout is not None  # both are pipes
        assert process.stderr is not None
        complaint = asyncio.create_task(process.stderr.read())
        try:
            await self._gather(process.stdout)
            said = (await complaint).decode(errors="replace").strip()
            if said or self._config.follows:
                _log.warning(
                    "receiver %s: journalctl ended: %s. It is started again",
                    self._receiver_id,
                    said or "it did not say why",
                )
        finally:
            complaint.cancel()

    async def _gather(self, pipe: asyncio.StreamReader) -> None:
        held, begun, is_ended, loop = b"", 0.0, False, asyncio.get_running_loop()
        while not is_ended:
            chunk = await self._read(pipe, is_waiting=bool(held))
            is_ended = chunk == b""
            is_late = bool(held) and loop.time() - begun >= self._config.force_flush_period * _PATIENCE
            is_final = not chunk or is_late or len(held) >= _MOST_BYTES
            raw = held + (chunk or b"")
            reading = await self._dispatch.in_thread(read_entries, raw, self._config, is_final=is_final)
            await self._hand_on(reading)
            if reading.consumed or not held:
                begun = loop.time()
            held = raw[reading.consumed :]

    async def _read(self, pipe: asyncio.StreamReader, *, is_waiting: bool) -> bytes | None:
        """Give what came, none at the end; None when something waits for its end and nothing came for a while."""
        try:
            async with asyncio.timeout(self._config.force_flush_period if is_waiting else None):
                return await pipe.read(_MOST_BYTES)
        except TimeoutError:
            return None

    async def _hand_on(self, reading: JournalReading) -> None:
        if not reading.entries:
            return
        # Made anew each time: it keeps every resource it has seen, and a machine may have many units in its life.
        origin = Origin(self._config.resource, self._config.attributes)
        payload = encode(reading.entries, origin, observed_unix_nano=time.time_ns())
        batch = await self._dispatch.write(payload, len(reading.entries), {_MARK: reading.cursor})
        self._begin = f"--after-cursor={reading.cursor}"
        await self._dispatch.hand_on(batch)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()  # it only reads: nothing can be left undone
    await process.wait()
