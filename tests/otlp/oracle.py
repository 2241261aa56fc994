"""What a request means, found by walking the official classes one value at a time: slow, and easy to believe."""

import base64
import json
import math
from typing import Any

import pyarrow as pa

RECEIVED = 1_800_000_000_000_000_000
INT64_MAX = 2**63 - 1


def spelled(value: Any) -> Any:
    """Give an official AnyValue as the value its JSON text is read as."""
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "double_value":
            return number(value.double_value)
        case "bytes_value":
            return {"$bytes": base64.b64encode(value.bytes_value).decode()}
        case "array_value":
            return [spelled(item) for item in value.array_value.values]
        case "kvlist_value":
            members = spelled_members(value.kvlist_value.values)
            return {"$map": members} if list(members) in (["$bytes"], ["$double"], ["$map"]) else members
        case _:
            return getattr(value, kind)


def spelled_members(pairs: Any) -> dict[str, Any]:
    return {pair.key: spelled(pair.value) for pair in pairs}


def number(value: float) -> Any:
    """Give a double as its JSON text is read."""
    if math.isfinite(value):
        return value
    return {"$double": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def rows(table: pa.Table, *json_columns: str) -> list[str]:
    """Give a table's rows as texts that tell 1 from 1.0 and take NaN for NaN, their JSON columns read."""
    found = table.to_pylist()
    for row in found:
        for name in json_columns:
            row[name] = None if row[name] is None else json.loads(row[name])
    return [repr(row) for row in found]


def time(*candidates: int) -> int:
    return next((each for each in candidates if 0 < each <= INT64_MAX), RECEIVED)


def origin(resource: Any) -> dict[str, Any]:
    attributes = {pair.key: pair.value for pair in resource.attributes}
    run_id, service, rank = (attributes.get(key) for key in ("run.id", "service.name", "run.rank"))
    return {
        "run_id": (run_id.string_value or None) if run_id is not None else None,
        "service": service.string_value if service is not None else "",
        "rank": _rank(rank),
    }


def _rank(value: Any) -> int | None:
    if value is None or value.WhichOneof("value") not in ("int_value", "string_value"):
        return None
    if value.WhichOneof("value") == "int_value":
        return value.int_value if 0 <= value.int_value < 2**31 else None
    text = value.string_value
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else None


def log_rows(request: Any) -> list[dict[str, Any]]:
    return [
        log_row(record, scope.scope.name, origin(resource.resource))
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def log_row(record: Any, logger: str, whose: dict[str, Any]) -> dict[str, Any]:
    attributes = spelled_members(record.attributes)
    is_text = record.body.WhichOneof("value") == "string_value"
    stream = attributes.get("log.iostream")
    return {
        "time_unix_nano": time(record.time_unix_nano, record.observed_time_unix_nano),
        "observed_time_unix_nano": time(record.observed_time_unix_nano),
        "severity_number": record.severity_number if 0 <= record.severity_number <= 24 else 0,
        "severity_text": record.severity_text,
        "logger": logger,
        "body": record.body.string_value if is_text else spelled(record.body),
        "body_is_json": not is_text,
        "attributes": attributes,
        "event_name": record.event_name,
        "trace_id": record.trace_id.hex() if len(record.trace_id) == 16 and any(record.trace_id) else None,
        "span_id": record.span_id.hex() if len(record.span_id) == 8 and any(record.span_id) else None,
        "dropped_attributes_count": record.dropped_attributes_count,
        "run_id": whose["run_id"],
        "service": whose["service"],
        "stream": stream if stream in ("stdout", "stderr") else None,
        "rank": whose["rank"],
    }


def point_rows(request: Any) -> list[dict[str, Any]]:
    return [
        point_row(point, metric, scope.scope.name, origin(resource.resource))
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.WhichOneof("data")
        for point in getattr(metric, metric.WhichOneof("data")).data_points
    ]


def point_row(point: Any, metric: Any, scope: str, whose: dict[str, Any]) -> dict[str, Any]:
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    pairs = {pair.key: pair.value for pair in point.attributes}
    step = lifted(pairs, "run.step", "int_value")
    index = lifted(pairs, "run.row" if "run.row" in pairs else "run.index", "int_value")
    column = lifted(pairs, "run.column", "string_value")
    value, value_int, document = point_value(point, kind)
    said = [pair.value.string_value for pair in metric.metadata]
    return {
        "run_id": whose["run_id"],
        "metric": metric.name,
        "kind": said[0] if kind == "gauge" and said and said[0] in ("scalar", "list", "row", "table") else kind,
        "column": column,
        "index": index,
        "step": step,
        "time_unix_nano": time(point.time_unix_nano),
        "start_time_unix_nano": point.start_time_unix_nano if 0 < point.start_time_unix_nano <= INT64_MAX else None,
        "value": value,
        "value_int": value_int,
        "value_json": document,
        "attributes": {key: spelled(value) for key, value in pairs.items()},
        "unit": metric.unit,
        "description": metric.description,
        "temporality": {1: "delta", 2: "cumulative"}.get(getattr(data, "aggregation_temporality", 0)),
        "is_monotonic": data.is_monotonic if kind == "sum" else None,
        "scope": scope,
        "service": whose["service"],
        "rank": whose["rank"],
    }


def lifted(pairs: dict[str, Any], key: str, kind: str) -> Any:
    if key in pairs and pairs[key].WhichOneof("value") == kind:
        return getattr(pairs.pop(key), kind)
    return None


def point_value(point: Any, kind: str) -> tuple[Any, Any, Any]:
    """Give value, value_int and value_json; a document that is null reads as None."""
    if point.flags & 1:
        return None, None, None
    if kind in ("gauge", "sum"):
        match point.WhichOneof("value"):
            case "as_int":
                return float(point.as_int), point.as_int, None
            case "as_double":
                return point.as_double, None, None
        return None, None, None
    return None, None, DOCUMENTS[kind](point)


def histogram(point: Any) -> dict[str, Any]:
    return statistics(point) | {
        "bucket_counts": list(point.bucket_counts),
        "explicit_bounds": [number(bound) for bound in point.explicit_bounds],
    }


def statistics(point: Any) -> dict[str, Any]:
    sent = {key: number(getattr(point, key)) for key in ("sum", "min", "max") if point.HasField(key)}
    return {"count": point.count} | sent


def exponential_histogram(point: Any) -> dict[str, Any]:
    return statistics(point) | {
        "scale": point.scale,
        "zero_count": point.zero_count,
        "zero_threshold": number(point.zero_threshold),
        "positive": buckets(point.positive),
        "negative": buckets(point.negative),
    }


def buckets(side: Any) -> dict[str, Any]:
    return {"offset": side.offset, "bucket_counts": list(side.bucket_counts)}


def summary(point: Any) -> dict[str, Any]:
    return {
        "count": point.count,
        "sum": number(point.sum),
        "quantile_values": [
            {"quantile": number(each.quantile), "value": number(each.value)} for each in point.quantile_values
        ],
    }


DOCUMENTS = {"histogram": histogram, "exponential_histogram": exponential_histogram, "summary": summary}
