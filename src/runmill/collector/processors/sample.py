"""``sample``: keep a share of the log records, and all that matter."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from runmill.collector.component import Signal
from runmill.collector.processors.account import Account
from runmill.collector.processors.records import Element, Request, drop, find, plain
from runmill.collector.values import Section
from runmill.otlp import severity

__all__ = ["Sample", "SampleConfig"]

_HASH_BYTES: Final = 4
_ALL: Final = 1 << 8 * _HASH_BYTES


def _check_level(name: str) -> str:
    if name != "none" and severity.from_name(name) is None:
        raise ValueError(f"{name!r} is no level. Write for example WARN, or none")
    return name


class SampleConfig(Section):
    """Keeps a share of log records; of those with a trace, all of the trace or nothing.

    Also under the name `probabilistic_sampler`. `keep_from` is runmill's. Source: OpenTelemetry Collector,
    processor/probabilisticsamplerprocessor, for logs.
    """

    sampling_percentage: float = Field(ge=0, le=100)
    """How many of 100 records are kept."""
    hash_seed: int = Field(default=0, ge=0, lt=1 << 64)
    """Collectors one behind the other keep a share of a share only if theirs differ."""
    from_attribute: str = ""
    """Records with the same value of this attribute are kept or dropped together; it goes before the trace."""
    keep_from: Annotated[str, AfterValidator(_check_level)] = "WARN"
    """This level and above is always kept; none: they are sampled too."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Drops log records by a hash of them: what is sent again is dropped again. A run's own events always stay."""

    config: SampleConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Drop what is not in the sample."""
        kept_from = severity.from_name(self.config.keep_from) if self.config.keep_from != "none" else None
        threshold = self.config.sampling_percentage / 100 * _ALL

        def is_dropped(element: Element) -> bool:
            record = element.record
            if record.event_name.startswith("run.") or (kept_from and record.severity_number >= kept_from):
                return False
            if self._hash(record) < threshold:
                return False
            account.dropped(element, "sampled_out")
            return True

        return drop(signal, request, is_dropped)

    def _hash(self, record: Any) -> int:
        # Not a CRC: of those, another seed makes the same choice among texts of one length.
        salt = self.config.hash_seed.to_bytes(8, "big")
        return int.from_bytes(hashlib.blake2b(self._source(record), digest_size=_HASH_BYTES, salt=salt).digest())

    def _source(self, record: Any) -> bytes:
        """Give what the choice is made from."""
        pair = find(record.attributes, self.config.from_attribute) if self.config.from_attribute else None
        if pair is not None:
            return str(plain(pair.value)).encode()
        encoded: bytes = record.trace_id or record.SerializeToString(deterministic=True)
        return encoded
