"""MLflow's words for what a run is, and ours: statuses, the tags that are facts here, parameters."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from runmill.errors import InvalidArgument
from runmill.model import Run, RunStatus

__all__ = [
    "ENDED",
    "EXPERIMENT_OF_NONE",
    "RUN_TYPE",
    "changed_by_params",
    "changed_by_tags",
    "removed_by_tag",
    "status_of",
    "tags_of",
]

RUN_TYPE: Final = "mlflow"
"""The `type` of runs that an MLflow client began: it alone ends those, and no others."""

EXPERIMENT_OF_NONE: Final = "default"
"""Where runs go that name no experiment: the one that MLflow knows as number 0."""

ENDED: Final[Mapping[str, RunStatus]] = {"FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled"}

_STATUSES: Final[Mapping[RunStatus, str]] = {
    **dict.fromkeys(("NotStarted", "Queued", "Preparing", "Provisioning"), "SCHEDULED"),
    **{ours: theirs for theirs, ours in ENDED.items()},
}

_FACTS: Final = {
    "mlflow.runName": "display_name",
    "mlflow.note.content": "description",
    "mlflow.parentRunId": "parent_id",
    "mlflow.user": "user",
}
"""Tags that are facts of a run here; a fact that is empty is no tag."""

_OF_ITS_ORIGIN: Final = "mlflow.source."
"""Where a run came from never changes: these tags are properties, as a native run's git facts are."""


def status_of(run: Run) -> str:
    """Give MLflow's word; what is neither waiting nor over is RUNNING, a run that is NotResponding too."""
    return _STATUSES.get(run.status, "RUNNING")


def tags_of(run: Run) -> dict[str, str]:
    """Give a run's tags with the facts that are tags there; a tag without a value has an empty one."""
    origin = {key: value for key, value in run.properties.items() if key.startswith(_OF_ITS_ORIGIN)}
    facts = {tag: value for tag, fact in _FACTS.items() if (value := getattr(run, fact))}
    return {**origin, **{key: value or "" for key, value in run.tags.items()}, **facts}


def changed_by_tags(tags: Iterable[tuple[str, str]], *, is_new: bool = False) -> dict[str, Any]:
    """Give what setting *tags* changes of a run, as the body of a run event."""
    changed: dict[str, Any] = {}
    for key, value in tags:
        if not key:
            raise InvalidArgument("tag '': a tag needs a name.")
        if key in _FACTS:
            changed[_FACTS[key]] = value
        else:
            kind = "properties" if is_new and key.startswith(_OF_ITS_ORIGIN) else "tags"
            changed.setdefault(kind, {})[key] = value
    return changed


def removed_by_tag(run: Run, key: str) -> dict[str, Any] | None:
    """Give what taking the tag *key* away changes of *run*; None where it cannot be taken away."""
    if key in run.tags:
        return {"removed_tags": [key]}
    fact = _FACTS.get(key)
    return {fact: ""} if fact == "description" and run.description else None


def changed_by_params(run: Run, params: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Give what logging *params* changes of *run*. Raises InvalidArgument for one that has another value already."""
    new: dict[str, str] = {}
    for key, value in params:
        if not key:
            raise InvalidArgument("param '': a parameter needs a name.")
        known = {**run.properties, **new}.get(key, value)
        if known != value:
            raise InvalidArgument(
                f"param {key!r} of run {run.run_id} is {known!r} and cannot become {value!r}: parameters never change. "
                "Use a tag for what does."
            )
        if key not in run.properties:
            new[key] = value
    return {"properties": new} if new else {}
