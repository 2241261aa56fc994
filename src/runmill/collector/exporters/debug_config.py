"""What the YAML says of the exporter ``debug``."""

from typing import Literal

from pydantic import Field

from runmill.collector.values import Section

__all__ = ["DebugConfig"]


class DebugConfig(Section):
    """Source: OpenTelemetry Collector, exporter/debugexporter."""

    verbosity: Literal["basic", "normal", "detailed"] = "basic"
    """basic: a line a batch; normal: a line a record; detailed: each record whole, as JSON. Spans: always basic."""
    sampling_initial: int = Field(default=2, ge=0)
    """So many batches are printed in each second."""
    sampling_thereafter: int = Field(default=1, ge=0)
    """Of the further ones every so manyth is printed; 1: all, 0: none."""
    output_paths: list[Literal["stdout", "stderr"]] = Field(default=["stdout"])
    """Where to; for a file there is the exporter `file`."""
    use_internal_logger: bool = True
    """Taken from configurations of the OpenTelemetry Collector; `output_paths` holds in both cases."""
