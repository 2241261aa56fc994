"""How large a record may be. Source: OTel logs SDK specification, LogRecord Limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["RecordLimits"]


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """Limits on one record's attributes."""

    attribute_count: int = 128
    value_length: int | None = None
    """Characters of a text value; None: no limit."""

    def cut(self, attribute_count: int) -> bool:
        """Say whether `apply` could change a record of that many attributes."""
        return attribute_count > self.attribute_count or self.value_length is not None

    def apply(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """Give the attributes within the limits, and how many were left out."""
        kept = dict(list(attributes.items())[: self.attribute_count])
        if (length := self.value_length) is not None:
            kept = {key: _shortened(value, length) for key, value in kept.items()}
        return kept, len(attributes) - len(kept)


def _shortened(value: Any, length: int) -> Any:
    """Cut the texts in *value*. Source: OTel common specification, Attribute Limits (arrays: each of their texts)."""
    if isinstance(value, str | bytes):
        return value[:length]
    if isinstance(value, dict):
        return {key: _shortened(item, length) for key, item in value.items()}
    return [_shortened(item, length) for item in value] if isinstance(value, list) else value
