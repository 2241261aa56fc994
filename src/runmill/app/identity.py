"""Who a run is: which names and ids are allowed, this process's rank, and what a launcher said in the environment."""

import os
import re
import uuid
from collections.abc import Mapping
from typing import Final

from runmill.errors import InvalidArgument
from runmill.journal.records import RunIdentity
from runmill.otlp.runs import as_run_id

__all__ = [
    "EXPERIMENT_VARIABLE",
    "PARENT_VARIABLE",
    "RUN_ID_VARIABLE",
    "check_experiment_name",
    "find_rank",
    "identity_from_environment",
    "new_run_id",
]

RUN_ID_VARIABLE: Final = "RUNMILL_RUN_ID"
EXPERIMENT_VARIABLE: Final = "RUNMILL_EXPERIMENT"
PARENT_VARIABLE: Final = "RUNMILL_PARENT_RUN_ID"

# The first one set counts. LOCAL_RANK is last: on several hosts it repeats.
_RANK_VARIABLES: Final = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "LOCAL_RANK")

_EXPERIMENT_NAME: Final = re.compile(r"[A-Za-z0-9][\w-]{0,254}")
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,255}")


def check_experiment_name(name: object) -> str:
    """Give *name* back when it may name an experiment. Raises InvalidArgument that says what is allowed."""
    if isinstance(name, str) and _EXPERIMENT_NAME.fullmatch(name):
        return name
    raise InvalidArgument(
        f"experiment name {name!r}: it must start with an ASCII letter or digit and hold only letters, digits, "
        "'_' and '-', 1 to 255 of them (no blanks, no dots)."
    )


def new_run_id(run_id: object = None) -> str:
    """Give *run_id* when it may be one, or a new one when it is None. Raises InvalidArgument."""
    if run_id is None:
        return str(uuid.uuid4())
    if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id):
        return run_id
    raise InvalidArgument(
        f"run_id {run_id!r}: it must start with a letter or digit and hold only letters, digits, '_', '-' and '.', "
        "1 to 256 of them."
    )


def find_rank(environment: Mapping[str, str] = os.environ) -> int | None:
    """Give this process's rank as torchrun, Slurm or MPI set it; None when there is none."""
    for variable in _RANK_VARIABLES:
        value = environment.get(variable, "")
        if value.isascii() and value.isdigit():
            return int(value)
    return None


def identity_from_environment(environment: Mapping[str, str] = os.environ) -> RunIdentity | None:
    """Give the run that a launcher started this process for, or None when it was started by hand."""
    run_id = environment.get(RUN_ID_VARIABLE)
    if not run_id:
        return None
    return RunIdentity(
        run_id=as_run_id(run_id),
        experiment=environment.get(EXPERIMENT_VARIABLE) or "default",
        parent_id=as_run_id(environment.get(PARENT_VARIABLE, "")) or None,
        rank=find_rank(environment),
    )
