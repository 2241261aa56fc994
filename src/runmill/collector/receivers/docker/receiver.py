"""``docker``: what containers print, each line once, whatever is restarted or killed.

```text
engine ──> a buffer for each container ──> records ──> written down, with how far that is ──> hand on ──> forgotten
```
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from runmill.collector.component import Consumer, Signal
from runmill.collector.receivers.dispatch import Dispatch
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.docker.output import Cut, Draft, Output
from runmill.collector.receivers.docker.position import NOWHERE, Position
from runmill.collector.receivers.docker.watching import Watch
from runmill.collector.receivers.insist import Sleep
from runmill.collector.receivers.outbox import outbox_path
from runmill.collector.receivers.recipes import engine_recipe
from runmill.collector.telemetry import Telemetry

__all__ = ["DockerReceiver"]

_log: Final = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0
_BATCH_BYTES: Final = 4 << 20
_BUFFER_BYTES: Final = 1 << 20
"""So much of each container is held."""


class DockerReceiver:
    """Follows the containers of one engine; keeps in *state_folder* how far it is."""

    def __init__(
        self,
        config: DockerConfig,
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
        self._recipe = engine_recipe(config)
        self._outputs: dict[str, Output] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up where the last one ended; the engine may come later. Raises OSError or sqlite3.Error."""
        outbox = await self._dispatch.open(self._outbox_path)
        for container_id, mark in outbox.marks().items():
            self._outputs[container_id] = self._make_output(container_id, Position.decode(mark))
        watch = Watch(
            self._config,
            self._outputs,
            make_output=self._make_output,
            begun_unix_nano=outbox.begun_unix_nano if self._config.start_at == "end" else 0,
            receiver_id=self._receiver_id,
            telemetry=self._telemetry,
            sleep=self._sleep,
        )
        self._tasks = [
            asyncio.create_task(watch.run(), name=f"{self._receiver_id} watches"),
            asyncio.create_task(self._deliver_forever(watch), name=f"{self._receiver_id} delivers"),
        ]

    async def shutdown(self) -> None:
        """Stop; what was read and not written down is read again next time, what was is handed on first."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        await self._dispatch.close()

    def _make_output(self, container_id: str, position: Position = NOWHERE) -> Output:
        return Output(
            container_id,
            position,
            self._recipe,
            news=self._news,
            flush_seconds=self._config.force_flush_period,
            most_bytes=max(_BUFFER_BYTES, 2 * self._config.max_log_size),
        )

    async def _deliver_forever(self, watch: Watch) -> None:
        while True:
            try:
                await self._deliver(watch)
            except Exception:  # noqa: BLE001 - the component's edge: what was not taken is handed on again
                self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
                _log.exception("receiver %s: handing on failed; it is tried again", self._receiver_id)
            await self._sleep(_PAUSE_SECONDS)

    async def _deliver(self, watch: Watch) -> None:
        await self._dispatch.hand_on_pending()
        while True:
            self._news.clear()
            if cuts := await self._dispatch.in_thread(_cut, self._drafts()):
                await self._hand_on(cuts)
            else:
                await self._wait()
            await self._forget(watch)

    def _drafts(self) -> list[Draft]:
        """Give what is to be cut; what exceeds a batch is first in the next."""
        drafts, size = list[Draft](), 0
        for output in self._outputs.values():
            if size < _BATCH_BYTES and (draft := output.draft(_now())):
                drafts.append(draft)
                size += len(draft.raw)
        return drafts

    async def _hand_on(self, cuts: Sequence[Cut]) -> None:
        payload = b"".join(cut.payload for cut in cuts)
        marks = {cut.output.container_id: cut.position.encode() for cut in cuts}
        batch = await self._dispatch.write(payload, sum(cut.record_count for cut in cuts), marks)
        for cut in cuts:
            cut.output.take(cut, _now())
            self._outputs[cut.output.container_id] = self._outputs.pop(cut.output.container_id)  # behind the others
        await self._dispatch.hand_on(batch)

    async def _wait(self) -> None:
        """Wait for news, or for what waits for its end to have waited long enough."""
        is_held = any(not output.is_empty for output in self._outputs.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.force_flush_period if is_held else None):
                await self._news.wait()

    async def _forget(self, watch: Watch) -> None:
        gone, watch.gone = watch.gone, set()
        if gone:
            await self._dispatch.forget(gone)
            for container_id in gone:
                self._outputs.pop(container_id, None)


def _cut(drafts: Sequence[Draft]) -> list[Cut]:
    cuts = [draft.cut(time.time_ns()) for draft in drafts]
    return [cut for cut in cuts if cut.size]


def _now() -> float:
    return asyncio.get_running_loop().time()
