"""``resource`` and ``attributes``: add, change, remove and hash attributes, of resources or of records."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from runmill.collector.component import Signal
from runmill.collector.processors.account import Account
from runmill.collector.processors.actions import ActionConfig
from runmill.collector.processors.matching import MatchConfig
from runmill.collector.processors.records import Element, Request, records, resources
from runmill.collector.values import Section

__all__ = ["AttributesConfig", "EditAttributes", "EditResource", "ResourceConfig"]


class ResourceConfig(Section):
    """Adds, changes and removes attributes of resources.

    Source: OpenTelemetry Collector, processor/resourceprocessor.
    """

    attributes: list[ActionConfig] = Field(min_length=1)
    """Changes, in their order."""

    @property
    def metadata_keys(self) -> list[str]:
        """Give the headers whose values are taken."""
        return [action.header for action in self.attributes if action.header]


class AttributesConfig(Section):
    """Adds, changes and removes attributes of log records, data points and spans.

    Source: OpenTelemetry Collector, processor/attributesprocessor.
    """

    actions: list[ActionConfig] = Field(min_length=1)
    """Changes, in their order."""
    include: MatchConfig | None = None
    """Only records for which this holds are changed."""
    exclude: MatchConfig | None = None
    """Records for which this holds stay as they are."""

    @property
    def metadata_keys(self) -> list[str]:
        """Give the headers whose values are taken."""
        return [action.header for action in self.actions if action.header]

    def is_for(self, element: Element) -> bool:
        """Say whether a record is to be changed."""
        is_included = self.include is None or self.include.matches(element)
        return is_included and not (self.exclude is not None and self.exclude.matches(element))


@dataclass(frozen=True, slots=True)
class EditResource:
    """Changes resources; drops nothing."""

    config: ResourceConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Change every resource of *request*."""
        changed = False
        for resource in resources(signal, request):
            changed |= _apply(self.config.attributes, resource.attributes, Element(resource, None, None), account)
        return changed


@dataclass(frozen=True, slots=True)
class EditAttributes:
    """Changes records; drops nothing."""

    config: AttributesConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Change the records of *request* that are chosen."""
        changed = False
        for element in records(signal, request):
            if self.config.is_for(element):
                changed |= _apply(self.config.actions, element.record.attributes, element, account)
        return changed


def _apply(actions: Iterable[ActionConfig], attributes: Any, element: Element, account: Account) -> bool:
    changed = False
    for action in actions:
        if action.apply(attributes, account.metadata):
            account.changed(element, action.rule)
            changed = True
    return changed
