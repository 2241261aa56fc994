"""``dedupe``: of log records that say the same, keep the first and count the others in it."""

from collections import Counter
from dataclasses import dataclass

from pydantic import Field

from runmill.collector.component import Signal
from runmill.collector.processors.records import Element, Request, any_value, drop, records
from runmill.collector.values import Section

__all__ = ["Dedupe", "DedupeConfig"]


class DedupeConfig(Section):
    """Joins repeats within one batch: put it behind `batch` to join those of many requests.

    Across batches nothing is held back, so nothing that was answered for can be lost, and what is sent again comes out
    the same.
    """

    log_count_attribute: str = "log_count"
    """How many records the one that is kept stands for, where it is more than one."""
    exclude_attributes: list[str] = Field(default_factory=list)
    """Attributes that may differ between repeats, such as a counter."""


@dataclass(frozen=True, slots=True)
class Dedupe:
    """Joins log records whose resource, logger, level, body, event name, trace and attributes are equal."""

    config: DedupeConfig

    def __call__(self, signal: Signal, request: Request, dropped: "Counter[str]", /) -> bool:
        """Drop repeats, and count them in the first of their kind."""
        excluded = frozenset(self.config.exclude_attributes)
        counts = Counter(_key(element, excluded) for element in records(signal, request))
        seen = set[bytes]()

        def is_repeat(element: Element) -> bool:
            key = _key(element, excluded)
            # Two equal values of a metric are two values.
            if counts[key] == 1 or element.record.event_name.startswith("run."):
                return False
            if key in seen:
                dropped["repeated"] += 1
                return True
            seen.add(key)
            element.record.attributes.add(key=self.config.log_count_attribute).value.CopyFrom(any_value(counts[key]))
            return False

        return drop(signal, request, is_repeat)


def _key(element: Element, excluded: frozenset[str]) -> bytes:
    """Give bytes that only records have which say the same."""
    record = element.record
    parts = [element.resource, element.scope, record.body]
    parts += sorted((pair for pair in record.attributes if pair.key not in excluded), key=lambda pair: str(pair.key))
    encoded = [part.SerializeToString(deterministic=True) for part in parts]
    encoded += [record.trace_id, record.severity_text.encode(), record.event_name.encode()]
    return b"".join(b"%d:%b" % (len(part), part) for part in (*encoded, b"%d" % record.severity_number))
