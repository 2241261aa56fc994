"""Records as objects, for processors that need them: decode, walk, drop, encode. Everything else forwards bytes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from runmill.collector.component import Signal
from runmill.errors import WireError

__all__ = ["Element", "Request", "any_value", "decode", "drop", "find", "plain", "records", "resources"]

Request = Any
"""An Export*ServiceRequest of the official classes: one shape, three types without a common one."""

_CLASSES: Final[Mapping[Signal, Any]] = {
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
}
_FIELDS: Final[Mapping[Signal, tuple[str, str]]] = {
    "logs": ("resource_logs", "scope_logs"),
    "metrics": ("resource_metrics", "scope_metrics"),
    "traces": ("resource_spans", "scope_spans"),
}


@dataclass(frozen=True, slots=True)
class Element:
    """One log record, span or data point, with what it stands in."""

    resource: Any
    scope: Any
    record: Any
    metric: Any = None
    """Of a data point, the Metric it is a point of."""


def decode(signal: Signal, payload: bytes) -> Request:
    """Give the request that *payload* is. Raises WireError."""
    try:
        return _CLASSES[signal].FromString(payload)
    except DecodeError as error:
        raise WireError(f"{len(payload)} bytes are no OTLP {signal}: {error}") from error


def resources(signal: Signal, request: Request) -> Iterator[Any]:
    """Yield the Resource of each group."""
    for group in getattr(request, _FIELDS[signal][0]):
        yield group.resource


def records(signal: Signal, request: Request) -> Iterator[Element]:
    """Yield every log record, span or data point."""
    for resource, scope, metric, container in _containers(signal, request):
        for record in container:
            yield Element(resource, scope, record, metric)


def drop(signal: Signal, request: Request, is_dropped: Callable[[Element], bool]) -> bool:
    """Remove what *is_dropped* says, asked in order, and what is empty then; say whether anything was removed."""
    changed = False
    for resource, scope, metric, container in list(_containers(signal, request)):
        gone = [at for at, record in enumerate(container) if is_dropped(Element(resource, scope, record, metric))]
        for at in reversed(gone):
            del container[at]
        changed = changed or bool(gone)
    if changed:
        _remove_empty(signal, request)
    return changed


def _containers(signal: Signal, request: Request) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield resource, scope, metric (if it is one) and the list of records of each place that has such a list."""
    outer, inner = _FIELDS[signal]
    for group in getattr(request, outer):
        for scope in getattr(group, inner):
            for metric, container in _lists(signal, scope):
                yield group.resource, scope.scope, metric, container


def _lists(signal: Signal, scope: Any) -> Iterator[tuple[Any, Any]]:
    if signal == "logs":
        yield None, scope.log_records
    elif signal == "traces":
        yield None, scope.spans
    else:
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            if kind is not None:
                yield metric, getattr(metric, kind).data_points


def _remove_empty(signal: Signal, request: Request) -> None:
    """Take out envelopes without records. Source: OTLP specification: do not send empty envelopes."""
    outer, inner = _FIELDS[signal]
    groups = getattr(request, outer)
    for at in reversed(range(len(groups))):
        scopes = getattr(groups[at], inner)
        for position in reversed(range(len(scopes))):
            _remove_empty_metrics(signal, scopes[position])
            if not any(len(container) for _, container in _lists(signal, scopes[position])):
                del scopes[position]
        if not len(scopes):
            del groups[at]


def _remove_empty_metrics(signal: Signal, scope: Any) -> None:
    for at in reversed(range(len(scope.metrics) if signal == "metrics" else 0)):
        kind = scope.metrics[at].WhichOneof("data")
        if kind is not None and not len(getattr(scope.metrics[at], kind).data_points):
            del scope.metrics[at]


def find(attributes: Any, key: str) -> Any:
    """Give the KeyValue of *key*, or None."""
    return next((pair for pair in attributes if pair.key == key), None)


def plain(value: Any) -> Any:
    """Give the Python value of an AnyValue; None where it is unset."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return [plain(item) for item in found.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in found.values}
    return found


def any_value(value: object) -> Any:
    """Give the AnyValue of a value that YAML can hold."""
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case list():
            made.array_value.values.extend(any_value(item) for item in value)
        case dict():
            for key, item in value.items():
                made.kvlist_value.values.add(key=str(key)).value.CopyFrom(any_value(item))
        case _:
            made.string_value = str(value)
    return made
