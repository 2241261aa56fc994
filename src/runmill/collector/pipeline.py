"""The pipelines: each part made with what comes after it in hand, started from the end and stopped from the front.

```text
receiver ──┬─> processor ─> processor ─┬─> exporter
receiver ──┘                           └─> exporter      consume returns when all of them have it
```
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runmill.collector.access import required_token
from runmill.collector.component import Batch, Component, Consumer, Signal
from runmill.collector.config import Config, Pipeline
from runmill.collector.exporters.making import make_exporter, make_sender
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig, OtlpHttpConfig
from runmill.collector.exposition import MetricsServer
from runmill.collector.guard import Health
from runmill.collector.metadata_use import used_metadata
from runmill.collector.own_metrics import OwnMetrics
from runmill.collector.processors.making import Stage, make_processor
from runmill.collector.receivers.gathering import make_gatherer
from runmill.collector.receivers.otlp_config import OtlpConfig
from runmill.collector.receivers.otlp_making import make_otlp
from runmill.collector.settings import Settings
from runmill.collector.telemetry import CountedReceiver, Telemetry
from runmill.collector.telemetry_config import PeriodicReader
from runmill.errors import Refused

__all__ = ["Collector", "FanOut", "build", "make_processors"]


@dataclass(frozen=True, slots=True)
class FanOut:
    """Hands a batch to several consumers at once; it is safe when all of them have it."""

    consumers: Sequence[Consumer]

    async def consume(self, batch: Batch, /) -> None:
        """Return when every consumer has *batch*.

        Raises what went wrong, and Refused before anything else: then the batch comes again, and the consumer that
        could not take it now gets its data. Those that had it get it twice, unless they know its producer.
        """
        results = await asyncio.gather(*(one.consume(batch) for one in self.consumers), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            raise next((error for error in errors if isinstance(error, Refused)), errors[0])


class Collector:
    """Started, it moves data; made by `build`."""

    def __init__(
        self,
        receivers: Mapping[str, Component],
        processors: Sequence[Component],
        exporters: Sequence[Component],
        *,
        entrances: Mapping[str, Mapping[Signal, Consumer]],
        telemetry: Telemetry,
        health: Health,
    ) -> None:
        self._receivers = receivers
        self.entrances = entrances
        """Where each receiver puts its data, by its id: what this process has itself to say goes in there, too."""
        # Data flows towards what has started already; stopping goes the other way, and each part flushes into
        # something that still takes it.
        self._start_order = (*exporters, *processors, *receivers.values())
        self._started: list[Component] = []
        self._health = health
        self.telemetry = telemetry

    @property
    def endpoints(self) -> dict[str, str]:
        """Where each started receiver listens, by its id: ``{"otlp": "127.0.0.1:4318"}``; gRPC as ``otlp.grpc``."""
        found = {name: getattr(receiver, "endpoint", None) for name, receiver in self._receivers.items()}
        return {name: endpoint for name, endpoint in found.items() if endpoint}

    async def start(self) -> None:
        """Return when every part is at work. When one cannot start, those that have are shut down, and it is raised."""
        try:
            for component in self._start_order:
                self._started.append(component)
                await component.start()
        except BaseException:
            await self.shutdown()
            raise
        self._health.status = "ok"

    async def shutdown(self) -> None:
        """Stop receiving, let everything flush, stop. Safe to call twice, and without start()."""
        self._health.status = "stopping"
        errors = list[Exception]()
        while self._started:
            try:
                await self._started.pop().shutdown()
            except Exception as error:  # noqa: BLE001 - the others must flush all the same; raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("parts of the collector did not stop cleanly", errors)


def build(config: Config, settings: Settings, *, telemetry: Telemetry | None = None) -> Collector:
    """Make a collector from a checked configuration, which counts in *telemetry*; nothing starts yet.

    Raises:
        ConfigError: an endpoint is wider than loopback, and nothing would keep strangers out.
    """
    telemetry, health = telemetry or Telemetry(), Health()
    used = sorted({name for pipeline in config.pipelines for name in pipeline.exporters})
    exporters = {
        name: make_exporter(name, config.exporters[name], settings=settings, telemetry=telemetry) for name in used
    }
    processors = list[Stage]()
    heads = defaultdict[str, dict[Signal, list[Consumer]]](dict)
    for pipeline in config.pipelines:
        tail = FanOut([exporters[name].consumer for name in pipeline.exporters])
        made = make_processors(pipeline, config, tail, telemetry)
        processors += made
        for name in pipeline.receivers:
            heads[name].setdefault(pipeline.signal, []).append(made[-1] if made else tail)
    entrances: dict[str, Mapping[Signal, Consumer]] = {
        name: {signal: CountedReceiver(name, FanOut(onward), telemetry) for signal, onward in by_signal.items()}
        for name, by_signal in heads.items()
    }
    receivers = dict[str, Component]()
    for name, consumers in entrances.items():
        receivers |= _receivers(name, config, consumers, settings=settings, telemetry=telemetry, health=health)
    for number, endpoint in enumerate(config.telemetry.metrics.pulls()):
        name = f"metrics/{number}" if number else "metrics"
        receivers[name] = _metrics_server(endpoint, config, settings, telemetry, health)
    for number, push in enumerate(config.telemetry.metrics.pushes()):
        receivers[f"metrics.push/{number}"] = _own_metrics(push, config.telemetry.resource, telemetry)
    outlets = [exporter.component for exporter in exporters.values()]
    return Collector(receivers, processors, outlets, entrances=entrances, telemetry=telemetry, health=health)


def make_processors(pipeline: Pipeline, config: Config, tail: Consumer, telemetry: Telemetry) -> list[Stage]:
    """Make a pipeline's processors, each with the next in hand: the last one first."""
    made = list[Stage]()
    for name in reversed(pipeline.processors):
        onward = made[-1] if made else tail
        made.append(make_processor(name, config.processors[name], onward, telemetry=telemetry))
    return made


def _receivers(
    name: str,
    config: Config,
    consumers: Mapping[Signal, Consumer],
    *,
    settings: Settings,
    telemetry: Telemetry,
    health: Health,
) -> Mapping[str, Component]:
    section, place = config.receivers[name], f"{config.source}: receivers.{name}"
    if isinstance(section, OtlpConfig):
        return make_otlp(
            name, section, consumers, place=place, settings=settings, telemetry=telemetry, health=health,
            metadata_names=used_metadata(config.processors, config.exporters),
        )  # fmt: skip
    made = make_gatherer(section, consumers, receiver_id=name, place=place, settings=settings, telemetry=telemetry)
    return {name: made}


def _metrics_server(
    endpoint: str, config: Config, settings: Settings, telemetry: Telemetry, health: Health
) -> MetricsServer:
    place = f"{config.source}: service.telemetry.metrics.endpoint"
    token = required_token(endpoint, place=place, token=settings.token, is_insecure=settings.is_insecure)
    return MetricsServer(endpoint, telemetry, health=health, bind=settings.bind, token=token)


def _own_metrics(push: PeriodicReader, resource: Mapping[str, str], telemetry: Telemetry) -> OwnMetrics:
    otlp = push.exporter.otlp
    shared = {
        "endpoint": otlp.endpoint,
        "headers": {header.name: header.value for header in otlp.headers},
        "compression": otlp.compression,
        "timeout": f"{otlp.timeout}ms",
    }
    config = (OtlpHttpConfig if otlp.protocol == "http/protobuf" else OtlpGrpcConfig).model_validate(shared)
    sender = make_sender("own_metrics", config, telemetry)
    return OwnMetrics(telemetry, sender, interval_seconds=push.interval / 1000, resource=resource)
