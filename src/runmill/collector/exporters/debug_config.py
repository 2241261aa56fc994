"""What the YAML says of the exporter ``debug``."""

from typing import Literal

from runmill.collector.values import Section

__all__ = ["DebugConfig"]


class DebugConfig(Section):
    """Source: OpenTelemetry Collector, exporter/debugexporter."""

    verbosity: Literal["basic", "normal", "detailed"] = "basic"
    """basic: a line a batch; normal: a line a record; detailed: each record whole, as JSON. Spans: always basic."""
