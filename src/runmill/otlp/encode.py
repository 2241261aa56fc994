"""Journal records to the bytes of OTLP requests, by putting cached bytes together.

No protobuf library: an `Export*ServiceRequest` is nested length-prefixed fields, and nearly all of a log record is the
same as in the one before it. Proven equal to `opentelemetry-proto` by property tests.
Source of the field numbers: opentelemetry/proto/{common,logs,metrics,resource}/v1.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from runmill.journal.records import EVENT, LOG, POINT, Point, Record
from runmill.model import Severity
from runmill.otlp import runs, severity
from runmill.otlp.mend import mend
from runmill.otlp.wire import (
    INT64_MAX,
    INT64_MIN,
    any_value,
    double,
    field,
    fixed32,
    fixed64,
    key_value,
    key_values,
    sfixed64,
    utf8,
    varint,
)

__all__ = ["ResourceOf", "encode_logs", "encode_metrics", "encode_resource"]

ResourceOf: TypeAlias = Callable[[str | None], bytes]
"""Gives the encoded Resource for a record's run key."""

SCOPE: Final = "runmill"
"""The scope of what runmill itself says: run events and metrics."""


def encode_logs(records: Iterable[Record], resource_of: ResourceOf) -> bytes:
    """Give an ExportLogsServiceRequest of the logs and events among *records*; b"" when there are none."""
    groups: dict[str | None, dict[str, list[bytes]]] = {}
    for record in records:
        kind = record[0]
        if kind == LOG:
            scope, encoded = _scope_and_log(record)
        elif kind == EVENT:
            scope, encoded = SCOPE, _event(record)
        else:
            continue
        groups.setdefault(record[2], {}).setdefault(scope, []).append(encoded)
    return _request(groups, resource_of)


def encode_metrics(records: Iterable[Record], resource_of: ResourceOf) -> bytes:
    """Give an ExportMetricsServiceRequest of the points among *records*; b"" when there are none."""
    groups: dict[str, dict[tuple[str, str, str], list[bytes]]] = {}
    for record in records:
        if record[0] != POINT:
            continue
        point = Point._make(record)
        metric = (point.metric, point.metric_kind, point.description)
        groups.setdefault(point.run_key, {}).setdefault(metric, []).append(field(b"\x0a", _data_point(point)))
    return _request(
        {
            key: {SCOPE: [_metric(*metric, points) for metric, points in metrics.items()]}
            for key, metrics in groups.items()
        },
        resource_of,
    )


def encode_resource(attributes: Mapping[str, Any]) -> bytes:
    """Give a Resource message."""
    return key_values(b"\x0a", attributes)


def _request(groups: Mapping[Any, Mapping[str, list[bytes]]], resource_of: ResourceOf) -> bytes:
    """Nest encoded records: resource = 1 { resource = 1, scope = 2 { scope = 1, records } }, for logs and metrics."""
    request = []
    for run_key, scopes in groups.items():
        inner = [field(b"\x0a", resource_of(run_key))]
        for scope, records in scopes.items():
            inner.append(field(b"\x12", _scope(scope) + b"".join(records)))
        request.append(field(b"\x0a", b"".join(inner)))
    return b"".join(request)


def _scope_and_log(record: Record) -> tuple[str, bytes]:
    if not isinstance(record[3], str):
        record = mend(record)
    try:
        return record[3], _log(record)
    except Exception:  # noqa: BLE001 - one record with a None for a level must not hold up the journal for good
        mended = mend(record)
        return mended.logger, _log(mended)


def _log(record: Record) -> bytes:
    """Encode one Log as field 2 (log_records) of ScopeLogs."""
    (_, time, _, _, levelno, level_name, body, attributes, path, line, function, thread_id, thread_name,
     trace_id, span_id, flags, dropped_count) = record  # fmt: skip
    # A float of seconds holds microseconds today: finer digits would be noise.
    time_bytes = fixed64(time if type(time) is int else round(time * 1e6) * 1000)
    encoded = b"".join(
        (
            b"\x09",
            time_bytes,
            field(b"\x2a", any_value(body)),
            key_values(b"\x32", attributes) if attributes else b"",
            _place(levelno, level_name, path, line, function, thread_id, thread_name),
            b"\x38" + varint(dropped_count) if dropped_count else b"",
            _span(trace_id, span_id, flags) if trace_id else b"",
            b"\x59",  # the library that makes the record observes it too
            time_bytes,
        )
    )
    return b"\x12" + varint(len(encoded)) + encoded


