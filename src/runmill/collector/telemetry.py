"""What the collector counts of itself, under the OpenTelemetry Collector's names.

Every record that a sender was told never to send again is counted as dropped, with the component that decided it and
why: nothing is lost silently.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from runmill.collector.component import Batch, Consumer, Signal
from runmill.collector.explain import Explainer, Note
from runmill.errors import Refused, Rejected

__all__ = ["RECORDS", "CountedExporter", "CountedReceiver", "Series", "Telemetry", "is_gauge"]

RECORDS: Final[dict[Signal, str]] = {
    "logs": "log_records", "metrics": "metric_points", "traces": "spans", "profiles": "profile_samples",
}  # fmt: skip

# Labels are names from the configuration; should one ever come from data, it must not fill the memory.
# Source: OpenTelemetry, metrics SDK specification, Overflow attribute.
_MOST_SERIES: Final = 2000

ComponentKind = Literal["receiver", "processor", "exporter"]

_GAUGES: Final = ("_size", "_cardinality", "_capacity", "_files", "_rss", "_uptime")


def is_gauge(name: str) -> bool:
    """Say whether a number of that name may go down."""
    return name.endswith(_GAUGES)


class Series(NamedTuple):
    """What one number counts: a name, and the labels that tell it from others of that name."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Give it as Prometheus writes it: ``otelcol_receiver_accepted_log_records{receiver="otlp"}``."""
        pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in self.labels)
        return f"{self.name}{{{pairs}}}"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Counters, each a name with the component it belongs to. Used from the event loop's thread only."""

    explainer: Explainer | None = None
    """Told what dropped or changed which record, where somebody asked for it."""
    _counts: Counter[Series] = field(default_factory=Counter)

    def add(self, name: str, count: int = 1, /, **labels: str) -> None:
        """Add *count* to the counter *name* of *labels*."""
        self._counts[self._bounded(name, labels)] += count

    def set(self, name: str, value: int, /, **labels: str) -> None:
        """Set the gauge *name* of *labels*."""
        self._counts[self._bounded(name, labels)] = value

    def drop(self, component: str, batch: Batch, *, reason: str) -> None:
        """Count records that will not be stored and whose sender will not send them again."""
        self.add(
            "runmill_dropped_records_total", batch.record_count,
            component=component, reason=reason, signal=batch.signal,
        )  # fmt: skip
        self.explain(component, batch, verb="dropped", rule=reason)

    def explain(self, component: str, batch: Batch, *, verb: Literal["dropped", "set aside"], rule: str) -> None:
        """Tell who asked for it what became of all the records of *batch*."""
        if self.explainer is not None:
            what = f"{batch.record_count} {RECORDS[batch.signal].replace('_', ' ')}"
            self.explainer.tell(component, [Note(verb, what, rule, batch.record_count)])

    def series(self) -> list[tuple[Series, int]]:
        """Give all counters, those of one name together."""
        return sorted(self._counts.items())

    def snapshot(self) -> dict[str, int]:
        """Give all counters by their Prometheus name."""
        return {str(series): count for series, count in self.series()}

    def _bounded(self, name: str, labels: Mapping[str, str]) -> Series:
        """Give the series, or where there are too many already the one that takes the rest of its name."""
        series = Series(name, tuple(sorted(labels.items())))
        is_kept = series in self._counts or len(self._counts) < _MOST_SERIES
        return series if is_kept else Series(name, (("otel_metric_overflow", "true"),))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@dataclass(frozen=True, slots=True)
class CountedReceiver:
    """What a receiver hands on to *onward*, counted as accepted, refused or dropped."""

    receiver_id: str
    onward: Consumer
    telemetry: Telemetry

    async def consume(self, batch: Batch, /) -> None:
        """Hand *batch* on and count how it went."""
        try:
            await self.onward.consume(batch)
        except Rejected:
            self._count("refused", batch)
            self.telemetry.drop(self.receiver_id, batch, reason="rejected")
            raise
        except BaseException:  # Refused, a crash, a cancelled request: in each case nobody was told it is safe
            self._count("refused", batch)
            raise
        self._count("accepted", batch)

    def _count(self, outcome: str, batch: Batch) -> None:
        name = f"otelcol_receiver_{outcome}_{RECORDS[batch.signal]}"
        self.telemetry.add(name, batch.record_count, receiver=self.receiver_id)


@dataclass(frozen=True, slots=True)
class CountedExporter:
    """An exporter whose outcome is counted; a crash in it becomes Refused, so the sender keeps what it has."""

    exporter_id: str
    exporter: Consumer
    telemetry: Telemetry

    async def consume(self, batch: Batch, /) -> None:
        """Hand *batch* to the exporter and count how it went."""
        try:
            await self.exporter.consume(batch)
        except (Refused, Rejected):
            self._count("send_failed", batch)
            raise
        except Exception as error:  # the edge of a component: its bug must cost no records
            self._count("send_failed", batch)
            self.telemetry.add("runmill_exporter_crashes_total", exporter=self.exporter_id)
            raise Refused(
                f"exporter {self.exporter_id!r} failed: {error!r}. Send the same data again later."
            ) from error
        self._count("sent", batch)

    def _count(self, outcome: str, batch: Batch) -> None:
        name = f"otelcol_exporter_{outcome}_{RECORDS[batch.signal]}"
        self.telemetry.add(name, batch.record_count, exporter=self.exporter_id)
