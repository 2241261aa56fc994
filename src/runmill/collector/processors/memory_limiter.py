"""``memory_limiter``: refuse new data while the process uses too much memory, so that senders wait instead."""

import asyncio
import contextlib
import gc
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

import psutil
from pydantic import Field, model_validator

from runmill.collector.component import Batch, Consumer
from runmill.collector.telemetry import RECORDS, Telemetry
from runmill.collector.values import Duration, Section
from runmill.errors import Refused

__all__ = ["MemoryLimiter", "MemoryLimiterConfig"]

_MIB: Final = 2**20
_DEFAULT_SPIKE_PERCENT: Final = 20


class MemoryLimiterConfig(Section):
    """Source: OpenTelemetry Collector, processor/memorylimiterprocessor."""

    not_here: ClassVar = dict.fromkeys(
        ("min_gc_interval_when_soft_limited", "min_gc_interval_when_hard_limited"),
        "garbage is collected once a check_interval at most. Remove it",
    )

    check_interval: Duration = 0.0
    """How often memory is measured; 1s suits most."""
    limit_mib: int = Field(default=0, ge=0)
    """Above this the process also collects garbage at once."""
    spike_limit_mib: int = Field(default=0, ge=0)
    """What may come between two checks: data is refused above limit minus spike. 0: a fifth of the limit."""
    limit_percentage: int = Field(default=0, ge=0, le=100)
    """The limit as a share of the machine's (or the container's) memory; `limit_mib` goes before it."""
    spike_limit_percentage: int = Field(default=0, ge=0, le=100)

    @model_validator(mode="after")
    def _check(self) -> "MemoryLimiterConfig":
        if self.check_interval <= 0:
            raise ValueError("check_interval must be more than 0. Write 'check_interval: 1s'")
        if not self.limit_mib and not self.limit_percentage:
            raise ValueError("no limit is set. Write 'limit_mib: 512' or 'limit_percentage: 50'")
        if self.spike_limit_mib >= self.limit_mib > 0:
            raise ValueError(
                f"spike_limit_mib ({self.spike_limit_mib}) must be less than limit_mib ({self.limit_mib}), "
                "or everything is refused. Lower it, or leave it out for a fifth of the limit"
            )
        if self.spike_limit_percentage >= self.limit_percentage > 0:
            raise ValueError(
                f"spike_limit_percentage ({self.spike_limit_percentage}) must be less than limit_percentage "
                f"({self.limit_percentage}), or everything is refused. Lower it, or leave it out for a fifth"
            )
        return self

    def limits_bytes(self, total_bytes: int) -> tuple[int, int]:
        """Give the soft and the hard limit on a machine with *total_bytes* of memory."""
        if self.limit_mib:
            hard, spike = self.limit_mib * _MIB, self.spike_limit_mib * _MIB
        else:
            hard = total_bytes * self.limit_percentage // 100
            spike = total_bytes * self.spike_limit_percentage // 100
        return hard - (spike or hard * _DEFAULT_SPIKE_PERCENT // 100), hard


class MemoryLimiter:
    """Hands batches on while memory suffices, and raises Refused while it does not: nothing is dropped."""

    def __init__(
        self,
        config: MemoryLimiterConfig,
        onward: Consumer,
        *,
        processor_id: str,
        telemetry: Telemetry,
        used_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._onward = onward
        self._processor_id = processor_id
        self._telemetry = telemetry
        self._used_bytes = used_bytes or _resident_bytes
        self._check_interval = config.check_interval
        self._soft_bytes, self._hard_bytes = config.limits_bytes(memory_bytes())
        self._is_over = False
        self._checks: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Measure once, then every `check_interval`."""
        self._measure()
        self._checks = asyncio.create_task(self._measure_forever(), name=f"{self._processor_id} checks")

    async def shutdown(self) -> None:
        """Stop measuring."""
        checks, self._checks = self._checks, None
        if checks is not None:
            checks.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await checks

    async def consume(self, batch: Batch, /) -> None:
        """Hand *batch* on, or raise Refused."""
        if self._is_over:
            self._telemetry.add(
                f"otelcol_processor_refused_{RECORDS[batch.signal]}", batch.record_count, processor=self._processor_id
            )
            raise Refused(
                f"the collector uses more than {self._soft_bytes // _MIB} MiB of memory (processor "
                f"{self._processor_id!r}). Send the same data again later.",
                retry_after_seconds=self._check_interval,
            )
        await self._onward.consume(batch)

    async def _measure_forever(self) -> None:
        while True:
            await asyncio.sleep(self._check_interval)
            self._measure()

    def _measure(self) -> None:
        used = self._used_bytes()
        if used > self._hard_bytes:
            gc.collect()
            used = self._used_bytes()
        self._is_over = used > self._soft_bytes


def memory_bytes() -> int:
    """Give how much memory there is for this process: the machine's, or less where a control group says so."""
    total = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            total = min(total, int(Path(path).read_text(encoding="ascii")))  # "max" is a ValueError: no limit
    return total


def _resident_bytes() -> int:
    return int(psutil.Process().memory_info().rss)
