"""A run's state as a fold over its events, whatever the order they arrived in. Pure: no clock, no store."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from runmill.model import Attributes, AttributeValue, Run, RunEvent, RunId, RunStatus

__all__ = ["HEARTBEAT", "NOT_RESPONDING_AFTER_NANO", "RUNNING", "Origin", "fold", "seen_at"]

# The names and body keys of run events, as `docs/conventions.md` has them.
STARTED: Final = "run.started"
UPDATED: Final = "run.updated"
ENDED: Final = "run.ended"
HEARTBEAT: Final = "run.heartbeat"
_STATUS: Final = "status"
_ERROR: Final = "error"
_TAGS: Final = "tags"
_REMOVED_TAGS: Final = "removed_tags"
_PROPERTIES: Final = "properties"
_FACTS: Final = ("experiment", "name", "display_name", "description", "type", "parent_id", "user", "host")
"""Texts of which the newest counts."""

DEFAULT_EXPERIMENT: Final = "default"
"""Of a run that never said its experiment."""

NOT_RESPONDING_AFTER_NANO: Final = 120 * 10**9
"""Eight heartbeats: a busy host may miss some of them."""

RUNNING: Final[frozenset[RunStatus]] = frozenset({"Starting", "Running", "CancelRequested", "Finalizing"})
"""A process of the run's own is at work, so its silence means something."""

_STATUSES: Final = frozenset(get_args(RunStatus))
_TERMINAL: Final = frozenset({"Completed", "Failed", "Canceled"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a run without its events: from its resource, and from the times of its data."""

    first_seen_unix_nano: int
    last_seen_unix_nano: int
    experiment: str = ""
    parent_id: RunId | None = None
    host: str = ""
    service: str = ""


def fold(run_id: RunId, events: Iterable[RunEvent], origin: Origin) -> Run:
    """Give the state after *events*, which come in the order they arrived: that decides between equal times.

    Of a fact said twice the newest counts; tags merge; a property keeps its first value. A run that ended stays as
    it ended until it starts again. A run of which nothing but data is known is Running: something produced it.
    ``number`` is 0: only who knows the other runs can count.
    """
    state = _State()
    newest = origin.last_seen_unix_nano
    for event in sorted(events, key=lambda event: event.time_unix_nano):
        # Any other event happened in the run, and changed nothing of it.
        if event.name in _STEPS:
            _merge(state, event.body)
            _STEPS[event.name](state, event)
        newest = max(newest, event.time_unix_nano)
    return _run(run_id, state, replace(origin, last_seen_unix_nano=newest))


def seen_at(run: Run, now_unix_nano: int) -> Run:
    """Give *run* as it looks now: one that should be at work and was silent for 2 minutes is NotResponding."""
    if run.status in RUNNING and now_unix_nano - run.last_seen_unix_nano > NOT_RESPONDING_AFTER_NANO:
        return replace(run, status="NotResponding")
    return run


@dataclass(slots=True)
class _State:
    status: RunStatus = "Running"
    start: int | None = None
    end: int | None = None
    error: Attributes | None = None
    facts: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)


def _merge(state: _State, body: Attributes) -> None:
    for key in _FACTS:
        if isinstance(fact := body.get(key), str):
            state.facts[key] = fact
    for removed in _items(body.get(_REMOVED_TAGS)):
        state.tags.pop(str(removed), None)
    for key, value in _pairs(body.get(_TAGS)):
        state.tags[key] = None if value is None else str(value)
    for key, value in _pairs(body.get(_PROPERTIES)):
        state.properties.setdefault(key, str(value))


# Events may come from foreign senders: what is not of the documented type says nothing.


def _pairs(value: AttributeValue) -> Iterable[tuple[str, AttributeValue]]:
    return value.items() if isinstance(value, Mapping) else ()


def _items(value: AttributeValue) -> Iterable[AttributeValue]:
    return value if isinstance(value, list | tuple) else ()


def _status(body: Attributes, otherwise: RunStatus) -> RunStatus:
    status: Any = body.get(_STATUS)
    return status if isinstance(status, str) and status in _STATUSES else otherwise  # type: ignore[return-value]  # checked


def _start(state: _State, event: RunEvent) -> None:
    state.status, state.end, state.error = _status(event.body, "Running"), None, None
    if state.start is None:  # a run that is resumed began when it first began
        state.start = event.time_unix_nano


def _update(state: _State, event: RunEvent) -> None:
    status = _status(event.body, state.status)
    if status in _TERMINAL:
        _end(state, event)
    elif state.status not in _TERMINAL and not _forgets_request(state.status, status):
        state.status = status


def _forgets_request(before: RunStatus, status: RunStatus) -> bool:
    """Say whether a request to cancel would be lost: who starts the run may not have heard of it yet."""
    return before == "CancelRequested" and status != "Finalizing"


def _end(state: _State, event: RunEvent) -> None:
    if state.status in _TERMINAL:
        return
    error = event.body.get(_ERROR)
    state.error = error if isinstance(error, Mapping) else None
    status = _status(event.body, "Completed" if state.error is None else "Failed")
    state.status = status if status in _TERMINAL else "Completed"
    state.end = event.time_unix_nano


_STEPS: Final[dict[str, Callable[[_State, RunEvent], None]]] = {STARTED: _start, UPDATED: _update, ENDED: _end}


def _run(run_id: RunId, state: _State, origin: Origin) -> Run:
    facts = state.facts
    parent = facts.get("parent_id")
    name = facts.get("name", run_id)
    return Run(
        run_id=run_id,
        experiment=facts.get("experiment") or origin.experiment or DEFAULT_EXPERIMENT,
        name=name,
        display_name=facts.get("display_name", name),
        number=0,
        status=state.status,
        start_time_unix_nano=origin.first_seen_unix_nano if state.start is None else state.start,
        end_time_unix_nano=state.end,
        type=facts.get("type"),
        parent_id=RunId(parent) if parent else origin.parent_id,
        description=facts.get("description", ""),
        tags=state.tags,
        properties=state.properties,
        error=state.error,
        user=facts.get("user", ""),
        host=facts.get("host", origin.host),
        service=origin.service,
        last_seen_unix_nano=origin.last_seen_unix_nano,
    )
