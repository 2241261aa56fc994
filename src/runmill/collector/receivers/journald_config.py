"""What the YAML says of the ``journald`` receiver."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from runmill.collector.values import Duration, Section, Size

__all__ = ["JournaldConfig"]

_Priority = Literal[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "0", "1", "2", "3", "4", "5", "6", "7"
]


class JournaldConfig(Section):
    """Follows the systemd journal. Source: OpenTelemetry Collector, receiver/journaldreceiver."""

    directory: str | None = None
    """A folder of journals to read in place of the machine's own."""
    files: list[str] = Field(default_factory=list)
    """Journal files to read in place of these, or patterns of them; journalctl looks at them once a second."""
    namespace: str | None = None
    """Of the journal; by default that of the machine."""
    units: list[str] = Field(default_factory=list)
    """Of systemd, with `*` and `?`: take only what these log."""
    identifiers: list[str] = Field(default_factory=list)
    """Of syslog: take only what is logged under these."""
    matches: list[dict[str, str]] = Field(default_factory=list)
    """Take only entries with all fields of one of these: `[{_SYSTEMD_UNIT: ssh.service, _UID: "0"}]`."""
    priority: _Priority | None = None
    """Take only what has this priority or a more urgent one; what has none is left out then. By default all."""
    grep: str | None = None
    """Take only messages that this regular expression (PCRE2) is found in."""
    dmesg: bool = False
    """Take only what the kernel logs, of this boot."""
    merge: bool = False
    """Take the journals of other machines that are there too."""
    start_at: Literal["beginning", "end"] = "end"
    """Where to begin when this receiver first starts: with what is logged from then on, or with all that is there.
    Later it always goes on where it ended."""
    journalctl_path: str = "journalctl"
    """The program that reads journals; it comes with systemd."""
    fields: list[str] = Field(default=["[!_]*"])
    """Patterns of journal fields to have as attributes, under their names. By default those that loggers set; what
    journald adds begins with `_`. Fields that are told otherwise (message, priority, container, source code) are
    not repeated."""
    max_log_size: Size = 2**20
    """A line that a container engine cut is joined up to this."""
    force_flush_period: Duration = 0.5
    """A record that may go on, such as a traceback, is taken as it is after so long without news."""
    structured_lines: bool = True
    """Understand lines of services and containers that were log records before they were printed, and Python
    tracebacks."""
    storage: str | None = None
    """The file that keeps what is under way and how far the journal is read; by default, and for `file_storage`, one in
    the home directory."""
    attributes: dict[str, str] = Field(default_factory=dict)
    """Attributes for every record."""
    resource: dict[str, str] = Field(default_factory=dict)
    """Attributes for the resource of every record."""

    @model_validator(mode="after")
    def _check(self) -> "JournaldConfig":
        if self.directory is not None and self.files:
            raise ValueError("give 'directory' or 'files', not both: journalctl reads one of them")
        return self

    @property
    def follows(self) -> bool:
        """Whether journalctl waits for what comes; of single files it only tells what is there."""
        return not self.files

    def arguments(self) -> Iterator[str]:
        """Yield what journalctl is told, beside where to begin."""
        yield from ("--output=json", "--all", "--no-pager", "--quiet")
        if self.follows:
            yield from ("--follow", "--no-tail")
        places = {
            "directory": self.directory,
            "namespace": self.namespace,
            "grep": self.grep,
            "priority": self.priority,
        }
        yield from (f"--{name}={value}" for name, value in places.items() if value is not None)
        yield from (f"--file={path}" for path in self.files)
        yield from (f"--unit={unit}" for unit in self.units)
        yield from (f"--identifier={identifier}" for identifier in self.identifiers)
        yield from (f"--{name}" for name in ("dmesg", "merge") if getattr(self, name))
        for index, match in enumerate(self.matches):
            yield from ("+",) * (index > 0)
            yield from (f"{field}={value}" for field, value in match.items())
