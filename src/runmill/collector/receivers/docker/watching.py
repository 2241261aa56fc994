"""Which containers there are, and a reader for each that prints: found by asking once, then told by the engine.

When the engine goes away, all readers end with it, and everything is asked anew when it is back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from runmill.collector.lines.encoding import Origin
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.docker.engine import Engine, EngineError, Event, NoSuchContainer
from runmill.collector.receivers.docker.origin import Container, is_selected, resource_of
from runmill.collector.receivers.docker.output import Output
from runmill.collector.receivers.insist import Sleep
from runmill.collector.telemetry import Telemetry

__all__ = ["Watch"]

_log: Final = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.1
_MOST_PAUSE_SECONDS: Final = 10.0
_MOST_ENDED_AT_ONCE: Final = 16


class Watch:
    """Reads every container that is to be followed."""

    def __init__(
        self,
        config: DockerConfig,
        outputs: dict[str, Output],
        *,
        make_output: Callable[[str], Output],
        begun_unix_nano: int,
        receiver_id: str,
        telemetry: Telemetry,
        sleep: Sleep,
    ) -> None:
        """Make one that puts what it finds into *outputs*, by the container's id."""
        self._config = config
        self._outputs = outputs
        self._make_output = make_output
        self._begun_unix_nano = begun_unix_nano
        self._receiver_id = receiver_id
        self._telemetry = telemetry
        self._sleep = sleep
        self._engine = Engine(config.endpoint, api_version=config.api_version, timeout_seconds=config.timeout)
        self._readers = asyncio.TaskGroup()
        self._started_again = set[str]()
        self._unwanted = set[str]()
        self._created: dict[str, Container] = {}
        self._few = asyncio.Semaphore(_MOST_ENDED_AT_ONCE)
        self._pause = _FIRST_PAUSE_SECONDS
        self._said: dict[str, str] = {}
        self.gone = set[str]()
        """Containers that were removed and whose output was taken; whoever forgets them empties this."""

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                try:
                    await self._watch()
                except* EngineError as errors:
                    self._say("", str(errors.exceptions[0]))
                except* Exception as errors:  # noqa: BLE001 - the component's edge: gathering goes on
                    self._count_crash(errors)
                await self._sleep(self._pause)
                self._pause = min(self._pause * 2, _MOST_PAUSE_SECONDS)
        finally:
            await self._engine.close()

    async def _watch(self) -> None:
        """Watch until the engine goes away. Raises a group with its EngineError."""
        async with asyncio.TaskGroup() as self._readers:
            await self._engine.greet()
            # Asked for before looking: what is started in between is told too.
            async with self._engine.events() as events:
                await self._look(with_ended=True)
                self._said.pop("", None)
                self._pause = _FIRST_PAUSE_SECONDS
                self._readers.create_task(self._look_again())
                async for event in events:
                    await self._learn(event)
            raise EngineError(f"the container engine at {self._config.endpoint} hung up")

    async def _learn(self, event: Event) -> None:
        if event.action == "start":
            self._begin(event.container_id)
            return
        # An engine does not describe a container while it starts it, and some have ended and are gone by then.
        with contextlib.suppress(EngineError):
            self._created[event.container_id] = Container.read(await self._engine.inspect(event.container_id))

    async def _look_again(self) -> None:
        while True:
            await self._sleep(self._config.poll_interval)
            await self._look(with_ended=False)

    async def _look(self, *, with_ended: bool) -> None:
        found = {summary["Id"]: summary["State"] for summary in await self._engine.containers()}
        for container_id, state in found.items():
            if state == "running" or with_ended:
                self._begin(container_id)
        self._unwanted &= found.keys()
        self._created = {name: one for name, one in self._created.items() if name in found}
        self.gone |= {name for name, output in self._outputs.items() if name not in found and output.is_done}

    def _begin(self, container_id: str) -> None:
        if container_id in self._unwanted:
            return
        output = self._outputs.get(container_id) or self._make_output(container_id)
        self._outputs[container_id] = output
        if output.is_open:
            self._started_again.add(container_id)
            return
        output.is_open = True
        self._readers.create_task(self._read_guarded(output))

    async def _read_guarded(self, output: Output) -> None:
        try:
            await self._read(output)
        except NoSuchContainer:
            pass  # it was removed: what came of it is all there is
        except EngineError as error:
            self._say(output.container_id, f"container {output.container_id[:12]}: {error}")
        except Exception as error:  # noqa: BLE001 - the component's edge: the other containers are read on
            self._count_crash(error)
        finally:
            output.close()

    async def _read(self, output: Output) -> None:
        """Read a container until it has ended and nothing more comes."""
        while True:
            self._started_again.discard(output.container_id)
            container = await self._describe(output.container_id)
            if not is_selected(container, self._config):
                self._unwanted.add(output.container_id)
                return
            resource = resource_of(container, self._config, runtime=self._engine.runtime)
            output.origin = Origin(resource, self._config.attributes)
            if container.is_running:
                # podman may end this before the last lines: it is asked again for what there is.
                if not await output.read(self._engine, container, begun_unix_nano=self._begun_unix_nano):
                    await self._sleep(_FIRST_PAUSE_SECONDS)
                continue
            async with self._few:
                has_come = await output.read(self._engine, container, begun_unix_nano=self._begun_unix_nano)
            if not has_come and output.container_id not in self._started_again:
                return

    async def _describe(self, container_id: str) -> Container:
        created = self._created.pop(container_id, None)
        if created is not None:
            return replace(created, is_running=True)  # that it was started is why this is asked
        return Container.read(await self._engine.inspect(container_id))

    def _say(self, about: str, what: str) -> None:
        """Warn, once for as long as it stays the same."""
        if self._said.get(about) != what:
            self._said[about] = what
            _log.warning("receiver %s: %s. It is tried again", self._receiver_id, what)

    def _count_crash(self, error: Exception) -> None:
        self._telemetry.add("runmill_receiver_crashes_total", receiver=self._receiver_id)
        _log.error("receiver %s: reading a container failed; it is tried again", self._receiver_id, exc_info=error)
