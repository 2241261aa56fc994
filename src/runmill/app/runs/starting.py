"""Starts runs: the first event of each, with everything that is known of it then."""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from runmill import model
from runmill.app.identity import find_rank, new_run_id
from runmill.app.runs.recorder import Recorder, Writes
from runmill.journal.records import RunIdentity, run_key
from runmill.otlp import runs

__all__ = ["NewRun", "start_run"]


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is to be."""

    experiment: str
    run_id: str | None = None
    name: str | None = None
    display_name: str | None = None
    description: str = ""
    status: model.RunStatus = "Running"
    type: str | None = None
    parent_id: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


def start_run(outlet: Writes, new: NewRun) -> model.Run:
    """Write the start of a run and give its state. Raises InvalidArgument for an id that cannot be one."""
    run_id = new_run_id(new.run_id)
    recorder = Recorder(outlet, run_key(RunIdentity(run_id, new.experiment, new.parent_id, find_rank())))
    name = new.name or f"run_{run_id}"
    facts: dict[str, Any] = {
        "status": new.status,
        "experiment": new.experiment,
        "name": name,
        "display_name": new.display_name or new.name or run_id,
        "description": new.description,
        "type": new.type,
        "parent_id": new.parent_id,
        "user": _user(),
        "host": socket.gethostname(),
        "tags": dict(new.tags),
        "properties": dict(new.properties),
    }
    # Absent is not the same as null or empty: an event carries only what it says.
    said = {key: fact for key, fact in facts.items() if fact not in (None, "", {})}
    started = recorder.event(runs.STARTED, said)
    return model.Run(
        run_id=model.RunId(run_id), number=0, start_time_unix_nano=started, end_time_unix_nano=None, **facts
    )


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
