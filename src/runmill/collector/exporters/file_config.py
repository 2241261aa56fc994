"""What the YAML says of the exporter ``file``."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from runmill.collector.values import Duration, Section

__all__ = ["Compression", "FileConfig", "FileFormat", "RotationConfig"]

FileFormat = Literal["json", "proto"]
Compression = Literal["none", "", "zstd"]


class RotationConfig(Section):
    """When a file is full, and how long it stays then."""

    max_megabytes: int = Field(default=100, ge=1)
    """A file that would become larger, in MiB, is put aside first. A larger single request has a file of its own."""
    max_days: int = Field(default=0, ge=0)
    """Files put aside longer ago are deleted at the next rotation; 0: none for its age."""
    max_backups: int = Field(default=100, ge=0)
    """Only so many files put aside stay, the newest; 0: all."""
    localtime: bool = False
    """Name them by local time; false: by UTC."""


class FileConfig(Section):
    """Writes OTLP/JSON to a file, one export request a line. Source: OpenTelemetry Collector, exporter/fileexporter.

    A request is answered for when it is on disk. What a kill cut off in the middle is removed at the next start.
    """

    not_here: ClassVar = {"group_by": "there is one file an exporter. Remove it, and use several pipelines"}

    path: Path
    """The file. Logs, metrics and traces may share one, a request of each on its own line."""
    format: FileFormat = "json"
    """json: a line each; proto: the request's protobuf behind its length, 4 bytes, big-endian."""
    compression: Compression = "none"
    """zstd: each request for itself, behind its length as with `format: proto`."""
    append: bool = False
    """Go on in a file that is there; false empties it at the start. With `rotation` it always goes on."""
    flush_interval: Duration = 1.0
    """Taken for compatibility: nothing waits in memory, each request is on disk before it is answered for."""
    rotation: RotationConfig | None = None
    """Put full files aside; without it the file grows for ever."""

    @model_validator(mode="after")
    def _check(self) -> "FileConfig":
        if self.path.is_dir():
            raise ValueError(f"path '{self.path}' is a folder. Give the path of a file in it")
        return self