def _event(record: Record) -> bytes:
    """Encode one Event as field 2 (log_records) of ScopeLogs."""
    _, time_ns, _, event_name, body, attributes = record
    time_bytes = fixed64(time_ns)
    encoded = b"".join(
        (
            b"\x09",
            time_bytes,
            _EVENT_SEVERITY,
            field(b"\x2a", any_value(body)),
            key_values(b"\x32", attributes) if attributes else b"",
            b"\x59",
            time_bytes,
            field(b"\x62", utf8(event_name)),
        )
    )
    return b"\x12" + varint(len(encoded)) + encoded


def _metric(name: str, kind: str, description: str, points: list[bytes]) -> bytes:
    """Encode one Metric as field 2 (metrics) of ScopeMetrics: gauge = 5, metadata = 12."""
    parts = [field(b"\x0a", utf8(name))]
    if description:
        parts.append(field(b"\x12", utf8(description)))
    parts.append(field(b"\x2a", b"".join(points)))
    parts.append(key_values(b"\x62", {runs.KIND: kind}))
    return field(b"\x12", b"".join(parts))


def _data_point(point: Point) -> bytes:
    """Encode a NumberDataPoint: time = 3, as_double = 4 or as_int = 6, attributes = 7."""
    value = point.value
    is_int = type(value) is int and INT64_MIN <= value <= INT64_MAX
    number = b"\x31" + sfixed64(value) if is_int else b"\x21" + double(value)
    encoded = b"\x19" + fixed64(point.time_unix_nano) + number
    if point.position is not None:
        encoded += key_value(b"\x3a", runs.INDEX if point.column is None else runs.ROW, point.position)
    if point.step is not None:
        encoded += key_value(b"\x3a", runs.STEP, point.step)
    if point.column is not None:
        encoded += key_value(b"\x3a", runs.COLUMN, point.column)
    return encoded


@lru_cache(maxsize=1024)
def _scope(name: str) -> bytes:
    """Field 1 (scope) of ScopeLogs and ScopeMetrics: an InstrumentationScope with a name."""
    return field(b"\x0a", field(b"\x0a", utf8(name)))


@lru_cache(maxsize=8192)
def _place(  # noqa: PLR0917
    levelno: int, level_name: str, path: str, line: int, function: str, thread_id: int, thread_name: str
) -> bytes:
    """Give all that is the same whenever one thread comes to one call: one look-up a record, not three."""
    return _severity(levelno, level_name) + _call_site(path, line, function) + _thread(thread_id, thread_name)


def _severity(levelno: int, level_name: str) -> bytes:
    """Fields 2 (severity_number) and 3 (severity_text: the source's own name of the level)."""
    return b"\x10" + varint(severity.from_levelno(levelno)) + field(b"\x1a", utf8(level_name))


def _call_site(path: str, line: int, function: str) -> bytes:
    if not path:
        return b""
    attributes = {"code.file.path": path, "code.line.number": line, "code.function.name": function}
    return key_values(b"\x32", attributes)


def _thread(thread_id: int, thread_name: str) -> bytes:
    return key_values(b"\x32", {"thread.id": thread_id, "thread.name": thread_name}) if thread_id else b""


def _span(trace_id: str, span_id: str | None, flags: int) -> bytes:
    """Fields 8 (flags), 9 (trace_id) and 10 (span_id)."""
    span = field(b"\x52", bytes.fromhex(span_id)) if span_id else b""
    return b"\x45" + fixed32(flags) + field(b"\x4a", bytes.fromhex(trace_id)) + span


_EVENT_SEVERITY: Final = b"\x10" + varint(Severity.INFO) + field(b"\x1a", b"INFO")
