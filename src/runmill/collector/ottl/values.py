"""What a condition can look at: paths of a log record, constants and functions, each compiled to a callable."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from runmill.collector.processors.records import Element, find, plain
from runmill.otlp.severity import SEVERITY_TEXT

__all__ = ["ENUMS", "FUNCTIONS", "MAPS", "PATHS", "Value", "look_up"]

Value: TypeAlias = Callable[[Element], Any]

ENUMS: Final[Mapping[str, int]] = {f"SEVERITY_NUMBER_{name}": number for number, name in enumerate(SEVERITY_TEXT)}

PATHS: Final[Mapping[str, Value]] = {
    "body": lambda element: plain(element.record.body),
    "severity_number": lambda element: element.record.severity_number,
    "severity_text": lambda element: element.record.severity_text,
    "event_name": lambda element: element.record.event_name,
    "time_unix_nano": lambda element: element.record.time_unix_nano,
    "instrumentation_scope.name": lambda element: element.scope.name,
    "scope.name": lambda element: element.scope.name,
}

MAPS: Final[Mapping[str, Callable[[Element], Any]]] = {
    "attributes": lambda element: element.record.attributes,
    "resource.attributes": lambda element: element.resource.attributes,
    "scope.attributes": lambda element: element.scope.attributes,
    "instrumentation_scope.attributes": lambda element: element.scope.attributes,
}


def look_up(name: str, key: str) -> Value:
    """Give the value of *key* in the map *name*, or in a body that is a map."""
    if name == "body":
        return lambda element: _item(plain(element.record.body), key)
    attributes = MAPS[name]

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
