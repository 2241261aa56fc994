"""``filter``: drop log records by conditions. As upstream: what a condition is true for goes."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from runmill.collector.component import Signal
from runmill.collector.ottl.conditions import Condition, parse
from runmill.collector.processors.records import Element, Request, drop
from runmill.collector.values import Section

__all__ = ["Filter", "FilterConfig"]


def _check_condition(text: str) -> str:
    parse(text)  # its Mistake is what the user reads
    return text


ConditionText = Annotated[str, AfterValidator(_check_condition)]


class FilterLogsConfig(Section):
    """Conditions on log records."""

    log_record: list[ConditionText] = Field(default_factory=list)
    """A record for which any of these is true is dropped."""


class FilterConfig(Section):
    """Source: OpenTelemetry Collector, processor/filterprocessor, for logs."""

    error_mode: Literal["ignore", "silent", "propagate"] = "propagate"
    """Taken for compatibility: these conditions cannot fail on a record, whatever it holds."""
    logs: FilterLogsConfig = FilterLogsConfig()
    log_conditions: list[ConditionText] = Field(default_factory=list)
    """The same as `logs.log_record`, as newer configurations write it."""

    @model_validator(mode="after")
    def _check(self) -> "FilterConfig":
        if not self.conditions():
            raise ValueError("no condition is given. Write for example log_conditions: ['severity_number < 9']")
        return self

    def conditions(self) -> tuple[str, ...]:
        """Give all of them, in their order."""
        return (*self.logs.log_record, *self.log_conditions)


@dataclass(frozen=True)
class Filter:
    """Drops log records, and counts each under the condition that dropped it."""

    config: FilterConfig

    @cached_property
    def _rules(self) -> list[tuple[str, Condition]]:
        return [(text, parse(text)) for text in self.config.conditions()]

    def __call__(self, signal: Signal, request: Request, dropped: "Counter[str]", /) -> bool:
        """Drop the records for which a condition is true."""

        def is_dropped(element: Element) -> bool:
            for text, condition in self._rules:
                if condition(element):
                    dropped[text] += 1
                    return True
            return False

        return drop(signal, request, is_dropped)
