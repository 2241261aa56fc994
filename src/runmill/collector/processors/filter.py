"""``filter``: drop records by conditions. As upstream: what a condition is true for goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from runmill.collector.component import Signal
from runmill.collector.ottl.conditions import Condition, parse
from runmill.collector.ottl.values import ContextName
from runmill.collector.processors.account import Account
from runmill.collector.processors.records import Element, Request, drop
from runmill.collector.values import Section

__all__ = ["Filter", "FilterConfig", "LogCondition"]


def _is_condition_on(context: ContextName) -> AfterValidator:
    def check(text: str) -> str:
        parse(text, context)  # its Mistake is what the user reads
        return text

    return AfterValidator(check)


LogCondition = Annotated[str, _is_condition_on("log")]
"""Conditions are kept as they were written: so they are counted, and so they are told of."""
MetricCondition = Annotated[str, _is_condition_on("metric")]
PointCondition = Annotated[str, _is_condition_on("datapoint")]
SpanCondition = Annotated[str, _is_condition_on("span")]


_NO_MATCHING: Final = (
    "conditions take its place. Write for example log_conditions: ['IsMatch(body, \"GET /health\")'], "
    "and for what an include keeps, 'not (...)'"
)
_NO_PROFILES: Final = "profiles pass as they are. Remove it"


class FilterLogsConfig(Section):
    """Conditions on log records."""

    not_here: ClassVar = {"include": _NO_MATCHING, "exclude": _NO_MATCHING}

    log_record: list[LogCondition] = Field(default_factory=list)
    """A log record for which any of these is true is dropped."""


class FilterMetricsConfig(Section):
    """Conditions on metrics."""

    not_here: ClassVar = {"include": _NO_MATCHING, "exclude": _NO_MATCHING}

    metric: list[MetricCondition] = Field(default_factory=list)
    """A metric for which any of these is true is dropped with all its points: ``name == "cpu"``."""
    datapoint: list[PointCondition] = Field(default_factory=list)
    """A data point for which any of these is true is dropped: ``metric.name == "loss" and value_double > 100``."""


class FilterTracesConfig(Section):
    """Conditions on traces."""

    not_here: ClassVar = {"spanevent": "a span is kept or dropped with its events. Write a condition on spans"}

    span: list[SpanCondition] = Field(default_factory=list)
    """A span for which any of these is true is dropped."""


_EXAMPLE: Final = "no condition is given. Write for example log_conditions: ['severity_number < 9']"


class FilterConfig(Section):
    """Drops records for which a condition is true. Source: OpenTelemetry Collector, processor/filterprocessor."""

    not_here: ClassVar = {"profiles": _NO_PROFILES, "profile_conditions": _NO_PROFILES}

    error_mode: Literal["ignore", "silent", "propagate"] = "propagate"
    """Taken for compatibility: these conditions cannot fail on a record, whatever it holds."""
    logs: FilterLogsConfig = FilterLogsConfig()
    metrics: FilterMetricsConfig = FilterMetricsConfig()
    traces: FilterTracesConfig = FilterTracesConfig()
    log_conditions: list[LogCondition] = Field(default_factory=list)
    """The same as `logs.log_record`, as newer configurations write it."""
    metric_conditions: list[PointCondition] = Field(default_factory=list)
    """The same as `metrics.datapoint`: a metric is ``metric.name`` there."""
    trace_conditions: list[SpanCondition] = Field(default_factory=list)
    """The same as `traces.span`."""

    @model_validator(mode="after")
    def _check(self) -> "FilterConfig":
        if not any(conditions for conditions in self.conditions.values()):
            raise ValueError(_EXAMPLE)
        return self

    @property
    def conditions(self) -> Mapping[Signal, list[tuple[ContextName, str]]]:
        """Give all of them with what they are on, in their order."""
        points = (*self.metrics.datapoint, *self.metric_conditions)
        return {
            "logs": list(_on("log", (*self.logs.log_record, *self.log_conditions))),
            "metrics": [*_on("metric", self.metrics.metric), *_on("datapoint", points)],
            "traces": list(_on("span", (*self.traces.span, *self.trace_conditions))),
        }


def _on(context: ContextName, texts: "tuple[str, ...] | list[str]") -> Iterator[tuple[ContextName, str]]:
    return ((context, text) for text in texts)


@dataclass(frozen=True)
class Filter:
    """Drops records, and counts each under the condition that dropped it."""

    config: FilterConfig

    @cached_property
    def _rules(self) -> Mapping[Signal, list[tuple[str, Condition]]]:
        return {
            signal: [(text, parse(text, context)) for context, text in conditions]
            for signal, conditions in self.config.conditions.items()
        }

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Drop the records for which a condition is true."""
        rules = self._rules[signal]

        def is_dropped(element: Element) -> bool:
            for text, condition in rules:
                if condition(element):
                    account.dropped(element, text)
                    return True
            return False

        return drop(signal, request, is_dropped) if rules else False
