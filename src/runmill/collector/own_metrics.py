"""The collector's own metrics as OTLP, pushed again and again: cumulative, so that a push that fails costs nothing."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final, Protocol

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from runmill._version import __version__
from runmill.collector.component import Batch, Component, Consumer
from runmill.collector.telemetry import Series, Telemetry, is_gauge
from runmill.errors import Refused, Rejected

__all__ = ["OwnMetrics", "encode"]

_log: Final = logging.getLogger(__name__)

_LAST_PUSH_SECONDS: Final = 2.0


class Sender(Consumer, Component, Protocol):
    """One attempt to hand a batch to a backend."""


class OwnMetrics:
    """Pushes *telemetry* to *sender*, and a last time when it stops."""

    def __init__(
        self, telemetry: Telemetry, sender: Sender, *, interval_seconds: float, resource: Mapping[str, str]
    ) -> None:
        self._telemetry = telemetry
        self._sender = sender
        self._interval_seconds = interval_seconds
        self._resource = {
            "service.name": "runmill-collector",
            "service.version": __version__,
            "service.instance.id": str(uuid.uuid4()),
            **resource,
        }
        self._start_unix_nano = time.time_ns()
        self._pushing: asyncio.Task[None] | None = None
        self._is_failing = False

    async def start(self) -> None:
        """Return at once; the first push is an interval away."""
        await self._sender.start()
        self._pushing = asyncio.create_task(self._push_forever(), name="own metrics")

    async def shutdown(self) -> None:
        """Push once more, for a limited time."""
        pushing, self._pushing = self._pushing, None
        if pushing is not None:
            pushing.cancel()
            await asyncio.gather(pushing, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_PUSH_SECONDS):
                    await self._push()
        await self._sender.shutdown()

    async def _push_forever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self._push()

    async def _push(self) -> None:
        series = self._telemetry.series()
        payload = encode(series, self._resource, start_unix_nano=self._start_unix_nano, now_unix_nano=time.time_ns())
        try:
            await self._sender.consume(Batch("metrics", payload, len(series)))
        except (Refused, Rejected) as error:
            self._telemetry.add("runmill_own_metrics_failed_pushes_total")
            if not self._is_failing:  # said once an outage
                _log.warning("the collector's own metrics cannot be pushed: %s", error)
            self._is_failing = True
        else:
            self._is_failing = False


def encode(
    series: Iterable[tuple[Series, int]], resource: Mapping[str, str], *, start_unix_nano: int, now_unix_nano: int
) -> bytes:
    """Write counters and gauges as an ExportMetricsServiceRequest; those of one name, which stand together, as one."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    for key, value in resource.items():
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_metrics.add()
    scope.scope.name = "runmill.collector"
    for name, members in groupby(series, key=lambda each: each[0].name):
        points = _points(scope.metrics.add(name=name.removesuffix("_total")), name)
        for (_, labels), count in members:
            point = points.add(time_unix_nano=now_unix_nano, as_int=count)
            if not is_gauge(name):
                point.start_time_unix_nano = start_unix_nano
            for key, label in labels:
                point.attributes.add(key=key).value.string_value = label
    return request.SerializeToString()


def _points(metric: Metric, name: str) -> Any:
    if is_gauge(name):
        return metric.gauge.data_points
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return metric.sum.data_points
