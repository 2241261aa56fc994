"""``redaction``: take secrets and unwanted attributes out of what passes, bodies included."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from runmill.collector.component import Signal
from runmill.collector.processors.records import Request, records, resources
from runmill.collector.values import Section
from runmill.otlp.scrub import is_secret_name, scrub_text

__all__ = ["Redaction", "RedactionConfig"]

_MASK: Final = "****"
_OWN: Final = "run."
"""What a run is told by is never taken out: without it a record would be nobody's."""


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}. Correct it") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class RedactionConfig(Section):
    """Source: OpenTelemetry Collector, processor/redactionprocessor; `secrets` and bodies are runmill's."""

    allow_all_keys: bool = False
    """false: attributes that `allowed_keys` does not name are removed, all of them when it names none."""
    allowed_keys: list[str] = Field(default_factory=list)
    ignored_keys: list[str] = Field(default_factory=list)
    """Attributes that are neither removed nor searched."""
    blocked_key_patterns: list[Pattern] = Field(default_factory=list)
    """Attributes whose key matches are masked whole."""
    blocked_values: list[Pattern] = Field(default_factory=list)
    """What matches in a text, an attribute's or a body's, is masked."""
    allowed_values: list[Pattern] = Field(default_factory=list)
    """A text that one of these matches stays as it is."""
    secrets: bool = True
    """Also mask what looks like a secret: keys and tokens of clouds and model hubs, passwords in addresses."""


@dataclass(frozen=True)
class Redaction:
    """Removes attributes and masks texts; drops no record."""

    config: RedactionConfig

    def __call__(self, signal: Signal, request: Request, _dropped: "Counter[str]", /) -> bool:
        """Clean *request*."""
        changed = False
        for resource in resources(signal, request):
            changed |= self._clean(resource.attributes)
        for element in records(signal, request):
            changed |= self._clean(element.record.attributes)
            if signal == "logs":
                changed |= self._mask_value(element.record.body)
        return changed

    @cached_property
    def _blocked_keys(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for pattern in self.config.blocked_key_patterns]

    @cached_property
    def _blocked_values(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for pattern in self.config.blocked_values]

    @cached_property
    def _allowed_values(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for pattern in self.config.allowed_values]

    @cached_property
    def _kept_keys(self) -> frozenset[str]:
        return frozenset(self.config.allowed_keys)

    def _clean(self, attributes: Any) -> bool:
        changed = False
        for at in reversed(range(len(attributes))):
            pair = attributes[at]
            if pair.key in self.config.ignored_keys or pair.key.startswith(_OWN):
                continue
            if not self.config.allow_all_keys and pair.key not in self._kept_keys:
                del attributes[at]
                changed = True
            else:
                changed |= self._mask_pair(pair)
        return changed

    def _mask_pair(self, pair: Any) -> bool:
        is_secret = self.config.secrets and is_secret_name(pair.key) and pair.value.HasField("string_value")
        if is_secret or any(pattern.search(pair.key) for pattern in self._blocked_keys):
            pair.value.string_value = _MASK
            return True
        return self._mask_value(pair.value)

    def _mask_value(self, value: Any) -> bool:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            masked = self._masked(value.string_value)
            if masked != value.string_value:
                value.string_value = masked
                return True
        elif kind == "array_value":
            return sum(self._mask_value(item) for item in value.array_value.values) > 0  # any() stops at the first
        elif kind == "kvlist_value":
            return sum(self._mask_pair(pair) for pair in value.kvlist_value.values) > 0
        return False

    def _masked(self, text: str) -> str:
        if any(pattern.search(text) for pattern in self._allowed_values):
            return text
        for pattern in self._blocked_values:
            text = pattern.sub(_MASK, text)
        return scrub_text(text) if self.config.secrets else text
