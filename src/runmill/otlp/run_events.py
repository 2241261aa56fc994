"""What a run says in log records: lifecycle, metrics that are no numbers, files.

An event that lacks what it needs, or has it in another type, is not taken: it stays a log record like any other, so
nothing of it is lost and nothing downstream has to expect it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from runmill.model import AttributeValue
from runmill.otlp import runs
from runmill.otlp.event_checks import (
    ARTIFACT_CHECKS,
    EXPERIMENT_CHECKS,
    EXPERIMENT_NEEDS,
    LIFECYCLE_CHECKS,
    MODEL_CHECKS,
    MODEL_NEEDS,
    Check,
    is_int_or_none,
)
from runmill.otlp.origin import Origin
from runmill.otlp.schema import Message
from runmill.otlp.values import decode_attributes, decode_value, dumps, dumps_object

__all__ = ["EVENT_NAMES", "EventRows", "take_event"]

_CELL_KINDS: Final = frozenset({"row", "table"})
_VALUE_KINDS: Final = frozenset({"scalar", "list"})
_DOCUMENT_KINDS: Final = frozenset({"confusion_matrix", "accuracy_table", "residuals", "predictions", "image"})


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of `runmill.columns.EVENTS`."""

    run_id: str | None
    time_unix_nano: int
    name: str
    body: bytes
    rank: int | None
    resource_id: str


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """A row of `runmill.columns.ARTIFACTS`."""

    run_id: str
    path: str
    size_bytes: int
    media_type: str
    sha256: str
    time_unix_nano: int


@dataclass(frozen=True, slots=True)
class PointRow:
    """A row of `runmill.columns.POINTS`, with as defaults what only other OTLP metrics have."""

    run_id: str | None
    metric: str
    kind: str
    column: str | None = None
    index: int | None = None
    step: int | None = None
    time_unix_nano: int = 0
    start_time_unix_nano: int | None = None
    value: float | None = None
    value_int: int | None = None
    value_json: bytes | None = None
    attributes: bytes = b"{}"
    unit: str = ""
    description: str = ""
    temporality: str | None = None
    is_monotonic: bool | None = None
    scope: str = ""
    service: str = ""
    rank: int | None = None
    resource_id: str = ""


