"""Which bodies of events are taken: what each key of each event must be."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final, get_args

from runmill.model import AttributeValue, RunStatus

__all__ = [
    "ARTIFACT_CHECKS",
    "EXPERIMENT_CHECKS",
    "EXPERIMENT_NEEDS",
    "LIFECYCLE_CHECKS",
    "MODEL_CHECKS",
    "MODEL_NEEDS",
    "Check",
    "is_int_or_none",
]

Check = Callable[[AttributeValue], bool]

_STATUSES: Final = frozenset(get_args(RunStatus))
_SHA256_DIGITS: Final = 64


def _is_text(value: AttributeValue) -> bool:
    return isinstance(value, str)


def is_int_or_none(value: AttributeValue) -> bool:
    """Say whether it is an integer, or nothing; a bool is neither."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _is_status(value: AttributeValue) -> bool:
    return isinstance(value, str) and value in _STATUSES


def _is_map(value: AttributeValue) -> bool:
    return isinstance(value, Mapping)


def _is_texts(value: AttributeValue) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_tags(value: AttributeValue) -> bool:
    return isinstance(value, Mapping) and all(item is None or isinstance(item, str) for item in value.values())


def _is_properties(value: AttributeValue) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value.values()))


def _is_path(value: AttributeValue) -> bool:
    """A name that stays below the folder it is put in."""
    if not isinstance(value, str) or not value or "\0" in value:
        return False
    path = PurePosixPath(value)
    return not path.is_absolute() and ".." not in path.parts


def _is_size(value: AttributeValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_sha256(value: AttributeValue) -> bool:
    return isinstance(value, str) and len(value) == _SHA256_DIGITS and set(value) <= set("0123456789abcdef")


def _is_name(value: AttributeValue) -> bool:
    return isinstance(value, str) and value != ""


def _is_bool(value: AttributeValue) -> bool:
    return isinstance(value, bool)


def _are_files(value: AttributeValue) -> bool:
    return isinstance(value, list) and all(
        isinstance(file, Mapping) and all(check(file.get(key)) for key, check in ARTIFACT_CHECKS.items())
        for file in value
    )


def _is_logged_model(value: AttributeValue) -> bool:
    if not isinstance(value, Mapping) or not _is_name(value.get("model_id")):
        return False
    return all(check(value[key]) for key, check in _LOGGED_MODEL_CHECKS.items() if key in value)


def _are_metrics(value: AttributeValue) -> bool:
    return isinstance(value, list) and all(
        isinstance(metric, Mapping) and all(check(metric.get(key)) for key, check in _METRIC_CHECKS.items())
        for metric in value
    )


def _is_number(value: AttributeValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


LIFECYCLE_CHECKS: Final[Mapping[str, Check]] = {
    "status": _is_status,
    **dict.fromkeys(
        ("experiment", "name", "display_name", "description", "type", "parent_id", "user", "host"), _is_text
    ),
    "tags": _is_tags,
    "removed_tags": _is_texts,
    "properties": _is_properties,
    "error": _is_map,
    "logged_model": _is_logged_model,
}

ARTIFACT_CHECKS: Final[Mapping[str, Check]] = {
    "path": _is_path,
    "size_bytes": _is_size,
    "media_type": _is_text,
    "sha256": _is_sha256,
}

MODEL_NEEDS: Final[Mapping[str, Check]] = {"name": _is_name, "path": _is_path, "files": _are_files}
MODEL_CHECKS: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("description", "framework", "framework_version"), _is_text),
    "tags": _is_tags,
    "properties": _is_properties,
}

EXPERIMENT_NEEDS: Final[Mapping[str, Check]] = {"experiment": _is_name}
EXPERIMENT_CHECKS: Final[Mapping[str, Check]] = {
    "tags": _is_tags,
    "removed_tags": _is_texts,
    "archived": _is_bool,
}

_LOGGED_MODEL_CHECKS: Final[Mapping[str, Check]] = {
    **dict.fromkeys(("name", "model_type", "status"), _is_text),
    "path": _is_path,
    "params": _is_properties,
    "tags": _is_properties,
    "removed_tags": _is_texts,
    "metrics": _are_metrics,
}
_METRIC_CHECKS: Final[Mapping[str, Check]] = {
    "key": _is_name,
    "value": _is_number,
    "timestamp": _is_size,
    "step": is_int_or_none,
}
