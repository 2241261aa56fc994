"""Every exporter, made from its configuration and loaded when one names it."""

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from runmill.collector.component import Component, Consumer
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.collector.exporters.file_config import FileConfig
from runmill.collector.exporters.kafka_config import KafkaConfig
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig, OtlpHttpConfig
from runmill.collector.exporters.queue_file import QueueFile, QueueMemory
from runmill.collector.exporters.retry import Retrying
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.exporters.sending_queue import Forwarder
from runmill.collector.exporters.set_aside import SetAside
from runmill.collector.settings import Settings
from runmill.collector.telemetry import CountedExporter, Telemetry

# An HTTP client is 12 MB, Arrow and what decodes with it 70: only who uses them waits for them, and holds them.
# ruff: noqa: PLC0415

__all__ = ["ExporterConfig", "ForwarderConfig", "Outlet", "make_exporter", "make_sender"]

ForwarderConfig: TypeAlias = KafkaConfig | OtlpGrpcConfig | OtlpHttpConfig
"""What is far away, and may be out of order: with retries and a queue."""
ExporterConfig: TypeAlias = DebugConfig | FileConfig | RunStoreConfig | ForwarderConfig

_QUEUE_FOLDER: Final = "collector"
"""In the home: what waits for backends."""
_SET_ASIDE_FOLDER: Final = "collector/set_aside"


@dataclass(frozen=True, slots=True)
class Outlet:
    """One exporter from the pipelines' side."""

    component: Component
    consumer: Consumer
    """Counts what passes."""


class _Exporter(Consumer, Component, Protocol):
    """Both in one, as most exporters are."""


def make_exporter(
    exporter_id: str,
    config: ExporterConfig,
    *,
    settings: Settings,
    telemetry: Telemetry,
) -> Outlet:
    """Make the exporter that *config* describes; nothing starts yet."""
    match config:
        case KafkaConfig() | OtlpGrpcConfig() | OtlpHttpConfig():
            return _forwarding(exporter_id, config, settings, telemetry)
        case DebugConfig():
            from runmill.collector.exporters.debug import Debug

            exporter: _Exporter = Debug(config, exporter_id=exporter_id)
        case FileConfig():
            from runmill.collector.exporters.file import FileExporter

            exporter = FileExporter(config)
        case RunStoreConfig():
            from runmill.collector.exporters.run_store import RunStore

            aside = SetAside(settings.home.path / _SET_ASIDE_FOLDER, exporter_id=exporter_id, telemetry=telemetry)
            exporter = RunStore(
                config, exporter_id=exporter_id, open_store=settings.open_store, aside=aside, telemetry=telemetry
            )
    return Outlet(exporter, CountedExporter(exporter_id, exporter, telemetry))


def _forwarding(exporter_id: str, config: ForwarderConfig, settings: Settings, telemetry: Telemetry) -> Outlet:
    sender = make_sender(exporter_id, config, telemetry)
    queue = config.sending_queue
    is_kept = queue.enabled and queue.storage != "memory"
    retrying = Retrying(config.retry_on_failure, sender, exporter_id=exporter_id, is_kept=is_kept, telemetry=telemetry)
    counted = CountedExporter(exporter_id, retrying, telemetry)
    if not queue.enabled:
        return Outlet(sender, counted)
    file = settings.home.path / _QUEUE_FOLDER / f"exporter_{exporter_id.replace('/', '__')}.sqlite"
    storage = QueueFile(file) if is_kept else QueueMemory()
    forwarder = Forwarder(queue, counted, sender, storage=storage, exporter_id=exporter_id, telemetry=telemetry)
    return Outlet(forwarder, forwarder)


def make_sender(exporter_id: str, config: ForwarderConfig, telemetry: Telemetry) -> _Exporter:
    """Make what tries once to hand a batch to a backend."""
    match config:
        case OtlpHttpConfig():
            from runmill.collector.exporters.otlp_http import HttpSender

            return HttpSender(config, exporter_id=exporter_id, telemetry=telemetry)
        case OtlpGrpcConfig():
            from runmill.collector.exporters.otlp_grpc import GrpcSender

            return GrpcSender(config, exporter_id=exporter_id, telemetry=telemetry)
        case KafkaConfig():
            from runmill.collector.exporters.kafka import KafkaSender

            return KafkaSender(config, exporter_id=exporter_id)
