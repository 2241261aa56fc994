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
            kept = {key: value[:length] if isinstance(value, str) else value for key, value in kept.items()}
        return kept, len(attributes) - len(kept)
