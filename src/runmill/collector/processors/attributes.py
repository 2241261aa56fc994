"""``resource`` and ``attributes``: add, change, remove and hash attributes, of resources or of records."""

from collections import Counter
from dataclasses import dataclass

from pydantic import Field

from runmill.collector.component import Signal
from runmill.collector.processors.actions import ActionConfig
from runmill.collector.processors.records import Request, records, resources
from runmill.collector.values import Section

__all__ = ["AttributesConfig", "EditAttributes", "EditResource", "ResourceConfig"]


class ResourceConfig(Section):
    """Source: OpenTelemetry Collector, processor/resourceprocessor."""

    attributes: list[ActionConfig] = Field(min_length=1)
    """Changes to the attributes of each resource, in their order."""


class AttributesConfig(Section):
    """Source: OpenTelemetry Collector, processor/attributesprocessor."""

    actions: list[ActionConfig] = Field(min_length=1)
    """Changes to the attributes of each log record, data point or span, in their order."""


@dataclass(frozen=True, slots=True)
class EditResource:
    """Changes resources; drops nothing."""

    config: ResourceConfig

    def __call__(self, signal: Signal, request: Request, _dropped: "Counter[str]", /) -> bool:
        """Change every resource of *request*."""
        changed = False
        for resource in resources(signal, request):
            for action in self.config.attributes:
                changed |= action.apply(resource.attributes)
        return changed


@dataclass(frozen=True, slots=True)
class EditAttributes:
    """Changes records; drops nothing."""

    config: AttributesConfig

    def __call__(self, signal: Signal, request: Request, _dropped: "Counter[str]", /) -> bool:
        """Change every record of *request*."""
        changed = False
        for element in records(signal, request):
            for action in self.config.actions:
                changed |= action.apply(element.record.attributes)
        return changed
