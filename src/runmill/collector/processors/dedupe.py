"""``dedupe``: of log records that say the same, keep the first and count the others in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from runmill.collector.component import Signal
from runmill.collector.ottl.conditions import Condition, parse
from runmill.collector.processors.account import Account
from runmill.collector.processors.filter import LogCondition
from runmill.collector.processors.records import Element, Request, any_value, drop, records
from runmill.collector.values import Duration, Section

__all__ = ["Dedupe", "DedupeConfig"]

_PREFIX = "attributes."


def _check_field(name: str) -> str:
    if not name.startswith(_PREFIX):
        raise ValueError(f"{name!r} is no field that may differ. Write attributes.NAME")
    return name


class DedupeConfig(Section):
    """Joins log records that say the same, within one batch: put it behind `batch` to join those of many requests.

    Also under the names `log_dedup` and `logdedup`. Across batches nothing is held back, so nothing that was answered
    for can be lost, and what is sent again comes out the same. The record that is kept says when the first and the last
    one were logged (`first_observed_timestamp`, `last_observed_timestamp`). Source: OpenTelemetry Collector,
    processor/logdedupprocessor.
    """

    log_count_attribute: str = "log_count"
    """How many records the one that is kept stands for, where it is more than one."""
    exclude_fields: list[Annotated[str, AfterValidator(_check_field)]] = Field(default_factory=list)
    """Attributes that may differ between repeats, such as a counter: ``attributes.n``."""
    conditions: list[LogCondition] = Field(default_factory=list)
    """Only records for which one of these is true are joined; none: all."""
    interval: Duration = 10.0
    """Taken for compatibility: nothing is held back."""


@dataclass(frozen=True)
class Dedupe:
    """Joins log records whose resource, logger, level, body, event name, trace and attributes are equal."""

    config: DedupeConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Drop repeats, and count them in the first of their kind."""
        groups = dict[bytes, list[Any]]()
        for element in records(signal, request):
            if self._may_repeat(element):
                groups.setdefault(self._key(element), []).append(element.record)
        repeated = {key: group for key, group in groups.items() if len(group) > 1}
        seen = set[bytes]()

        def is_repeat(element: Element) -> bool:
            key = self._key(element) if self._may_repeat(element) else b""
            if key not in repeated:
                return False
            if key in seen:
                account.dropped(element, "repeated")
                return True
            seen.add(key)
            self._tell_of(repeated[key], element.record)
            return False

        return drop(signal, request, is_repeat) if repeated else False

    @cached_property
    def _conditions(self) -> list[Condition]:
        return [parse(text) for text in self.config.conditions]

    @cached_property
    def _excluded(self) -> frozenset[str]:
        return frozenset(name.removeprefix(_PREFIX) for name in self.config.exclude_fields)

    def _may_repeat(self, element: Element) -> bool:
        if element.record.event_name.startswith("run."):
            return False  # two equal values of a metric are two values
        return not self._conditions or any(condition(element) for condition in self._conditions)

    def _key(self, element: Element) -> bytes:
        """Give bytes that only records have which say the same."""
        record = element.record
        kept = (pair for pair in record.attributes if pair.key not in self._excluded)
        parts = [element.resource, element.scope, record.body, *sorted(kept, key=lambda pair: str(pair.key))]
        encoded = [part.SerializeToString(deterministic=True) for part in parts]
        encoded += [record.trace_id, record.severity_text.encode(), record.event_name.encode()]
        encoded.append(b"%d" % record.severity_number)
        return b"".join(b"%d:%b" % (len(part), part) for part in encoded)

    def _tell_of(self, group: Iterable[Any], kept: Any) -> None:
        """Write into *kept* how many it stands for, and from when to when."""
        times = [record.time_unix_nano or record.observed_time_unix_nano for record in group]
        told = {
            self.config.log_count_attribute: len(times),
            "first_observed_timestamp": _iso(min(times)),
            "last_observed_timestamp": _iso(max(times)),
        }
        for key, value in told.items():
            kept.attributes.add(key=key).value.CopyFrom(any_value(value))


def _iso(time_unix_nano: int) -> str:
    return datetime.fromtimestamp(time_unix_nano // 1000 / 1e6, UTC).isoformat().replace("+00:00", "Z")
