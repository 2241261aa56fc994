"""Every processor, made from its configuration with what comes after it in hand."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from runmill.collector.component import Component, Consumer
from runmill.collector.processors.attributes import AttributesConfig, EditAttributes, EditResource, ResourceConfig
from runmill.collector.processors.batch import BatchConfig, Batcher
from runmill.collector.processors.dedupe import Dedupe, DedupeConfig
from runmill.collector.processors.editing import Edit, Editing
from runmill.collector.processors.filter import Filter, FilterConfig
from runmill.collector.processors.memory_limiter import MemoryLimiter, MemoryLimiterConfig
from runmill.collector.processors.redaction import Redaction, RedactionConfig
from runmill.collector.processors.run_context import RunContext, RunContextConfig
from runmill.collector.processors.sample import Sample, SampleConfig
from runmill.collector.telemetry import Telemetry
from runmill.collector.values import Section

__all__ = ["ProcessorConfig", "Stage", "make_processor"]

EditConfig: TypeAlias = (
    AttributesConfig | DedupeConfig | FilterConfig | RedactionConfig | ResourceConfig | RunContextConfig | SampleConfig
)
ProcessorConfig: TypeAlias = BatchConfig | MemoryLimiterConfig | EditConfig


class Stage(Consumer, Component, Protocol):
    """A processor at its place in a pipeline."""


_EDITS: Final[Mapping[type[Section], Callable[[Any], Edit]]] = {
    AttributesConfig: EditAttributes,
    DedupeConfig: Dedupe,
    FilterConfig: Filter,
    RedactionConfig: Redaction,
    ResourceConfig: EditResource,
    RunContextConfig: RunContext,
    SampleConfig: Sample,
}


def make_processor(processor_id: str, config: ProcessorConfig, onward: Consumer, *, telemetry: Telemetry) -> Stage:
    """Make the processor that *config* describes; nothing starts yet."""
    match config:
        case BatchConfig():
            return Batcher(config, onward, processor_id=processor_id, telemetry=telemetry)
        case MemoryLimiterConfig():
            return MemoryLimiter(config, onward, processor_id=processor_id, telemetry=telemetry)
        case _:
            return Editing(_EDITS[type(config)](config), onward, processor_id, telemetry)
