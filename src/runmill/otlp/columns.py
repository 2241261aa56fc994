"""OTLP requests to the tables of `runmill.columns`: everything a request holds, each kind where it is kept.

Whatever `runmill.otlp.count.count_records` accepted is decoded: a record is never refused for what is in it.
"""

import time
from collections.abc import Iterable, Sequence

import pyarrow as pa

from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES, Columns
from runmill.otlp import arrays, native
from runmill.otlp.log_columns import LogGroup, log_table
from runmill.otlp.metric_columns import metric_groups, point_table
from runmill.otlp.origin import Origin, origins, scope_names
from runmill.otlp.run_events import EventRows
from runmill.otlp.schema import LogsRequest, MetricsRequest, parse

__all__ = ["decode_logs", "decode_metrics"]


def decode_logs(payload: bytes, *, received_unix_nano: int | None = None) -> Columns:
    """Decode an ExportLogsServiceRequest (protobuf).

    Args:
        payload: The request's bytes.
        received_unix_nano: The time of records that have none; now, if not given.

    Raises:
        WireError: The bytes are no such request.
    """
    request = parse(LogsRequest, payload)
    groups = [
        LogGroup(origins[resource.resource], scope_names[scope.scope], scope.log_records)
        for resource in request.resource_logs
        for scope in resource.scope_logs
    ]
    scopes = native.row(LogsRequest, payload).column("resource_logs").flatten().field("scope_logs").flatten()
    rows = EventRows()
    logs = log_table(groups, scopes.field("log_records").flatten(), rows, received_unix_nano=_time(received_unix_nano))
    return Columns(
        logs=logs,
        points=_rows_table(POINTS, rows.points),
        events=_rows_table(EVENTS, rows.events),
        artifacts=_rows_table(ARTIFACTS, rows.artifacts),
        resources=_resources(group.origin for group in groups if group.records),
    )


def decode_metrics(payload: bytes, *, received_unix_nano: int | None = None) -> Columns:
    """Decode an ExportMetricsServiceRequest (protobuf); otherwise like `decode_logs`."""
    groups = [
        group
        for resource in parse(MetricsRequest, payload).resource_metrics
        for scope in resource.scope_metrics
        for group in metric_groups(origins[resource.resource], scope_names[scope.scope], scope.metrics)
    ]
    return Columns(
        logs=LOGS.empty_table(),
        points=point_table(groups, received_unix_nano=_time(received_unix_nano)),
        events=EVENTS.empty_table(),
        artifacts=ARTIFACTS.empty_table(),
        resources=_resources(group.origin for group in groups if group.points),
    )


def _time(received_unix_nano: int | None) -> int:
    return time.time_ns() if received_unix_nano is None else received_unix_nano


def _rows_table(schema: pa.Schema, rows: Sequence[object]) -> pa.Table:
    """Make a table of objects that have the schema's names."""
    if not rows:
        return schema.empty_table()
    return arrays.table(schema, {name: [getattr(row, name) for row in rows] for name in schema.names})


def _resources(origins_seen: Iterable[Origin]) -> pa.Table:
    attributes = {origin.resource_id: origin.attributes for origin in origins_seen}
    return arrays.table(RESOURCES, {"resource_id": list(attributes), "attributes": list(attributes.values())})
