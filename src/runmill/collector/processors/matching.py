"""Which records a processor is for: ``include`` and ``exclude``.

Source: OpenTelemetry Collector, internal/coreinternal/attraction and processor/filterconfig.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from runmill.collector.processors.records import Element, find, plain
from runmill.collector.values import Section

__all__ = ["MatchConfig"]

_Test: TypeAlias = Callable[[Element], bool]
_TEXTS: Final = ("services", "log_bodies", "log_severity_texts", "metric_names", "span_names")


class AttributeConfig(Section):
    """An attribute that must be there."""

    key: str
    value: StrictBool | StrictInt | StrictFloat | StrictStr | None = None
    """What it must be; without it, anything."""


class SeverityConfig(Section):
    """A level and those above it."""

    min: int = Field(ge=0, le=24)
    """The least severity number, such as 9 for INFO."""
    match_undefined: bool = False
    """Whether a record without a severity matches."""


class MatchConfig(Section):
    """All that is given must hold; of a list of texts one is enough, of attributes all must be there."""

    match_type: Literal["strict", "regexp"]
    """How texts are compared: whole, or as regular expressions that match somewhere."""
    services: list[str] = Field(default_factory=list)
    """``service.name`` of the resource."""
    resources: list[AttributeConfig] = Field(default_factory=list)
    """Attributes of the resource."""
    attributes: list[AttributeConfig] = Field(default_factory=list)
    """Attributes of the record."""
    log_bodies: list[str] = Field(default_factory=list)
    log_severity_texts: list[str] = Field(default_factory=list)
    log_severity_number: SeverityConfig | None = None
    metric_names: list[str] = Field(default_factory=list)
    span_names: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> "MatchConfig":
        for pattern in self._patterns() if self.match_type == "regexp" else ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}. Correct it") from error
        if not self._tests:
            raise ValueError(f"nothing is given that must hold. Give one of {', '.join(_TEXTS)}, attributes, resources")
        return self

    def matches(self, element: Element) -> bool:
        """Say whether all that is given holds for a record."""
        return all(test(element) for test in self._tests)

    def _patterns(self) -> Iterator[str]:
        for name in _TEXTS:
            yield from getattr(self, name)
        for attribute in (*self.resources, *self.attributes):
            if isinstance(attribute.value, str):
                yield attribute.value

    @cached_property
    def _tests(self) -> list[_Test]:
        tests = [self._text_test(name, getattr(self, name)) for name in _TEXTS if getattr(self, name)]
        tests += [self._attribute_test(one, lambda element: element.resource.attributes) for one in self.resources]
        tests += [self._attribute_test(one, lambda element: element.record.attributes) for one in self.attributes]
        if (severity := self.log_severity_number) is not None:
            tests.append(lambda element: _is_severe(element.record, severity))
        return tests

    def _text_test(self, name: str, wanted: list[str]) -> _Test:
        tests = [self._comparison(text) for text in wanted]

        def test(element: Element) -> bool:
            found = _FOUND[name](element)
            return found is not None and any(one(found) for one in tests)

        return test

    def _attribute_test(self, wanted: AttributeConfig, attributes: Callable[[Element], Any]) -> _Test:
        is_value = self._comparison(wanted.value)

        def test(element: Element) -> bool:
            pair = find(attributes(element), wanted.key)
            return pair is not None and (wanted.value is None or is_value(plain(pair.value)))

        return test

    def _comparison(self, wanted: object) -> Callable[[Any], bool]:
        if self.match_type == "regexp" and isinstance(wanted, str):
            search = re.compile(wanted).search
            return lambda found: search(found if isinstance(found, str) else str(found)) is not None
        return lambda found: bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _service(element: Element) -> Any:
    pair = find(element.resource.attributes, "service.name")
    return None if pair is None else plain(pair.value)


_FOUND: Final[dict[str, Callable[[Element], Any]]] = {
    "services": _service,
    "log_bodies": lambda element: plain(element.record.body) if hasattr(element.record, "body") else None,
    "log_severity_texts": lambda element: getattr(element.record, "severity_text", None),
    "metric_names": lambda element: None if element.metric is None else element.metric.name,
    "span_names": lambda element: element.record.name if hasattr(element.record, "span_id") else None,
}


def _is_severe(record: Any, wanted: SeverityConfig) -> bool:
    number = getattr(record, "severity_number", None)
    return number is not None and (number >= wanted.min if number else wanted.match_undefined)
