"""Every component there is: its name in the YAML, its settings and the signals it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from runmill.collector.component import SIGNALS, Signal
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.collector.exporters.file_config import FileConfig
from runmill.collector.exporters.kafka_config import KafkaConfig
from runmill.collector.exporters.making import ExporterConfig
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig, OtlpHttpConfig
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.processors.attributes import AttributesConfig, ResourceConfig
from runmill.collector.processors.batch import BatchConfig
from runmill.collector.processors.dedupe import DedupeConfig
from runmill.collector.processors.filter import FilterConfig
from runmill.collector.processors.making import ProcessorConfig
from runmill.collector.processors.memory_limiter import MemoryLimiterConfig
from runmill.collector.processors.redaction import RedactionConfig
from runmill.collector.processors.run_context import RunContextConfig
from runmill.collector.processors.sample import SampleConfig
from runmill.collector.receivers.docker.config import DockerConfig
from runmill.collector.receivers.file_log_config import FileLogConfig
from runmill.collector.receivers.journal import JournalConfig
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.collector.receivers.otlp_config import OtlpConfig
from runmill.collector.receivers.stream_config import ProcessConfig, StdinConfig
from runmill.collector.values import Section

__all__ = [
    "CATALOG",
    "ComponentKind",
    "ComponentType",
    "ExporterConfig",
    "ProcessorConfig",
    "ReceiverConfig",
]

ComponentKind = Literal["receivers", "processors", "exporters"]

ReceiverConfig: TypeAlias = (
    DockerConfig | FileLogConfig | JournalConfig | JournaldConfig | OtlpConfig | ProcessConfig | StdinConfig
)


@dataclass(frozen=True, slots=True)
class ComponentType:
    """What the configuration needs to know of a component before one is made."""

    config: type[Section]
    signals: tuple[Signal, ...] = ("logs", "metrics", "traces")
    """Profiles are only passed on: their records are numbers of a dictionary that they share."""


_DEDUPE: Final = ComponentType(DedupeConfig, signals=("logs",))
_SAMPLE: Final = ComponentType(SampleConfig, signals=("logs",))
_FILE_LOG: Final = ComponentType(FileLogConfig, signals=("logs",))
_DEBUG: Final = ComponentType(DebugConfig, SIGNALS)
_OTLP_GRPC: Final = ComponentType(OtlpGrpcConfig, SIGNALS)
_OTLP_HTTP: Final = ComponentType(OtlpHttpConfig, SIGNALS)

CATALOG: Final[Mapping[ComponentKind, Mapping[str, ComponentType]]] = {
    "receivers": {
        "docker": ComponentType(DockerConfig, signals=("logs",)),
        "file_log": _FILE_LOG,
        "filelog": _FILE_LOG,  # what the OpenTelemetry Collector calls it too
        "journal": ComponentType(JournalConfig, signals=("logs", "metrics")),
        "journald": ComponentType(JournaldConfig, signals=("logs",)),
        "otlp": ComponentType(OtlpConfig, SIGNALS),
        "process": ComponentType(ProcessConfig, signals=("logs",)),
        "stdin": ComponentType(StdinConfig, signals=("logs",)),
    },
    "processors": {
        "attributes": ComponentType(AttributesConfig),
        "batch": ComponentType(BatchConfig, SIGNALS),
        "dedupe": _DEDUPE,
        "filter": ComponentType(FilterConfig),
        "log_dedup": _DEDUPE,  # the OpenTelemetry Collector's names for it, new and old
        "logdedup": _DEDUPE,
        "memory_limiter": ComponentType(MemoryLimiterConfig, SIGNALS),
        "probabilistic_sampler": _SAMPLE,
        "redaction": ComponentType(RedactionConfig),
        "resource": ComponentType(ResourceConfig),
        "run_context": ComponentType(RunContextConfig),
        "sample": _SAMPLE,
    },
    "exporters": {
        "debug": _DEBUG,
        "file": ComponentType(FileConfig),
        "kafka": ComponentType(KafkaConfig),
        "logging": _DEBUG,  # what the OpenTelemetry Collector called it until 2024
        "otlp": _OTLP_GRPC,  # its older names for the two below
        "otlphttp": _OTLP_HTTP,
        "otlp_grpc": _OTLP_GRPC,
        "otlp_http": _OTLP_HTTP,
        "run_store": ComponentType(RunStoreConfig, signals=("logs", "metrics")),
    },
}
