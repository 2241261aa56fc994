"""What ``resource`` and ``attributes`` do to a list of attributes.

Source: OpenTelemetry Collector, internal/coreinternal/attraction.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from runmill.collector.component import Metadata
from runmill.collector.processors.records import any_value, find, plain
from runmill.collector.values import Section

__all__ = ["ActionConfig"]

_NEEDS_VALUE: Final = ("insert", "update", "upsert")
_METADATA: Final = "metadata."


class ActionConfig(Section):
    """One change."""

    key: str = ""
    """The attribute that is changed."""
    action: Literal["insert", "update", "upsert", "delete", "hash", "extract", "convert"]
    """insert: where it is missing; update: where it is; upsert: always; hash: its SHA-256 in place of the value;
    extract: `pattern`'s named groups become attributes; convert: to `converted_type`."""
    value: StrictBool | StrictInt | StrictFloat | StrictStr | list[object] | dict[str, object] | None = None
    from_attribute: str = ""
    """Take the value of this attribute; where it is missing, nothing is done."""
    from_context: str = ""
    """Take a header that the request came with, `metadata.x-tenant`; where it is missing, nothing is done. Receivers
    must `include_metadata`."""
    pattern: str = ""
    """A regular expression. For delete and hash: every key that it matches, beside `key`."""
    converted_type: Literal["int", "double", "string"] | None = None
    """For convert; what cannot be converted stays as it is."""

    @model_validator(mode="after")
    def _check(self) -> "ActionConfig":
        if not self.key and not (self.pattern and self.action in ("delete", "hash")):
            raise ValueError(f"action {self.action!r} has no key. Add 'key:'")
        given = (self.value is not None, bool(self.from_attribute), bool(self.from_context))
        if self.action in _NEEDS_VALUE and sum(given) != 1:
            raise ValueError(
                f"action {self.action!r} needs one of value, from_attribute, from_context. Give one of them"
            )
        if self.from_context and not self.from_context.startswith(_METADATA):
            raise ValueError(f"from_context {self.from_context!r} is not known here. Write metadata.NAME, for a header")
        if (self.action == "convert") != (self.converted_type is not None):
            raise ValueError("converted_type belongs to action 'convert', which needs it. Add or remove it")
        if self.action == "extract" and not re.compile(self.pattern).groupindex:
            raise ValueError(f"pattern {self.pattern!r} has no named group. Write for example (?P<user>.*)@.*")
        return self

    @model_validator(mode="before")
    @classmethod
    def _check_pattern(cls, found: object) -> object:
        pattern = found.get("pattern") if isinstance(found, Mapping) else None
        try:
            re.compile(str(pattern or ""))
        except re.error as error:
            raise ValueError(f"pattern {pattern!r} is no regular expression: {error}. Correct it") from error
        return found

    @property
    def rule(self) -> str:
        """What it is called where it is told of."""
        return f"{self.action} {self.key or self.pattern!r}"

    @property
    def header(self) -> str | None:
        """The header whose value is taken, in lower case."""
        return self.from_context.removeprefix(_METADATA).lower() or None

    def apply(self, attributes: Any, metadata: Metadata) -> bool:
        """Change a list of KeyValues of a request with *metadata* in place; say whether it changed."""
        if self.header is not None:
            found = next((value for name, value in metadata if name == self.header), None)
            return found is not None and _set_to(self, attributes, any_value(found))
        return _APPLY[self.action](self, attributes)


def _set(action: ActionConfig, attributes: Any) -> bool:
    if not action.from_attribute:
        return _set_to(action, attributes, any_value(action.value))
    source = find(attributes, action.from_attribute)
    return source is not None and _set_to(action, attributes, source.value)


def _set_to(action: ActionConfig, attributes: Any, value: Any) -> bool:
    present = find(attributes, action.key)
    if (action.action == "insert" and present is not None) or (action.action == "update" and present is None):
        return False
    _put(attributes, action.key, value)
    return True


def _put(attributes: Any, key: str, value: Any) -> None:
    pair = find(attributes, key)
    if pair is None:
        pair = attributes.add(key=key)
    pair.value.CopyFrom(value)


def _matching(action: ActionConfig, attributes: Any) -> list[int]:
    matches = re.compile(action.pattern).search if action.pattern else (lambda _: False)
    return [at for at, pair in enumerate(attributes) if pair.key == action.key or matches(pair.key)]


def _delete(action: ActionConfig, attributes: Any) -> bool:
    gone = _matching(action, attributes)
    for at in reversed(gone):
        del attributes[at]
    return bool(gone)


def _hash(action: ActionConfig, attributes: Any) -> bool:
    found = _matching(action, attributes)
    for at in found:
        value = plain(attributes[at].value)
        raw = value if isinstance(value, bytes) else str(value).encode()
        attributes[at].value.string_value = hashlib.sha256(raw).hexdigest()
    return bool(found)


def _extract(action: ActionConfig, attributes: Any) -> bool:
    pair = find(attributes, action.key)
    text = plain(pair.value) if pair is not None else None
    match = re.search(action.pattern, text) if isinstance(text, str) else None
    if match is None:
        return False
    for name, found in match.groupdict().items():
        if found is not None:
            _put(attributes, name, any_value(found))
    return True


_CONVERT: Final[Mapping[str, Callable[[Any], object]]] = {
    "int": lambda value: int(float(value)) if isinstance(value, str) and "." in value else int(value),
    "double": float,
    "string": lambda value: str(value).lower() if isinstance(value, bool) else str(value),
}


def _convert(action: ActionConfig, attributes: Any) -> bool:
    pair = find(attributes, action.key)
    if pair is None or action.converted_type is None:
        return False
    try:
        value = _CONVERT[action.converted_type](plain(pair.value))
    except (TypeError, ValueError, OverflowError):
        return False  # what is no number stays as it is
    pair.value.CopyFrom(any_value(value))
    return True


_APPLY: Final[Mapping[str, Callable[[ActionConfig, Any], bool]]] = {
    "insert": _set, "update": _set, "upsert": _set,
    "delete": _delete, "hash": _hash, "extract": _extract, "convert": _convert,
}  # fmt: skip
