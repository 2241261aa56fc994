"""``sample``: keep a share of the log records, and all that matter."""

import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from runmill.collector.component import Signal
from runmill.collector.processors.records import Element, Request, drop
from runmill.collector.values import Section
from runmill.otlp import severity

__all__ = ["Sample", "SampleConfig"]

_ALL: Final = 1 << 32


def _check_level(name: str) -> str:
    if name != "none" and severity.from_name(name) is None:
        raise ValueError(f"{name!r} is no level. Write for example WARN, or none")
    return name


class SampleConfig(Section):
    """Keeps a share; of a trace, all or nothing."""

    percentage: float = Field(ge=0, le=100)
    """How many of 100 records are kept."""
    keep_from: Annotated[str, AfterValidator(_check_level)] = "WARN"
    """This level and above is always kept; none: they are sampled too."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Drops log records by a hash of them: what is sent again is dropped again. A run's own events always stay."""

    config: SampleConfig

    def __call__(self, signal: Signal, request: Request, dropped: "Counter[str]", /) -> bool:
        """Drop what is not in the sample."""
        kept_from = severity.from_name(self.config.keep_from) if self.config.keep_from != "none" else None
        threshold = self.config.percentage / 100 * _ALL

        def is_dropped(element: Element) -> bool:
            record = element.record
            if record.event_name.startswith("run.") or (kept_from and record.severity_number >= kept_from):
                return False
            if zlib.crc32(record.trace_id or record.SerializeToString(deterministic=True)) < threshold:
                return False
            dropped["sampled_out"] += 1
            return True

        return drop(signal, request, is_dropped)
