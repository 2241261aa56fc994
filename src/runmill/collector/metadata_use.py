"""Which headers a configuration uses, and whether they can ever come: what uses none that is kept does nothing."""

from collections.abc import Iterator, Mapping

from runmill.collector.exporters.making import ExporterConfig, ForwarderConfig
from runmill.collector.processors.attributes import AttributesConfig, ResourceConfig
from runmill.collector.processors.batch import BatchConfig
from runmill.collector.processors.making import ProcessorConfig
from runmill.collector.receivers.otlp_config import OtlpConfig
from runmill.collector.values import Section

__all__ = ["lacking_metadata", "used_metadata"]


def used_metadata(processors: Mapping[str, ProcessorConfig], exporters: Mapping[str, ExporterConfig]) -> frozenset[str]:
    """Give the headers that anything uses; no others are kept."""
    return frozenset().union(*(names for _, names in _users(processors, exporters)))


def lacking_metadata(
    receivers: Mapping[str, Section],
    processors: Mapping[str, ProcessorConfig],
    exporters: Mapping[str, ExporterConfig],
) -> Iterator[str]:
    """Yield a warning for each component that uses headers, where no receiver keeps any."""
    protocols = [one.protocols for one in receivers.values() if isinstance(one, OtlpConfig)]
    if any(each is not None and each.include_metadata for one in protocols for each in (one.http, one.grpc)):
        return
    for path, names in _users(processors, exporters):
        if names:
            used = ", ".join(names)
            yield f"{path}: uses {used}, and no otlp receiver keeps it. Write 'include_metadata: true' there."


def _users(
    processors: Mapping[str, ProcessorConfig], exporters: Mapping[str, ExporterConfig]
) -> Iterator[tuple[str, list[str]]]:
    for name, processor in processors.items():
        if isinstance(processor, AttributesConfig | BatchConfig | ResourceConfig):
            yield f"processors.{name}", processor.metadata_keys
    for name, exporter in exporters.items():
        if isinstance(exporter, ForwarderConfig):
            yield f"exporters.{name}", exporter.sending_queue.metadata_keys
