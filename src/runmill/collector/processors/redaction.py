"""``redaction``: take secrets and unwanted attributes out of what passes, bodies included."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from runmill.collector.component import Signal
from runmill.collector.processors.account import Account
from runmill.collector.processors.masking import HashFunction, Masks
from runmill.collector.processors.records import Element, Request, any_value, find, plain, records, resources
from runmill.collector.values import Section

__all__ = ["Redaction", "RedactionConfig"]

_OWN: Final = ("run.", "redaction.")
"""What a run is told by is never taken out: without it a record would be nobody's."""


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}. Correct it") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class RedactionConfig(Section):
    """Removes attributes that are not allowed, and masks what must not be read.

    Source: OpenTelemetry Collector, processor/redactionprocessor; `secrets` and bodies are runmill's.
    """

    not_here: ClassVar = {"ignored_key_patterns": "keys are named one by one. Write them as ignored_keys"}

    allow_all_keys: bool = False
    """false: attributes that `allowed_keys` does not name are removed, all of them when it names none."""
    allowed_keys: list[str] = Field(default_factory=list)
    """Attributes that stay."""
    ignored_keys: list[str] = Field(default_factory=list)
    """Attributes that are neither removed nor searched."""
    blocked_key_patterns: list[Pattern] = Field(default_factory=list)
    """Attributes whose key matches are masked whole."""
    blocked_values: list[Pattern] = Field(default_factory=list)
    """What matches in a text, an attribute's or a body's, is masked."""
    allowed_values: list[Pattern] = Field(default_factory=list)
    """A text that one of these matches stays as it is."""
    redact_all_types: bool = False
    """Search numbers too, as they are written."""
    hash_function: HashFunction = "none"
    """Put a hash in the place of what is masked, so that equal values stay equal; none: asterisks."""
    summary: Literal["debug", "info", "silent"] = "info"
    """info: add how many attributes were removed (`redaction.redacted.count`) and masked (`redaction.masked.count`);
    debug: also which (`redaction.redacted.keys`, `redaction.masked.keys`)."""
    secrets: bool = True
    """Also mask what looks like a secret: keys and tokens of clouds and model hubs, passwords in addresses."""


@dataclass(slots=True)
class _Done:
    """What was done to one list of attributes."""

    redacted: list[str] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Redaction:
    """Removes attributes and masks texts; drops no record."""

    config: RedactionConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Clean *request*."""
        changed = False
        for resource in resources(signal, request):
            changed |= self._clean(resource.attributes, Element(resource, None, None), account)
        for element in records(signal, request):
            changed |= self._clean(element.record.attributes, element, account)
            if signal == "logs":
                for reason in sorted(reasons := self._masks.mask_value(element.record.body)):
                    account.changed(element, f"{reason}, in the body")
                changed |= bool(reasons)
        return changed

    @cached_property
    def _masks(self) -> Masks:
        config = self.config
        return Masks(
            [re.compile(pattern) for pattern in config.blocked_key_patterns],
            [re.compile(pattern) for pattern in config.blocked_values],
            [re.compile(pattern) for pattern in config.allowed_values],
            config.hash_function,
            config.secrets,
            config.redact_all_types,
        )

    @cached_property
    def _kept_keys(self) -> frozenset[str]:
        return frozenset(self.config.allowed_keys)

    def _clean(self, attributes: Any, element: Element, account: Account) -> bool:
        done = _Done()
        for at in reversed(range(len(attributes))):
            key = attributes[at].key
            if key in self.config.ignored_keys or key.startswith(_OWN):
                continue
            if not self.config.allow_all_keys and key not in self._kept_keys:
                del attributes[at]
                done.redacted.append(key)
                account.changed(element, f"allowed_keys, which does not name {key!r}")
            elif reasons := self._masks.mask_pair(attributes[at]):
                done.masked.append(key)
                for reason in sorted(reasons):
                    account.changed(element, f"{reason}, in {key!r}")
        self._summarize(attributes, done)
        return bool(done.redacted or done.masked)

    def _summarize(self, attributes: Any, done: _Done) -> None:
        for name, keys in (("redacted", done.redacted), ("masked", done.masked)):
            if not keys or self.config.summary == "silent":
                continue
            _add(attributes, f"redaction.{name}.count", len(keys))
            if self.config.summary == "debug":
                _add(attributes, f"redaction.{name}.keys", ",".join(sorted(keys)))


def _add(attributes: Any, key: str, value: int | str) -> None:
    """Set an attribute of the summary, or add to that of a redaction before this one."""
    pair = find(attributes, key)
    earlier = None if pair is None else plain(pair.value)
    if isinstance(value, int) and isinstance(earlier, int):
        value += earlier
    elif isinstance(value, str) and isinstance(earlier, str):
        value = f"{earlier},{value}"
    (pair or attributes.add(key=key)).value.CopyFrom(any_value(value))
