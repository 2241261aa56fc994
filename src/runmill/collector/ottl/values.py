"""What a condition can look at: paths of a record, constants and functions, each compiled to a callable."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from runmill.collector.processors.records import Element, find, plain
from runmill.otlp.severity import SEVERITY_TEXT

__all__ = ["CONTEXTS", "ENUMS", "FUNCTIONS", "Context", "ContextName", "Value", "look_up", "look_up_in_body"]

ContextName = Literal["log", "metric", "datapoint", "span"]
Value: TypeAlias = Callable[[Element], Any]
Attributes: TypeAlias = Callable[[Element], Any]
"""Gives a list of KeyValues."""

METRIC_TYPES: Final[Mapping[str | None, int]] = {
    None: 0, "gauge": 1, "sum": 2, "histogram": 3, "exponential_histogram": 4, "summary": 5,
}  # fmt: skip
ENUMS: Final[Mapping[str, int]] = {
    **{f"SEVERITY_NUMBER_{name}": number for number, name in enumerate(SEVERITY_TEXT)},
    **{f"METRIC_DATA_TYPE_{(name or 'none').upper()}": number for name, number in METRIC_TYPES.items()},
    "SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4, "SPAN_KIND_CONSUMER": 5,
    "STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2,
}  # fmt: skip

_AROUND: Final[Mapping[str, Value]] = {
    "instrumentation_scope.name": lambda element: element.scope.name,
    "scope.name": lambda element: element.scope.name,
}
_MAPS_AROUND: Final[Mapping[str, Attributes]] = {
    "resource.attributes": lambda element: element.resource.attributes,
    "scope.attributes": lambda element: element.scope.attributes,
    "instrumentation_scope.attributes": lambda element: element.scope.attributes,
}
_OWN_ATTRIBUTES: Final[Mapping[str, Attributes]] = {"attributes": lambda element: element.record.attributes}
_METRIC: Final[Mapping[str, Value]] = {
    "name": lambda element: element.metric.name,
    "unit": lambda element: element.metric.unit,
    "description": lambda element: element.metric.description,
    "type": lambda element: METRIC_TYPES[element.metric.WhichOneof("data")],
}


def _number(kind: str) -> Value:
    def value(element: Element) -> Any:
        point = element.record
        is_number = hasattr(point, "as_double") and point.WhichOneof("value") == kind
        return getattr(point, kind) if is_number else None

    return value


@dataclass(frozen=True, slots=True)
class Context:
    """What conditions of one kind are on: their paths, with or without its name before them."""

    paths: Mapping[str, Value]
    maps: Mapping[str, Attributes]


CONTEXTS: Final[Mapping[ContextName, Context]] = {
    "log": Context(
        {
            "body": lambda element: plain(element.record.body),
            "severity_number": lambda element: element.record.severity_number,
            "severity_text": lambda element: element.record.severity_text,
            "event_name": lambda element: element.record.event_name,
            "time_unix_nano": lambda element: element.record.time_unix_nano,
            **_AROUND,
        },
        {**_OWN_ATTRIBUTES, **_MAPS_AROUND},
    ),
    "metric": Context({**_METRIC, **_AROUND}, _MAPS_AROUND),
    "datapoint": Context(
        {
            "value_double": _number("as_double"),
            "value_int": _number("as_int"),
            "time_unix_nano": lambda element: element.record.time_unix_nano,
            **{f"metric.{name}": value for name, value in _METRIC.items()},
            **_AROUND,
        },
        {**_OWN_ATTRIBUTES, **_MAPS_AROUND},
    ),
    "span": Context(
        {
            "name": lambda element: element.record.name,
            "kind": lambda element: element.record.kind,
            "status.code": lambda element: element.record.status.code,
            "status.message": lambda element: element.record.status.message,
            **_AROUND,
        },
        {**_OWN_ATTRIBUTES, **_MAPS_AROUND},
    ),
}


def look_up_in_body(key: str) -> Value:
    """Give the value of *key* in a body that is a map."""
    return lambda element: _item(plain(element.record.body), key)


def look_up(attributes: Attributes, key: str) -> Value:
    """Give the value of *key* in a list of attributes."""

    def value(element: Element) -> Any:
        pair = find(attributes(element), key)
        return None if pair is None else plain(pair.value)

    return value


def _item(body: Any, key: str) -> Any:
    return body.get(key) if isinstance(body, dict) else None


def _is_match(target: Value, pattern: Value) -> Value:
    # The parser saw to it that the pattern is a constant that compiles.
    search = re.compile(pattern(None)).search  # type: ignore[arg-type]  # a constant looks at nothing

    def value(element: Element) -> bool:
        found = target(element)
        return found is not None and search(found if isinstance(found, str) else str(found)) is not None

    return value


def _of_text(test: Callable[[str, str], bool]) -> Callable[[Value, Value], Value]:
    def function(target: Value, part: Value) -> Value:
        def value(element: Element) -> bool:
            found, wanted = target(element), part(element)
            return isinstance(found, str) and isinstance(wanted, str) and test(found, wanted)

        return value

    return function


def _is_a(kind: type) -> Callable[[Value], Value]:
    return lambda target: lambda element: isinstance(target(element), kind)


def _length(target: Value) -> Value:
    def value(element: Element) -> Any:
        found = target(element)
        return len(found) if isinstance(found, str | bytes | list | dict) else None

    return value


FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., Value]]]] = {
    "IsMatch": (2, _is_match),
    "HasPrefix": (2, _of_text(str.startswith)),
    "HasSuffix": (2, _of_text(str.endswith)),
    "IsString": (1, _is_a(str)),
    "IsMap": (1, _is_a(dict)),
    "Len": (1, _length),
}
"""How many arguments a function takes, and what makes a value of them."""
