"""Attributes that a handler puts on every record: what a formatter or a filter would be bent for otherwise."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from runmill.app.plain import plain
from runmill.errors import ConfigError

__all__ = ["Added", "AddedAttributes", "added_attributes"]

Added: TypeAlias = Mapping[str, object] | Callable[[logging.LogRecord], Mapping[str, object]]
"""The same for every record, or what a callable gives for each."""

AddedAttributes: TypeAlias = Callable[[logging.LogRecord], dict[str, Any]]


def added_attributes(given: Added | None) -> AddedAttributes | None:
    """Make of *given* what never raises and gives plain values; None for nothing to add. Raises ConfigError."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        fixed = _named(given)
        return lambda _record: fixed
    if callable(given):
        return lambda record: _asked(given, record)
    raise ConfigError(
        f"attributes: {given!r} is neither a mapping nor callable. Give a dict, or a function of a record."
    )


def _asked(give: Callable[[logging.LogRecord], Mapping[str, object]], record: logging.LogRecord) -> dict[str, Any]:
    try:
        return _named(give(record))
    except Exception as error:  # noqa: BLE001 - the program's own code, on its log call: the record must arrive
        return {"log.attributes_error": plain(error)}


def _named(attributes: Mapping[str, object]) -> dict[str, Any]:
    return {str(name): plain(value) for name, value in attributes.items()}
