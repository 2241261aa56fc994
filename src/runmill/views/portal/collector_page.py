"""``/collector``: is anything lost? What the collector of this process counts, and how fast that grows as one looks."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from runmill.views.portal.rendering import Renderer

__all__ = ["Count", "Look", "LookAtCollector", "PipelineLook", "add_collector_page"]

# A rate is over what was seen in these last seconds; the page looks again every two.
_RATE_SECONDS: Final = 20.0

# The OpenTelemetry Collector's names for its own numbers, and ours for what is gone.
_RECORDS: Final = {
    "logs": "log_records", "metrics": "metric_points", "traces": "spans", "profiles": "profile_samples",
}  # fmt: skip
_TAKEN: Final = {"receiver": "otelcol_receiver_accepted_", "exporter": "otelcol_exporter_sent_"}
_HELD_UP: Final = {"receiver": "otelcol_receiver_refused_", "exporter": "otelcol_exporter_send_failed_"}
_DROPPED: Final = "runmill_dropped_records_total"
_SET_ASIDE: Final = "runmill_run_store_set_aside_records_total"

_Key: TypeAlias = tuple[object, ...]
"""Name and labels of a counter."""


@dataclass(frozen=True, slots=True)
class Count:
    """One of the collector's counters."""

    name: str
    labels: Mapping[str, str]
    value: int


@dataclass(frozen=True, slots=True)
class PipelineLook:
    """A pipeline by the ids of its components."""

    pipeline_id: str
    receivers: Sequence[str]
    processors: Sequence[str]
    exporters: Sequence[str]


@dataclass(frozen=True, slots=True)
class Look:
    """A collector at one moment."""

    source: str
    """Where its configuration is from."""
    endpoints: Mapping[str, str]
    pipelines: Sequence[PipelineLook]
    counts: Sequence[Count]


LookAtCollector: TypeAlias = Callable[[], Look]
"""Called in the event loop that the collector runs in."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What went through one component, of one signal."""

    component_id: str
    taken: int
    """Records accepted (receivers) or sent (exporters)."""
    per_second: float | None
    """None until there are two looks to compare."""
    held_up: int
    """Records refused, or whose sending failed: their sender has them still, or they are tried again."""
    queue_size: int | None
    queue_capacity: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Stages:
    """A pipeline with what goes through it."""

    pipeline_id: str
    receivers: Sequence[Flow]
    processors: Sequence[Flow]
    exporters: Sequence[Flow]


@dataclass(frozen=True, slots=True)
class CollectorView:
    """What the page shows."""

    look: Look
    pipelines: Sequence[Stages]
    drops: Sequence[Count]
    """Records that are gone, most first."""
    set_aside: Sequence[Count]
    """Of these, records that are in files, for who wants to know why the run store fails on them."""

    @property
    def dropped(self) -> int:
        """How many records are gone."""
        return sum(each.value for each in self.drops)


class Rates:
    """Remembers the last looks, and compares the newest with the oldest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen = deque[tuple[float, Mapping[_Key, int]]]()

    def see(self, taken: Mapping[_Key, int]) -> Mapping[_Key, float]:
        """Give how much each number grew a second; empty at the first look in a while."""
        now = self._clock()
        while self._seen and now - self._seen[0][0] > _RATE_SECONDS:
            self._seen.popleft()
        self._seen.append((now, taken))
        then, before = self._seen[0]
        if then == now:
            return {}
        return {key: max(0, value - before.get(key, 0)) / (now - then) for key, value in taken.items()}


def add_collector_page(portal: FastAPI, renderer: Renderer, look_at_collector: LookAtCollector | None) -> None:
    """Add the page; where no collector runs in this process, it says so."""
    rates = Rates()

    @portal.get("/collector")
    async def collector(request: Request) -> Response:  # in the loop, for that is where the collector counts
        """Is anything lost."""
        view = collector_view(look_at_collector(), rates) if look_at_collector else None
        return renderer.page(request, "collector.html", view=view)


def collector_view(look: Look, rates: Rates) -> CollectorView:
    """Sort the counters by what they say of which component."""
    drops = [each for each in look.counts if each.name == _DROPPED and each.value]
    per_second = rates.see({_key(each): each.value for each in look.counts})

    def flow(kind: str, component_id: str, signal: str) -> Flow:
        records, labels = _RECORDS[signal], {kind: component_id}
        taken = _TAKEN.get(kind, "") + records
        grown = [per_second[_key(each)] for each in _found(look, taken, labels) if _key(each) in per_second]
        return Flow(
            component_id,
            _total(look, taken, labels),
            sum(grown) if per_second else None,
            _total(look, _HELD_UP.get(kind, "") + records, labels),
            next((each.value for each in _found(look, "otelcol_exporter_queue_size", labels)), None),
            _total(look, "otelcol_exporter_queue_capacity", labels),
            sum(
                each.value
                for each in drops
                if each.labels["component"] == component_id and each.labels["signal"] == signal
            ),
        )

    def stages(pipeline: PipelineLook) -> Stages:
        signal = pipeline.pipeline_id.partition("/")[0]
        return Stages(
            pipeline.pipeline_id,
            [flow("receiver", each, signal) for each in pipeline.receivers],
            [flow("processor", each, signal) for each in pipeline.processors],
            [flow("exporter", each, signal) for each in pipeline.exporters],
        )

    set_aside = [each for each in look.counts if each.name == _SET_ASIDE and each.value]
    return CollectorView(look, [*map(stages, look.pipelines)], sorted(drops, key=lambda each: -each.value), set_aside)


def _key(count: Count) -> _Key:
    return count.name, *sorted(count.labels.items())


def _found(look: Look, name: str, labels: Mapping[str, str]) -> list[Count]:
    return [each for each in look.counts if each.name == name and labels.items() <= each.labels.items()]


def _total(look: Look, name: str, labels: Mapping[str, str]) -> int:
    return sum(each.value for each in _found(look, name, labels))