@dataclass(frozen=True, slots=True)
class EventRows:
    """What was taken so far."""

    events: list[EventRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    artifacts: list[ArtifactRow] = field(default_factory=list)


class _Event(NamedTuple):
    name: str
    time_unix_nano: int
    body: AttributeValue
    record: Message
    origin: Origin
    scope: str


def take_event(rows: EventRows, record: Message, *, time_unix_nano: int, origin: Origin, scope: str) -> bool:
    """Add what *record* says to *rows*; False, and nothing added, when it is no event of a run or a malformed one."""
    name = str(record.event_name, "utf-8", "replace")
    take = _TAKERS.get(name)
    return take is not None and take(
        rows, _Event(name, time_unix_nano, decode_value(record.body), record, origin, scope)
    )


def _take_lifecycle(rows: EventRows, event: _Event) -> bool:
    run_id, body = event.origin.run_id, {} if event.body is None else event.body
    if run_id is None or not isinstance(body, Mapping):
        return False
    # A key that is there without a value says nothing: the same as its absence.
    said = {key: value for key, value in body.items() if value is not None}
    if not all(LIFECYCLE_CHECKS[key](value) for key, value in said.items() if key in LIFECYCLE_CHECKS):
        return False
    origin = event.origin
    rows.events.append(
        EventRow(run_id, event.time_unix_nano, event.name, dumps_object(said), origin.rank, origin.resource_id)
    )
    return True


def _take_model(rows: EventRows, event: _Event) -> bool:
    if event.origin.run_id is None:
        return False
    return _take_checked(rows, event, event.origin.run_id, needed=MODEL_NEEDS, known=MODEL_CHECKS)


def _take_experiment(rows: EventRows, event: _Event) -> bool:
    return _take_checked(rows, event, None, needed=EXPERIMENT_NEEDS, known=EXPERIMENT_CHECKS)


def _take_checked(
    rows: EventRows, event: _Event, run_id: str | None, *, needed: Mapping[str, Check], known: Mapping[str, Check]
) -> bool:
    """Keep an event whose body has all that is *needed*, and of what is *known* only what is of its type."""
    body, origin = event.body, event.origin
    if not isinstance(body, Mapping) or not all(check(body.get(key)) for key, check in needed.items()):
        return False
    said = {key: value for key, value in body.items() if value is not None}
    if not all(known[key](value) for key, value in said.items() if key in known):
        return False
    rows.events.append(
        EventRow(run_id, event.time_unix_nano, event.name, dumps_object(said), origin.rank, origin.resource_id)
    )
    return True


def _take_artifact(rows: EventRows, event: _Event) -> bool:
    run_id, body = event.origin.run_id, event.body
    if run_id is None or not isinstance(body, Mapping):
        return False
    if not all(check(body.get(key)) for key, check in ARTIFACT_CHECKS.items()):
        return False
    said: dict[str, Any] = {key: body[key] for key in ARTIFACT_CHECKS}
    rows.artifacts.append(ArtifactRow(run_id=run_id, time_unix_nano=event.time_unix_nano, **said))
    return True


def _take_metric(rows: EventRows, event: _Event) -> bool:
    attributes = decode_attributes(event.record.attributes)
    metric, kind = attributes.pop(runs.METRIC_NAME, None), attributes.pop(runs.KIND, None)
    description = attributes.pop(runs.METRIC_DESCRIPTION, "")
    step, index = attributes.pop(runs.STEP, None), _pop_index(attributes)
    if not (isinstance(metric, str) and metric and isinstance(kind, str) and isinstance(description, str)):
        return False
    if not (is_int_or_none(step) and is_int_or_none(index)):
        return False
    cells = _cells(kind, event.body)
    point = PointRow(
        run_id=event.origin.run_id,
        metric=metric,
        kind=kind,
        index=index,  # type: ignore[arg-type]  # checked above, as is the step
        step=step,  # type: ignore[arg-type]
        time_unix_nano=event.time_unix_nano,
        attributes=dumps_object(attributes),
        description=description,
        scope=event.scope,
        service=event.origin.service,
        rank=event.origin.rank,
        resource_id=event.origin.resource_id,
    )
    rows.points.extend(_with_cell(point, column, value) for column, value in cells)
    return bool(cells)


def _pop_index(attributes: dict[str, AttributeValue]) -> AttributeValue:
    return attributes.pop(runs.INDEX if runs.INDEX in attributes else runs.ROW, None)


def _cells(kind: str, body: AttributeValue) -> list[tuple[str | None, AttributeValue]]:
    """Give (column, value) of each point the body makes; none when the body is not what *kind* has."""
    if kind in _CELL_KINDS and isinstance(body, Mapping):
        return list(body.items()) or [(None, body)]  # a table without columns: its name is all there is
    is_value = kind in _VALUE_KINDS and not isinstance(body, Mapping | list)
    is_empty_list = kind == "list" and body == []
    is_document = kind in _DOCUMENT_KINDS and isinstance(body, Mapping)
    return [(None, body)] if is_value or is_empty_list or is_document else []


def _with_cell(point: PointRow, column: str | None, value: AttributeValue) -> PointRow:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return replace(point, column=column, value_json=dumps(value))
    return replace(point, column=column, value=float(value), value_int=value if isinstance(value, int) else None)


_TAKERS: Final[Mapping[str, Callable[[EventRows, _Event], bool]]] = {
    **dict.fromkeys(runs.LIFECYCLE, _take_lifecycle),
    runs.METRIC: _take_metric,
    runs.ARTIFACT: _take_artifact,
    runs.MODEL: _take_model,
    runs.EXPERIMENT_UPDATED: _take_experiment,
}

EVENT_NAMES: Final = frozenset(_TAKERS)
"""Of the events that `take_event` may take."""
