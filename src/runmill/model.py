"""What runmill knows: log records, metric points, runs. Values only, no I/O.

Words are OpenTelemetry's for what travels and Azure ML's for runs. Times are integers of nanoseconds since the
epoch; an id is text.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Literal, NewType, TypeAlias

__all__ = [
    "Artifact",
    "AttributeValue",
    "Attributes",
    "Experiment",
    "LogRecord",
    "MetricKind",
    "MetricPoint",
    "MetricPoints",
    "MetricSummary",
    "ModelVersion",
    "Resource",
    "Run",
    "RunEvent",
    "RunId",
    "RunStatus",
    "Severity",
    "Statement",
]

RunId = NewType("RunId", str)

AttributeValue: TypeAlias = (
    "str | bool | int | float | bytes | Sequence[AttributeValue] | Mapping[str, AttributeValue] | None"
)
"""An OTLP AnyValue. Source: opentelemetry/proto/common/v1/common.proto."""

Attributes: TypeAlias = Mapping[str, AttributeValue]

MetricKind = Literal[
    # what a run logs
    "scalar", "list", "row", "table", "image", "confusion_matrix", "accuracy_table", "residuals", "predictions",
    # what any OTLP sender may send
    "gauge", "sum", "histogram", "exponential_histogram", "summary",
]  # fmt: skip

RunStatus = Literal[
    "NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Running", "NotResponding",
    "CancelRequested", "Finalizing", "Completed", "Failed", "Canceled",
]  # fmt: skip


class Severity:
    """The first number of each severity range. Source: OTel logs data model, SeverityNumber."""

    UNSPECIFIED, TRACE, DEBUG, INFO, WARN, ERROR, FATAL = 0, 1, 5, 9, 13, 17, 21


@dataclass(frozen=True, slots=True)
class Resource:
    """What produced the data: a process, a container."""

    resource_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One stored log record, named as ``runmill logs --json`` prints it."""

    cursor: int
    """Where it stands in the store; rises in the order of commits."""
    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    logger: str
    """The instrumentation scope's name."""
    body: AttributeValue
    attributes: Attributes
    event_name: str
    trace_id: str | None
    span_id: str | None
    run_id: RunId | None
    service: str
    stream: str | None
    """``stdout``, ``stderr`` or None for what did not come from a stream."""
    rank: int | None
    resource_id: str
    dropped_attributes_count: int = 0
    """How many attributes its sender left out, for their number or size."""


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One value of one metric (of one column of it, where rows or tables were logged)."""

    metric: str
    kind: MetricKind
    column: str | None
    index: int | None
    """The position among the values of its metric in its process, or the row of a table; from 0."""
    step: int | None
    time_unix_nano: int
    value: float | int | str | bool | Attributes | None
    """A number as it was logged (int stays int), text, bool, None; a mapping for histograms and the JSON kinds."""
    attributes: Attributes
    rank: int | None


@dataclass(frozen=True, slots=True)
class MetricPoints:
    """Every point of one metric of a run, as columns of `count` items in the order they were logged.

    Where a column may be one value instead of a list, it is that of every point. The items are a `MetricPoint`'s;
    a column that was not asked for is None. One of nothing but floats or ints may be an array.
    """

    run_id: RunId
    metric: str
    count: int
    kind: MetricKind | list[MetricKind]
    column: str | list[str | None] | None
    rank: int | list[int | None] | None
    attributes: Attributes | list[Attributes]
    index: "list[int | None] | array[int] | None"
    step: "list[int | None] | array[int] | None"
    time_unix_nano: "list[int] | array[int] | None"
    value: "list[Any] | array[float]"

    def points(self) -> Iterator[MetricPoint]:
        """Give the points one by one; all columns must have been asked for."""
        columns = (self.kind, self.column, self.index, self.step, self.time_unix_nano, self.value, self.attributes)
        items = (
            column if isinstance(column, list | array) else repeat(column, self.count)
            for column in (*columns, self.rank)
        )
        return map(MetricPoint, repeat(self.metric, self.count), *items)


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """All that is known of one (metric, column) of a run without reading its points."""

    metric: str
    kind: MetricKind
    column: str | None
    description: str
    unit: str
    count: int
    numeric_count: int
    """How many of the points are numbers; the others are text, bool, None or documents."""
    first: float | None
    last: float | None
    """The newest numeric value by time; NaN and infinities count."""
    minimum: float | None
    """Smallest finite value."""
    maximum: float | None
    last_step: int | None
    last_time_unix_nano: int
    last_value: float | int | str | bool | Attributes | None
    """The newest value of any type, as it was logged."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One change to a run: it carries only what changed."""

    run_id: RunId
    time_unix_nano: int
    name: str
    """``run.started``, ``run.updated``, ``run.ended`` or ``run.heartbeat``."""
    body: Attributes
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody says of a run, or of an experiment, on its way to be stored: an event, some points, or both."""

    experiment: str
    run_id: RunId | None
    """None: it is said of the experiment."""
    time_unix_nano: int
    """Of the event; a point has its own."""
    event_name: str = ""
    """Empty: only points."""
    body: Attributes = field(default_factory=dict)
    points: Sequence[MetricPoint] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of a run: the bytes are found by their hash."""

    run_id: RunId
    path: str
    size_bytes: int
    media_type: str
    sha256: str
    time_unix_nano: int


@dataclass(frozen=True, slots=True)
class Run:
    """The state of a run: the fold of its events."""

    run_id: RunId
    experiment: str
    name: str
    display_name: str
    number: int
    """Counts up in the experiment, from 1, by start time."""
    status: RunStatus
    start_time_unix_nano: int
    end_time_unix_nano: int | None
    type: str | None = None
    parent_id: RunId | None = None
    description: str = ""
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    error: Attributes | None = None
    """``code``, ``message`` and what else is known of a failure."""
    user: str = ""
    host: str = ""
    service: str = ""
    last_seen_unix_nano: int = 0
    """When anything of the run's process last arrived (its newest event, heartbeats included)."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """All runs of one name."""

    name: str
    run_count: int
    """Of all, children included."""
    running_count: int
    last_start_time_unix_nano: int
    """0: it has no run yet."""
    tags: Mapping[str, str | None] = field(default_factory=dict)
    archived_time_unix_nano: int | None = None
    """When it was put away; None: it is in use."""
    child_count: int = 0
    """How many of its runs are below another one."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Files of a run that were given a name to find them by; never changes."""

    name: str
    version: int
    """Counts up in the name, from 1, in the order of registration."""
    run_id: RunId
    path: str
    """Of the file, or of the folder, in the run."""
    files: Sequence[Artifact]
    time_unix_nano: int
    description: str = ""
    framework: str = ""
    framework_version: str = ""
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
