"""What the YAML says of receivers that read streams: ``process`` and ``stdin``."""

from pathlib import Path

from pydantic import Field

from runmill.collector.values import Duration, Section, Size

__all__ = ["ProcessConfig", "StdinConfig", "StreamConfig"]


class StreamConfig(Section):
    """How a stream is cut into records."""

    max_log_size: Size = 2**20
    """A longer line is cut into several records."""
    force_flush_period: Duration = 0.5
    """A last line without an end, or a record that may go on, is taken as it is after so long without news."""
    structured_lines: bool = True
    """Understand lines that were log records before they were printed, and Python tracebacks; of a progress bar, which
    is drawn over itself, what it showed last."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Attributes for every record."""
    resource: dict[str, str] = Field(default_factory=dict)
    """Attributes for the resource of every record."""


class ProcessConfig(StreamConfig):
    """Runs a command and gathers what it prints."""

    command: list[str] = Field(min_length=1)
    """Program and arguments, each for itself; no shell reads them."""
    cwd: Path | None = None
    """The folder it runs in; by default the collector's."""
    env: dict[str, str] = Field(default_factory=dict)
    """Variables it has beside the collector's. With `RUNMILL_RUN_ID` its output belongs to that run."""
    shutdown_timeout: Duration = 10
    """How long it may take to end after SIGTERM when the collector stops; then it is killed."""


class StdinConfig(StreamConfig):
    """Gathers what the collector reads from its standard input, to its end."""
