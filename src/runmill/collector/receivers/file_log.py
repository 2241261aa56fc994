"""``file_log``: lines of files, read once each, however the files are rotated and whoever is killed.

```text
look for files ──> read lines ──> write down what goes ──> hand on ──> write down that it is taken
```

All work with files is done in one thread of its own, so that a slow disk holds nobody else up; looking for files goes
on while lines wait to be taken, so that a file that is rotated meanwhile stays open.
"""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from runmill.collector.component import Consumer, Signal
from runmill.collector.explain import notes_of
from runmill.collector.files.cursors import Cursors
from runmill.collector.files.follower import Follower
from runmill.collector.files.following import Following
from runmill.collector.files.harvest import Harvest, Pace
from runmill.collector.lines.entry import Drop
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.file_origin import FileOrigins
from runmill.collector.receivers.insist import Sleep, insist
from runmill.collector.receivers.recipes import recipe_of
from runmill.collector.telemetry import Telemetry

__all__ = ["FileLogReceiver", "open_harvest"]

_log: Final = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class FileLogReceiver:
    """Follows files and hands on their lines; keeps in *state_folder* how far it is."""

    def __init__(
        self,
        config: FileLogConfig,
        consumers: Mapping[Signal, Consumer],
        *,
        receiver_id: str,
        telemetry: Telemetry,
        state_folder: Path,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._consumer = consumers["logs"]
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._cursors_path = config.cursors_path(state_folder, receiver_id)
        self._sleep = sleep
        self._files: ThreadPoolExecutor | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._harvest: Harvest | None = None
        self._polled = asyncio.Event()

    async def start(self) -> None:
        """Take up where the last one ended. Raises OSError or sqlite3.Error where that cannot be kept."""
        self._files = ThreadPoolExecutor(1, thread_name_prefix=f"{self._receiver_id}-files")
        self._harvest = harvest = await self._in_thread(open_harvest, self._config, self._cursors_path)
        self._tasks = [
            asyncio.create_task(self._forever(self._look, harvest), name=f"{self._receiver_id} looks"),
            asyncio.create_task(self._forever(self._deliver, harvest), name=f"{self._receiver_id} delivers"),
        ]

    async def shutdown(self) -> None:
        """Stop; what was handed on and not taken yet comes again when it starts next."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        if self._harvest is not None:
            self._tell(await self._in_thread(self._harvest.take_drops))
            await self._in_thread(self._harvest.close)
            self._harvest = None
        if self._files is not None:
            self._files.shutdown()
            self._files = None

    async def _look(self, harvest: Harvest) -> None:
        await self._sleep(self._config.poll_interval)
        await self._in_thread(harvest.poll)
        self._telemetry.set("otelcol_fileconsumer_open_files", harvest.open_file_count, receiver=self._receiver_id)
        self._tell(await self._in_thread(harvest.take_drops))
        self._polled.set()

    def _tell(self, drops: Sequence[Drop]) -> None:
        for rule, count in Counter(drop.rule for drop in drops).items():
            labels = {"component": self._receiver_id, "reason": rule, "signal": "logs"}
            self._telemetry.add("runmill_dropped_records_total", count, **labels)
        if self._telemetry.explainer is not None:
            self._telemetry.explainer.tell(self._receiver_id, notes_of(drops))

    async def _deliver(self, harvest: Harvest) -> None:
        batch = await self._in_thread(harvest.next_batch)
        if batch is None:
            self._polled.clear()
            await self._polled.wait()
            return
        if batch.record_count:
            await insist(self._consumer, batch, sleep=self._sleep)
        await self._in_thread(harvest.done)

    async def _forever(self, step: Callable[[Harvest], Awaitable[None]], harvest: Harvest) -> None:
        while True:
            try:
                await step(harvest)
            except (OSError, sqlite3.Error) as error:
                # Such as a disk that is full: nothing was lost, and nothing goes on without it.
                _log.warning("receiver %s: %s; it is tried again", self._receiver_id, error)
                await self._sleep(1)

    async def _in_thread(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        assert self._files is not None  # started
        return await asyncio.get_running_loop().run_in_executor(self._files, lambda: function(*args, **kwargs))


def open_harvest(config: FileLogConfig, cursors_path: Path, pace: Pace | None = None) -> Harvest:
    """Find the files and take up where the last one ended. Raises OSError, sqlite3.Error."""
    cursors = Cursors(cursors_path)
    following = Following(
        include=config.include,
        exclude=config.exclude,
        exclude_older_than_seconds=config.exclude_older_than,
        start_at=config.start_at,
        fingerprint_bytes=config.fingerprint_size,
        max_open_files=config.max_concurrent_files,
        compression=config.compression,
    )
    harvest = Harvest(
        Follower(following, cursors),
        cursors,
        recipe_of(config),
        origin_of=FileOrigins(config).of,
        pace=pace or Pace(config.force_flush_period),
    )
    harvest.poll()
    return harvest
