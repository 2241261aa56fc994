"""What the YAML says of the ``file_log`` receiver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from runmill.collector.lines.framing import codec_name
from runmill.collector.receivers.operator_config import ContainerConfig, OperatorConfig, Pattern
from runmill.collector.values import Duration, Section, Size

__all__ = ["FileLogConfig", "MultilineConfig", "RetryConfig"]

_UPSTREAM_STORAGE: Final = "file_storage"


def _check_encoding(value: str) -> str:
    try:
        codec_name(value)
    except LookupError:
        raise ValueError(f"{value!r} is no encoding. Write for example utf-8, utf-16le, latin-1 or nop") from None
    return value


class MultilineConfig(Section):
    """Several lines are one record. Exactly one of the two patterns must be given."""

    line_start_pattern: Pattern | None = None
    """A line that matches begins a record."""
    line_end_pattern: Pattern | None = None
    """A line that matches ends a record."""
    omit_pattern: bool = False
    """Leave what the pattern matches out of the record."""

    @model_validator(mode="after")
    def _check(self) -> "MultilineConfig":
        if (self.line_start_pattern is None) == (self.line_end_pattern is None):
            raise ValueError("give one of line_start_pattern and line_end_pattern, not both and not neither")
        return self


class RetryConfig(Section):
    """Taken from configurations of the OpenTelemetry Collector: what is refused here is always held and tried again."""

    enabled: bool = True
    initial_interval: Duration = 1
    max_interval: Duration = 30
    max_elapsed_time: Duration = 0


class FileLogConfig(Section):
    """Follows files. Source: OpenTelemetry Collector, receiver/filelogreceiver."""

    not_here: ClassVar = {
        "acquire_fs_lock": "files are only read, never locked. Remove it",
        "delete_after_read": "files are only read, never deleted. Remove it",
        "header": "lines at the start of a file are records as all others. Remove it, and read them with operators",
        "include_file_record_number": "reading goes on in the middle of a file, with no count of its lines. Remove it",
        "include_file_record_offset": "a record can be of several lines and files. Remove it",
        "ordering_criteria": "all files of `include` are followed, not only the first by name. Remove it, and narrow "
        "`include`, or leave out old files with `exclude_older_than`",
        "polls_to_archive": "what was read of every file is remembered. Remove it",
    }

    include: list[str] = Field(min_length=1)
    """Paths or patterns: `*`, `?`, `[a-z]`, `{one,other}`, and `**` for any folders."""
    exclude: list[str] = Field(default_factory=list)
    """Patterns of what is left out."""
    exclude_older_than: Duration | None = None
    """Leave out files that were not written to for so long; 0: none."""
    start_at: Literal["beginning", "end"] = "end"
    """Where to begin in files that are there when this receiver first starts. A file that comes later is read from its
    beginning, and one that was read before from where that ended."""
    poll_interval: Duration = 0.2
    """How often to look for new files and new lines."""
    fingerprint_size: Size = 1000
    """By so many first bytes a file is known again."""
    initial_buffer_size: Size = 16 * 2**10
    """Taken from configurations of the OpenTelemetry Collector; buffers here have the size of what is read."""
    max_log_size: Size = 2**20
    """A longer line is cut into several records."""
    max_concurrent_files: int = Field(default=1024, ge=1)
    """So many files are kept open. All are followed, however many there are."""
    max_batches: int = Field(default=0, ge=0)
    """Taken from configurations of the OpenTelemetry Collector; all files are looked at each time, in their turn."""
    force_flush_period: Duration = 0.5
    """A last line without an end, or a record that may go on, is taken as it is after so long without news; 0 waits for
    ever."""
    encoding: Annotated[str, AfterValidator(_check_encoding)] = "utf-8"
    """Of the files: `utf-8`, `utf-16le`, `latin-1`, ...; what is not valid gets replacement characters. `nop` keeps
    bytes that are not UTF-8 as bytes."""
    include_file_name: bool = True
    """Add `log.file.name` to each record."""
    include_file_path: bool = False
    """Add `log.file.path`."""
    include_file_name_resolved: bool = False
    """Add `log.file.name_resolved`, the name behind symbolic links."""
    include_file_path_resolved: bool = False
    """Add `log.file.path_resolved`."""
    include_file_owner_name: bool = False
    """Add `log.file.owner.name`, where the system knows the owner's name."""
    include_file_owner_group_name: bool = False
    """Add `log.file.owner.group.name`."""
    multiline: MultilineConfig | None = None
    """How lines are joined to records; by default each is one."""
    preserve_leading_whitespaces: bool = False
    """Keep white space at the start of a record that is text."""
    preserve_trailing_whitespaces: bool = False
    """Keep white space at its end."""
    compression: Literal["", "gzip", "auto"] = "auto"
    """`gzip`: all files are; `auto`: those whose names end in `.gz`; empty: none."""
    storage: str | None = None
    """The file in which to keep how far files are read; by default, and for `file_storage`, one in the home
    directory."""
    retry_on_failure: RetryConfig = Field(default_factory=RetryConfig)
    attributes: dict[str, str] = Field(default_factory=dict)
    """Attributes for every record."""
    resource: dict[str, str] = Field(default_factory=dict)
    """Attributes for the resource of every record."""
    structured_lines: bool | None = None
    """Understand lines that were log records before they were printed (JSON of python-json-logger, structlog and
    runmill, the default formats of logging and uvicorn), and Python tracebacks. What is not understood stays text. By
    default on, unless there are operators beside `container`: these then read what was printed."""
    operators: list[OperatorConfig] = Field(default_factory=list)
    """What is done with each record, in this order."""

    @model_validator(mode="after")
    def _check(self) -> "FileLogConfig":
        for mistake in self._mistakes():
            raise ValueError(mistake)
        return self

    def _mistakes(self) -> Iterator[str]:
        if "container" in [operator.type for operator in self.operators[1:]]:
            yield "operators: 'container' reads lines as they are in the file. Name it once, as the first"
        if self.container is not None and self.multiline is not None:
            yield "multiline: the lines of a container's file are joined by 'container'. Remove one of them"

    @property
    def understands(self) -> bool:
        """Whether structured lines are understood."""
        if self.structured_lines is not None:
            return self.structured_lines
        return all(isinstance(operator, ContainerConfig) for operator in self.operators)

    @property
    def container(self) -> ContainerConfig | None:
        """The operator that reads what a container engine wrote, where there is one."""
        first = next(iter(self.operators), None)
        return first if isinstance(first, ContainerConfig) else None

    def cursors_path(self, folder: Path, receiver_id: str) -> Path:
        """Give the file that keeps how far files are read; *folder* is where such files are by default."""
        if self.storage is None or self.storage.partition("/")[0] == _UPSTREAM_STORAGE:
            return folder / f"{receiver_id.replace('/', '_')}.cursors"
        return Path(self.storage)
