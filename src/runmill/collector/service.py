"""A collector that another one can take the place of: a new configuration, the same sockets, the same counters.

Those who connect while one stops and the next starts wait in the sockets' queues, and what was under way is finished
first, so a reload costs nobody anything but a moment.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from typing import Final

from runmill.collector import pipeline
from runmill.collector.config import Config
from runmill.collector.pipeline import Collector
from runmill.collector.settings import Settings
from runmill.collector.sockets import KeptSockets
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Section
from runmill.errors import RunmillError

__all__ = ["Service"]

_log: Final = logging.getLogger(__name__)


class Service:
    """Runs the collector of a configuration, and after `reload` that of another."""

    def __init__(
        self, config: Config, settings: Settings, *, on_change: Callable[[Collector], None] = lambda _: None
    ) -> None:
        """Build, start nothing.

        Args:
            config: What to begin with.
            settings: For this and every later configuration.
            on_change: Called with each collector before it starts.

        Raises:
            ConfigError: as `pipeline.build`.
        """
        self._sockets = KeptSockets(settings.bind)
        self._settings = dataclasses.replace(settings, bind=self._sockets)
        self._on_change = on_change
        self._config = config
        self._changing = asyncio.Lock()
        self.telemetry = Telemetry(settings.explainer)
        self._collector = self._build(config)

    @property
    def config(self) -> Config:
        """What it runs now."""
        return self._config

    @property
    def endpoints(self) -> dict[str, str]:
        """Where each started receiver listens, by its id."""
        return self._collector.endpoints

    async def start(self) -> None:
        """Return when every part is at work."""
        await self._go_on(self._collector, self._config)

    async def shutdown(self) -> None:
        """Stop receiving, let everything flush, stop. Safe to call twice, and without start()."""
        async with self._changing:
            await self._collector.shutdown()
            await self._settings.lasting.shutdown()
            self._sockets.close()

    async def reload(self, read: Callable[[], Config]) -> str:
        """Go on with the configuration that *read* gives, or with the present one when that one is wrong.

        Returns what to tell the user. Raises what keeps the present configuration, too, from starting again.
        """
        return await asyncio.shield(self._reload(read))  # half of it would be neither the one nor the other

    async def _reload(self, read: Callable[[], Config]) -> str:
        async with self._changing:
            return await self._change(read)

    async def _change(self, read: Callable[[], Config]) -> str:
        try:
            config = read()
            collector = self._build(config)
        except RunmillError as error:
            return self._failed(error)
        try:
            with self._settings.lasting.onward_to(_used_receivers(config)):
                await self._stop()
                await self._go_on(collector, config)
        except (OSError, RunmillError) as error:
            await self._go_on(self._build(self._config), self._config)
            return self._failed(error)
        self._config = config
        self._count("ok")
        return f"{config.source}: read anew, and at work."

    def _build(self, config: Config) -> Collector:
        return pipeline.build(config, self._settings, telemetry=self.telemetry)

    async def _stop(self) -> None:
        """Stop the present collector; what does not stop cleanly must not keep the next one from starting."""
        try:
            await self._collector.shutdown()
        except Exception:  # noqa: BLE001 - many components' edge: the group says what went wrong in each
            _log.exception("the collector did not stop cleanly for its new configuration")
            self.telemetry.add("runmill_component_crashes_total")

    async def _go_on(self, collector: Collector, config: Config) -> None:
        logging.getLogger("runmill.collector").setLevel(config.telemetry.logs.number)
        self._sockets.begin_round()
        self._collector = collector
        self._on_change(collector)
        await collector.start()
        self._sockets.close_unused()

    def _failed(self, error: Exception) -> str:
        self._count("failed")
        return f"The new configuration is not used, and the one before goes on: {error}"

    def _count(self, result: str) -> None:
        self.telemetry.add("runmill_config_reloads_total", result=result)


def _used_receivers(config: Config) -> dict[str, Section]:
    used = {name for pipeline in config.pipelines for name in pipeline.receivers}
    return {name: section for name, section in config.receivers.items() if name in used}
