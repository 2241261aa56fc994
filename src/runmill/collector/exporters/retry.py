"""Again until it is taken: how long an exporter waits between attempts, and when it gives up.

Source: OTLP specification, OTLP/HTTP Throttling; OpenTelemetry Collector, exporter/exporterhelper.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from pydantic import Field, model_validator

from runmill.collector.component import Batch, Consumer
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Duration, Section
from runmill.errors import Refused, Rejected

__all__ = ["RetryConfig", "Retrying", "pauses"]

_log: Final = logging.getLogger(__name__)

# What a backend asks for is honoured within these: 0 would be a busy loop, and a year nobody meant.
_LEAST_ASKED_SECONDS: Final = 0.1
_MOST_ASKED_SECONDS: Final = 3600.0

_GIVE_UP_SECONDS: Final = 300.0


class RetryConfig(Section):
    """Source: OpenTelemetry Collector, exporter/exporterhelper, retry_on_failure."""

    enabled: bool = True
    initial_interval: Duration = 5.0
    """The pause after the first failure; each further one is `multiplier` times longer."""
    max_interval: Duration = 30.0
    """No pause is longer, unless the backend asks for more."""
    max_elapsed_time: Duration | None = None
    """Give up after this; 0: never. By default never where the queue is on disk, else after 5m."""
    multiplier: float = Field(default=1.5, ge=1)
    randomization_factor: float = Field(default=0.5, ge=0, le=1)
    """Each pause is up to this share shorter or longer, so that many collectors do not come back at once."""

    @model_validator(mode="after")
    def _check(self) -> "RetryConfig":
        if self.enabled and not 0 < self.initial_interval <= self.max_interval:
            raise ValueError(
                f"initial_interval ({self.initial_interval} s) must be more than 0 and at most max_interval "
                f"({self.max_interval} s). Lower it, or raise max_interval"
            )
        return self

    def limit_seconds(self, *, is_kept: bool) -> float | None:
        """Give when to give up; None: never. *is_kept*: what waits survives the process."""
        if self.max_elapsed_time is None:
            return None if is_kept else _GIVE_UP_SECONDS
        return self.max_elapsed_time or None


def pauses(config: RetryConfig, *, uniform: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Yield the pauses after the first, second, ... failure, in seconds."""
    interval = config.initial_interval
    while True:
        spread = interval * config.randomization_factor
        yield uniform(interval - spread, interval + spread)
        interval = min(interval * config.multiplier, config.max_interval)


class Retrying:
    """Hands each batch to *sender* until it is taken, rejected, or it took too long."""

    def __init__(
        self,
        config: RetryConfig,
        sender: Consumer,
        *,
        exporter_id: str,
        is_kept: bool,
        telemetry: Telemetry,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._sender = sender
        self._exporter_id = exporter_id
        self._limit = config.limit_seconds(is_kept=is_kept)
        self._telemetry = telemetry
        self._sleep = sleep
        self._clock = clock
        self._is_failing = False

    async def consume(self, batch: Batch, /) -> None:
        """Return once the backend has *batch*. Raises Rejected at once, and the last Refused when giving up."""
        start = self._clock()
        for pause in pauses(self._config):
            refused = await self._attempt(batch)
            if refused is None:
                return
            wait = _wait_seconds(refused.retry_after_seconds, pause)
            if not self._config.enabled or self._is_too_late(self._clock() + wait - start):
                raise refused
            self._telemetry.add("runmill_exporter_retries_total", exporter=self._exporter_id)
            await self._sleep(wait)

    def _is_too_late(self, elapsed_seconds: float) -> bool:
        return self._limit is not None and elapsed_seconds > self._limit

    async def _attempt(self, batch: Batch) -> Refused | None:
        try:
            await self._sender.consume(batch)
        except Refused as error:
            self._say_failing(error)
            return error
        except Rejected:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a component: its bug must cost no records
            _log.exception("exporter %s failed", self._exporter_id)
            self._telemetry.add("runmill_exporter_crashes_total", exporter=self._exporter_id)
            return Refused(f"exporter {self._exporter_id!r} failed: {error!r}.")
        if self._is_failing:
            self._is_failing = False
            _log.warning("exporter %s: the backend takes data again.", self._exporter_id)
        return None

    def _say_failing(self, error: Refused) -> None:
        """Say it once an outage, not once an attempt."""
        if not self._is_failing:
            self._is_failing = True
            _log.warning("exporter %s: %s", self._exporter_id, error)


def _wait_seconds(asked: float | None, pause: float) -> float:
    return pause if asked is None else min(max(asked, _LEAST_ASKED_SECONDS), _MOST_ASKED_SECONDS)
