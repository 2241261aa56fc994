"""The shape of data between the wire and the store: Arrow tables, never one object a record.

``otlp.columns`` makes them from OTLP bytes, the store's engines append them as they are.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

__all__ = ["ARTIFACTS", "EVENTS", "LOGS", "POINTS", "RESOURCES", "Columns"]

_TEXT: Final = pa.string()

LOGS: Final = pa.schema(
    [
        pa.field("time_unix_nano", pa.int64(), nullable=False),
        pa.field("observed_time_unix_nano", pa.int64(), nullable=False),
        pa.field("severity_number", pa.uint8(), nullable=False),
        pa.field("severity_text", _TEXT, nullable=False),
        pa.field("logger", _TEXT, nullable=False),
        # Text as it was sent; any other AnyValue as the JSON of `runmill.otlp.values`.
        pa.field("body", _TEXT, nullable=False),
        pa.field("body_is_json", pa.bool_(), nullable=False),
        pa.field("attributes", _TEXT, nullable=False),  # a JSON object, '{}' when there are none
        pa.field("event_name", _TEXT, nullable=False),
        pa.field("trace_id", _TEXT),  # lower-case hex
        pa.field("span_id", _TEXT),
        pa.field("dropped_attributes_count", pa.uint32(), nullable=False),
        pa.field("run_id", _TEXT),
        pa.field("service", _TEXT, nullable=False),
        pa.field("stream", _TEXT),  # attribute log.iostream
        pa.field("rank", pa.int32()),
        pa.field("resource_id", _TEXT, nullable=False),
    ]
)

POINTS: Final = pa.schema(
    [
        pa.field("run_id", _TEXT),
        pa.field("metric", _TEXT, nullable=False),
        pa.field("kind", _TEXT, nullable=False),  # a runmill.model.MetricKind
        pa.field("column", _TEXT),
        pa.field("index", pa.int64()),  # run.index, or run.row for rows and tables
        pa.field("step", pa.int64()),
        pa.field("time_unix_nano", pa.int64(), nullable=False),
        pa.field("start_time_unix_nano", pa.int64()),
        # A number: value, and value_int as well when it was an integer. Anything else (text, bool, null, a
        # histogram, a JSON document): value null, value_json its JSON.
        pa.field("value", pa.float64()),
        pa.field("value_int", pa.int64()),
        pa.field("value_json", _TEXT),
        pa.field("attributes", _TEXT, nullable=False),  # without the run.* ones that are columns here
        pa.field("unit", _TEXT, nullable=False),
        pa.field("description", _TEXT, nullable=False),
        pa.field("temporality", _TEXT),  # "delta", "cumulative"; null where the kind has none
        pa.field("is_monotonic", pa.bool_()),
        pa.field("scope", _TEXT, nullable=False),
        pa.field("service", _TEXT, nullable=False),
        pa.field("rank", pa.int32()),
        pa.field("resource_id", _TEXT, nullable=False),
    ]
)

EVENTS: Final = pa.schema(
    [
        pa.field("run_id", _TEXT),  # null for what happened to an experiment
        pa.field("time_unix_nano", pa.int64(), nullable=False),
        pa.field("name", _TEXT, nullable=False),  # runmill.otlp.runs: one of LIFECYCLE, MODEL or EXPERIMENT_UPDATED
        pa.field("body", _TEXT, nullable=False),  # a JSON object
        pa.field("rank", pa.int32()),
        pa.field("resource_id", _TEXT, nullable=False),
    ]
)

ARTIFACTS: Final = pa.schema(
    [
        pa.field("run_id", _TEXT, nullable=False),
        pa.field("path", _TEXT, nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("media_type", _TEXT, nullable=False),
        pa.field("sha256", _TEXT, nullable=False),
        pa.field("time_unix_nano", pa.int64(), nullable=False),
    ]
)

RESOURCES: Final = pa.schema(
    [
        pa.field("resource_id", _TEXT, nullable=False),
        pa.field("attributes", _TEXT, nullable=False),  # a JSON object
    ]
)


@dataclass(frozen=True, slots=True)
class Columns:
    """What one OTLP request holds, as one table a kind; a table is empty where the request had none of it."""

    logs: pa.Table
    points: pa.Table
    events: pa.Table
    artifacts: pa.Table
    resources: pa.Table
