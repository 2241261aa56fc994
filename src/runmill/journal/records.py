"""What is written to a journal: flat tuples of plain values, one layout a kind.

Flat, because a tuple of tuples costs twice the time to serialise, and plain, because ``marshal`` takes nothing else:
None, bool, int, float, str, bytes, and tuples, lists and dicts of these, of exactly these types.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = [
    "EVENT",
    "LOG",
    "POINT",
    "REQUEST",
    "Event",
    "ForeignRequest",
    "Log",
    "Point",
    "Record",
    "RunIdentity",
    "level_of",
    "parse_run_key",
    "run_key",
    "run_key_of",
]

LOG: Final = 0
POINT: Final = 1
EVENT: Final = 2
REQUEST: Final = 3

Record: TypeAlias = "tuple[Any, ...]"
"""A Log, a Point, an Event or a ForeignRequest as a bare tuple: the first item says which."""


class Log(NamedTuple):
    """A log record as the caller's thread left it."""

    record_kind: int
    time: "int | float"
    """Nanoseconds since the epoch as an int, or seconds as the float that ``logging`` has."""
    run_key: str | None
    logger: str
    levelno: int
    level_name: str
    body: Any
    attributes: "dict[str, Any] | None"
    file_path: str
    line_number: int
    function_name: str
    thread_id: int
    thread_name: str
    trace_id: str | None
    span_id: str | None
    trace_flags: int
    dropped_attributes_count: int


class Point(NamedTuple):
    """One number of one metric of a run."""

    record_kind: int
    time_unix_nano: int
    run_key: str
    metric: str
    metric_kind: str
    value: "int | float"
    position: int | None
    """run.index of scalars and lists, run.row of rows and tables."""
    step: int | None
    column: str | None
    description: str


class Event(NamedTuple):
    """An OTLP event of a run: lifecycle, run.metric, run.artifact."""

    record_kind: int
    time_unix_nano: int
    run_key: str
    event_name: str
    body: Any
    attributes: "dict[str, Any] | None"


class ForeignRequest(NamedTuple):
    """What another encoder, the OpenTelemetry SDK's, made for the wire."""

    record_kind: int
    signal: str
    """``logs`` or ``metrics``."""
    payload: bytes
    """A whole Export*ServiceRequest."""


class RunIdentity(NamedTuple):
    """Whose record it is: what becomes the run.* resource attributes."""

    run_id: str
    experiment: str
    parent_id: str | None
    rank: int | None


_SEPARATOR: Final = "\x1f"


def run_key(identity: RunIdentity) -> str:
    """Write an identity as one text, so that a record carries it for the price of a reference."""
    rank = "" if identity.rank is None else str(identity.rank)
    return _SEPARATOR.join((identity.run_id, identity.experiment, identity.parent_id or "", rank))


@lru_cache(maxsize=256)
def parse_run_key(key: str) -> RunIdentity:
    """Read it back."""
    run_id, experiment, parent_id, rank = key.split(_SEPARATOR)
    return RunIdentity(run_id, experiment, parent_id or None, int(rank) if rank else None)


_LEVELS: Final = {POINT: "POINT", EVENT: "EVENT", REQUEST: "REQUEST"}


def level_of(record: Record) -> str:
    """Give the name of a Log's level; of what has none, its kind."""
    return _LEVELS.get(record[0]) or str(record[5])


def run_key_of(record: Record) -> str | None:
    """Give whose record it is; None without a run, or where only its encoder knows."""
    key: str | None = None if record[0] == REQUEST else record[2]
    return key
