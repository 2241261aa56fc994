"""A run's facts under the names that Azure ML v1 gave them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from runmill.app.runs.client import Client
from runmill.model import Run

__all__ = ["RUN_DEFINITION", "details_of", "iso_time"]

RUN_DEFINITION: Final = "runmill.run_definition"
"""The property that says what was submitted, as JSON under the keys of Azure ML v1."""


def details_of(run: Run, log_names: Iterable[str], client: Client) -> dict[str, Any]:
    """Give what ``get_details`` returns; an end time and an error are there when the run has them."""
    details: dict[str, Any] = {
        "runId": run.run_id,
        "target": "local",
        "status": run.status,
        "startTimeUtc": iso_time(run.start_time_unix_nano),
        "endTimeUtc": None if run.end_time_unix_nano is None else iso_time(run.end_time_unix_nano),
        "properties": dict(run.properties),
        "inputDatasets": [],
        "outputDatasets": [],
        "logFiles": {name: client.file_address(run.run_id, name) for name in log_names},
        "submittedBy": run.user,
        "runDefinition": _definition(run),
        "error": {"error": dict(run.error)} if run.error else None,
    }
    return {name: fact for name, fact in details.items() if fact is not None}


def _definition(run: Run) -> dict[str, Any] | None:
    """Give what was submitted, of a run whose submitter said it."""
    try:
        definition = json.loads(run.properties.get(RUN_DEFINITION, "null"))
    except ValueError:  # anybody may set a property
        return None
    return definition if isinstance(definition, dict) else None


def iso_time(time_unix_nano: int) -> str:
    """Write a time in ISO 8601, to the microsecond."""
    return (
        datetime.fromtimestamp(time_unix_nano // 1000 / 1e6, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )
