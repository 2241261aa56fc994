"""Columns for tests: rows with every value given or a plain default."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.store.interface import Delivery

SECOND = 10**9
NOW = 1_700_000_000 * SECOND

_LOG = {
    "time_unix_nano": NOW, "observed_time_unix_nano": NOW, "severity_number": 9, "severity_text": "INFO",
    "logger": "train", "body": "hello", "body_is_json": False, "attributes": "{}", "event_name": "",
    "trace_id": None, "span_id": None, "dropped_attributes_count": 0, "run_id": None, "service": "app",
    "stream": None, "rank": None, "resource_id": "resource-1",
}  # fmt: skip
_POINT = {
    "run_id": "run-000001", "metric": "loss", "kind": "scalar", "column": None, "index": None, "step": None,
    "time_unix_nano": NOW, "start_time_unix_nano": None, "value": None, "value_int": None, "value_json": None,
    "attributes": "{}", "unit": "", "description": "", "temporality": None, "is_monotonic": None, "scope": "",
    "service": "app", "rank": None, "resource_id": "resource-1",
}  # fmt: skip
_EVENT = {
    "run_id": "run-000001",
    "time_unix_nano": NOW,
    "name": "run.updated",
    "rank": None,
    "resource_id": "resource-1",
}
_ARTIFACT = {
    "run_id": "run-000001", "path": "model.pkl", "size_bytes": 3, "media_type": "application/octet-stream",
    "sha256": "a" * 64, "time_unix_nano": NOW,
}  # fmt: skip

Row = dict[str, Any]


def log(**values: Any) -> Row:
    return {**_LOG, **values}


def point(value: Any = None, **values: Any) -> Row:
    """A point whose value lands in the columns where its type belongs."""
    columns: Row = {"value_json": orjson.dumps(value).decode()}
    if isinstance(value, int) and not isinstance(value, bool):
        columns = {"value": float(value), "value_int": value}
    elif isinstance(value, float):
        columns = {"value": value}
    return {**_POINT, **columns, **values}


def event(name: str = "run.updated", body: Row | None = None, **values: Any) -> Row:
    return {**_EVENT, "name": name, "body": orjson.dumps(body or {}).decode(), **values}


def artifact(**values: Any) -> Row:
    return {**_ARTIFACT, **values}


def resource(resource_id: str = "resource-1", **attributes: Any) -> Row:
    plain = {key.replace("__", "."): value for key, value in attributes.items()}
    return {"resource_id": resource_id, "attributes": orjson.dumps(plain).decode()}


def columns(
    *,
    logs: Sequence[Row] = (),
    points: Sequence[Row] = (),
    events: Sequence[Row] = (),
    artifacts: Sequence[Row] = (),
    resources: Sequence[Row] = (),
) -> Columns:
    return Columns(
        logs=pa.Table.from_pylist(list(logs), schema=LOGS),
        points=pa.Table.from_pylist(list(points), schema=POINTS),
        events=pa.Table.from_pylist(list(events), schema=EVENTS),
        artifacts=pa.Table.from_pylist(list(artifacts), schema=ARTIFACTS),
        resources=pa.Table.from_pylist(list(resources), schema=RESOURCES),
    )


def delivery(producer_id: str | None = None, sequence: int | None = None, **rows: Sequence[Row]) -> Delivery:
    return Delivery(columns(**rows), producer_id, sequence)
