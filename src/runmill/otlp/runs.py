"""How a run rides on OTLP: every attribute and event name, in one place.

Documented for users in ``docs/conventions.md``.
"""

import re
from typing import Final, Literal

__all__ = [
    "ARTIFACT",
    "COLUMN",
    "ENDED",
    "EXPERIMENT",
    "EXPERIMENT_UPDATED",
    "HEARTBEAT",
    "INDEX",
    "KIND",
    "LIFECYCLE",
    "METRIC",
    "METRIC_DESCRIPTION",
    "METRIC_NAME",
    "MODEL",
    "PARENT_ID",
    "PRODUCER_HEADER",
    "RANK",
    "ROW",
    "RUN_ID",
    "SEQUENCE_HEADER",
    "STARTED",
    "STEP",
    "UPDATED",
    "LifecycleName",
    "as_run_id",
]

# Resource attributes: whose record it is.
RUN_ID: Final = "run.id"
EXPERIMENT: Final = "run.experiment"
PARENT_ID: Final = "run.parent_id"
RANK: Final = "run.rank"

# Metric metadata (protobuf field Metric.metadata) and data point attributes.
KIND: Final = "run.metric.kind"
STEP: Final = "run.step"
INDEX: Final = "run.index"
COLUMN: Final = "run.column"
ROW: Final = "run.row"

# Log records with an event_name. Of METRIC: attributes METRIC_NAME, KIND, INDEX or ROW, STEP, METRIC_DESCRIPTION;
# body = the value, a kvlist column -> cell for a row, a kvlist document for the JSON kinds, a kvlist with the path of
# its artifact for an image. A list or table that was logged empty is an event too: [] for a list, {} for a table
# without columns, and a cell of [] for each column without rows.
METRIC: Final = "run.metric"
METRIC_NAME: Final = "run.metric.name"
METRIC_DESCRIPTION: Final = "run.metric.description"

# Body = kvlist with path, size_bytes, media_type, sha256.
ARTIFACT: Final = "run.artifact"

# Body = kvlist with name, path, files (array of kvlists as ARTIFACT has) and, if known, description, framework,
# framework_version, tags, properties. Each is the next version of its name, in the order of their commits.
MODEL: Final = "run.model"

# Of an experiment, so its record carries no run.id: body = kvlist of experiment and what changed: tags (as above),
# removed_tags, archived (bool).
EXPERIMENT_UPDATED: Final = "experiment.updated"

# Lifecycle: body = kvlist of what changed. Keys: status, experiment, name, display_name, description, type, parent_id,
# user, host, tags (kvlist; null: a tag without a value), removed_tags (array), properties (kvlist), error (kvlist),
# logged_model (kvlist).
# Their record carries run.id on the resource like any other.
LifecycleName = Literal["run.started", "run.updated", "run.ended", "run.heartbeat"]
STARTED: Final = "run.started"
UPDATED: Final = "run.updated"
ENDED: Final = "run.ended"
HEARTBEAT: Final = "run.heartbeat"
LIFECYCLE: Final = frozenset({STARTED, UPDATED, ENDED, HEARTBEAT})

# HTTP headers (gRPC metadata in lower case) by which the store recognises a batch that is sent again.
PRODUCER_HEADER: Final = "Runmill-Producer"
SEQUENCE_HEADER: Final = "Runmill-Sequence"

_NOT_IN_AN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f/\\?#%]|^\.{1,2}$")


def as_run_id(text: str) -> str:
    """Give the id under which a run is kept whose sender calls it *text*: one that can stand in an address.

    What cannot (slashes, blanks, control characters, ``?#%``) becomes ``_``. Ids that runmill makes are never changed.
    """
    return _NOT_IN_AN_ADDRESS.sub("_", text)
