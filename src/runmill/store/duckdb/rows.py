"""Arrow tables to model values, column by column."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, Final, TypeVar

import pyarrow as pa

from runmill.model import Artifact, AttributeValue, LogRecord, MetricPoint, RunEvent
from runmill.store.values import decode, decode_attributes

__all__ = [
    "ARTIFACT_COLUMNS", "EVENT_COLUMNS", "LOG_COLUMNS", "POINT_COLUMNS",
    "artifacts", "events", "log_records", "metric_points", "value_of",
]  # fmt: skip

T = TypeVar("T")

LOG_COLUMNS: Final = (
    "ingest_seq, time_unix_nano, observed_time_unix_nano, severity_number, severity_text, logger, body, body_is_json, "
    "attributes, event_name, trace_id, span_id, run_id, service, stream, rank, resource_id, "
    "dropped_attributes_count"
)
POINT_COLUMNS: Final = (
    'metric, kind, "column", "index", step, time_unix_nano, "value", value_int, value_json, attributes, rank'
)
EVENT_COLUMNS: Final = "run_id, time_unix_nano, name, body, rank"
ARTIFACT_COLUMNS: Final = "run_id, path, size_bytes, media_type, sha256, time_unix_nano"


def log_records(table: pa.Table) -> list[LogRecord]:
    """Give the records of a table that has LOG_COLUMNS."""
    bodies = zip(_list(table, "body"), _list(table, "body_is_json"), strict=True)
    names = ("time_unix_nano", "observed_time_unix_nano", "severity_number", "severity_text", "logger", "event_name",
             "trace_id", "span_id", "run_id", "service", "stream", "rank", "resource_id",
             "dropped_attributes_count")  # fmt: skip
    return _build(
        LogRecord,
        table.num_rows,
        cursor=_list(table, "ingest_seq"),
        body=(decode(body) if is_json else body for body, is_json in bodies),
        attributes=map(decode_attributes, _list(table, "attributes")),
        **{name: _list(table, name) for name in names},
    )


def metric_points(table: pa.Table) -> list[MetricPoint]:
    """Give the points of a table that has POINT_COLUMNS; equal attributes are one mapping."""
    return _build(
        MetricPoint,
        table.num_rows,
        value=_values(table),
        attributes=_decoded(table, "attributes", decode_attributes),
        **{
            name: _list(table, name) for name in ("metric", "kind", "column", "index", "step", "time_unix_nano", "rank")
        },
    )


def events(table: pa.Table) -> list[RunEvent]:
    """Give the events of a table that has EVENT_COLUMNS."""
    return [RunEvent(**{**row, "body": decode_attributes(row["body"])}) for row in _rows(table, EVENT_COLUMNS)]


def artifacts(table: pa.Table) -> list[Artifact]:
    """Give the files of a table that has ARTIFACT_COLUMNS."""
    return [Artifact(**row) for row in _rows(table, ARTIFACT_COLUMNS)]


def value_of(value: float | None, value_int: int | None, value_json: str | None) -> Any:
    """Give a point's value as it was logged."""
    if value_int is not None:
        return value_int
    return decode(value_json) if value_json is not None else value


def _values(table: pa.Table) -> Iterable[AttributeValue]:
    numbers = _list(table, "value")
    if table["value_int"].null_count == table["value_json"].null_count == table.num_rows:
        return numbers  # all are doubles, as nearly always
    return map(value_of, numbers, _list(table, "value_int"), _list(table, "value_json"))


def _rows(table: pa.Table, columns: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.select(columns.split(", ")).to_pylist()
    return rows


def _list(table: pa.Table, name: str) -> Sequence[Any]:
    column = table[name]
    return [None] * table.num_rows if column.null_count == table.num_rows else column.to_pylist()


def _decoded(table: pa.Table, name: str, decoder: Callable[[str], T]) -> Iterable[T]:
    """Decode each different text once."""
    texts = table[name].to_pylist()
    decoded = {text: decoder(text) for text in set(texts)}
    return map(decoded.__getitem__, texts)


def _build(cls: type[T], length: int, **columns: Iterable[Any]) -> list[T]:
    """Make *length* instances of a frozen slots dataclass by filling one slot of all of them after the other.

    0.45 us a MetricPoint; its constructor, which has to get round its own freezing, takes 1.13.
    """
    made = list(map(object.__new__, repeat(cls, length)))
    for name, column in columns.items():
        deque(map(getattr(cls, name).__set__, made, column), maxlen=0)
    return made
