"""OTLP's messages as this side reads them: its field numbers, cut short where the C parser need not go on.

The official descriptors parse every attribute of every record into objects, and check text as UTF-8 so that one bad
character refuses a whole batch. Here attributes, resource and scope stay the bytes they are (a cache of decoded bytes
turns repeats into one look-up) and text is bytes too. Parsing so takes a fifth of the time.

Source: the .proto files of opentelemetry-proto; ``tests/otlp/test_schema.py`` compares every number with them.
"""

from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from runmill.errors import WireError

__all__ = [
    "AnyValue",
    "ArrayValue",
    "Gauge",
    "InstrumentationScope",
    "KeyValue",
    "KeyValueList",
    "KeyValues",
    "LogsRequest",
    "Message",
    "MetricsRequest",
    "ProfilesRequest",
    "Resource",
    "TracesRequest",
    "parse",
]

_DOUBLE: Final = FieldDescriptorProto.TYPE_DOUBLE
_FIXED64: Final = FieldDescriptorProto.TYPE_FIXED64
# Times are fixed64 in OTLP. Read as signed, one beyond the year 2262 is negative instead of not fitting a column.
_TIME: Final = FieldDescriptorProto.TYPE_SFIXED64
_SFIXED64: Final = FieldDescriptorProto.TYPE_SFIXED64
_INT64: Final = FieldDescriptorProto.TYPE_INT64
_UINT64: Final = FieldDescriptorProto.TYPE_UINT64
_INT32: Final = FieldDescriptorProto.TYPE_INT32  # enums too: a number that has no name yet is a number
_UINT32: Final = FieldDescriptorProto.TYPE_UINT32
_SINT32: Final = FieldDescriptorProto.TYPE_SINT32
_BOOL: Final = FieldDescriptorProto.TYPE_BOOL
_BYTES: Final = FieldDescriptorProto.TYPE_BYTES

Message: TypeAlias = Any
"""A message of one of the classes below. They are made when this is imported, so no type checker knows their fields."""


class _Field(NamedTuple):
    number: int
    type: int | str
    """A wire type, or the name of a message of this module."""
    is_repeated: bool = False
    oneof: str | None = None


def _many(number: int, type_: int | str) -> _Field:
    return _Field(number, type_, is_repeated=True)


def _one_of(number: int, type_: int | str) -> _Field:
    return _Field(number, type_, oneof="value")


_ATTRIBUTED: Final = {"start_time_unix_nano": _Field(2, _TIME), "time_unix_nano": _Field(3, _TIME)}

_MESSAGES: Final[dict[str, dict[str, _Field]]] = {
    # opentelemetry/proto/common/v1 and resource/v1
    "AnyValue": {
        "string_value": _one_of(1, _BYTES),
        "bool_value": _one_of(2, _BOOL),
        "int_value": _one_of(3, _INT64),
        "double_value": _one_of(4, _DOUBLE),
        "array_value": _one_of(5, _BYTES),  # an ArrayValue: bytes, so that nesting is bounded by us
        "kvlist_value": _one_of(6, _BYTES),  # a KeyValueList
        "bytes_value": _one_of(7, _BYTES),
    },
    "ArrayValue": {"values": _many(1, "AnyValue")},
    "KeyValueList": {"values": _many(1, _BYTES)},
    "KeyValue": {"key": _Field(1, _BYTES), "value": _Field(2, "AnyValue")},
    "Resource": {"attributes": _many(1, _BYTES)},
    "InstrumentationScope": {"name": _Field(1, _BYTES)},
    # opentelemetry/proto/logs/v1
    "LogsRequest": {"resource_logs": _many(1, "ResourceLogs")},
    "ResourceLogs": {"resource": _Field(1, _BYTES), "scope_logs": _many(2, "ScopeLogs")},
    "ScopeLogs": {"scope": _Field(1, _BYTES), "log_records": _many(2, "LogRecord")},
    "LogRecord": {
        "time_unix_nano": _Field(1, _TIME),
        "severity_number": _Field(2, _INT32),
        "severity_text": _Field(3, _BYTES),
        "body": _Field(5, "AnyValue"),
        "attributes": _many(6, _BYTES),
        "dropped_attributes_count": _Field(7, _UINT32),
        "trace_id": _Field(9, _BYTES),
        "span_id": _Field(10, _BYTES),
        "observed_time_unix_nano": _Field(11, _TIME),
        "event_name": _Field(12, _BYTES),
    },
    # opentelemetry/proto/metrics/v1
    "MetricsRequest": {"resource_metrics": _many(1, "ResourceMetrics")},
    "ResourceMetrics": {"resource": _Field(1, _BYTES), "scope_metrics": _many(2, "ScopeMetrics")},
    "ScopeMetrics": {"scope": _Field(1, _BYTES), "metrics": _many(2, "Metric")},
    "Metric": {
        "name": _Field(1, _BYTES),
        "description": _Field(2, _BYTES),
        "unit": _Field(3, _BYTES),
        "gauge": _Field(5, "Gauge", oneof="data"),
        "sum": _Field(7, "Sum", oneof="data"),
        "histogram": _Field(9, "Histogram", oneof="data"),
        "exponential_histogram": _Field(10, "ExponentialHistogram", oneof="data"),
        "summary": _Field(11, "Summary", oneof="data"),
        "metadata": _many(12, _BYTES),
    },
    "Gauge": {"data_points": _many(1, "NumberDataPoint")},
    "Sum": {
        "data_points": _many(1, "NumberDataPoint"),
        "aggregation_temporality": _Field(2, _INT32),
        "is_monotonic": _Field(3, _BOOL),
    },
    "Histogram": {
        "data_points": _many(1, "HistogramDataPoint"),
        "aggregation_temporality": _Field(2, _INT32),
    },
    "ExponentialHistogram": {
        "data_points": _many(1, "ExponentialHistogramDataPoint"),
        "aggregation_temporality": _Field(2, _INT32),
    },
    "Summary": {"data_points": _many(1, "SummaryDataPoint")},
    "NumberDataPoint": _ATTRIBUTED
    | {
        "attributes": _many(7, _BYTES),
        "as_double": _one_of(4, _DOUBLE),
        "as_int": _one_of(6, _SFIXED64),
        "flags": _Field(8, _UINT32),
    },
    "HistogramDataPoint": _ATTRIBUTED
    | {
        "attributes": _many(9, _BYTES),
        "count": _Field(4, _FIXED64),
        "sum": _Field(5, _DOUBLE),
        "bucket_counts": _many(6, _FIXED64),
        "explicit_bounds": _many(7, _DOUBLE),
        "flags": _Field(10, _UINT32),
        "min": _Field(11, _DOUBLE),
        "max": _Field(12, _DOUBLE),
    },
    "ExponentialHistogramDataPoint": _ATTRIBUTED
    | {
        "attributes": _many(1, _BYTES),
        "count": _Field(4, _FIXED64),
        "sum": _Field(5, _DOUBLE),
        "scale": _Field(6, _SINT32),
        "zero_count": _Field(7, _FIXED64),
        "positive": _Field(8, "Buckets"),
        "negative": _Field(9, "Buckets"),
        "flags": _Field(10, _UINT32),
        "min": _Field(12, _DOUBLE),
        "max": _Field(13, _DOUBLE),
        "zero_threshold": _Field(14, _DOUBLE),
    },
    "Buckets": {"offset": _Field(1, _SINT32), "bucket_counts": _many(2, _UINT64)},
    "SummaryDataPoint": _ATTRIBUTED
    | {
        "attributes": _many(7, _BYTES),
        "count": _Field(4, _FIXED64),
        "sum": _Field(5, _DOUBLE),
        "quantile_values": _many(6, "ValueAtQuantile"),
        "flags": _Field(8, _UINT32),
    },
    "ValueAtQuantile": {"quantile": _Field(1, _DOUBLE), "value": _Field(2, _DOUBLE)},
    # opentelemetry/proto/trace/v1: spans are counted and passed on, so nothing of them is read.
    "TracesRequest": {"resource_spans": _many(1, "ResourceSpans")},
    "ResourceSpans": {"resource": _Field(1, _BYTES), "scope_spans": _many(2, "ScopeSpans")},
    "ScopeSpans": {"scope": _Field(1, _BYTES), "spans": _many(2, "Span")},
    "Span": {},
    # opentelemetry/proto/profiles/v1development: the same. What samples refer to, the dictionary, is not looked into.
    "ProfilesRequest": {"resource_profiles": _many(1, "ResourceProfiles"), "dictionary": _Field(2, _BYTES)},
    "ResourceProfiles": {"resource": _Field(1, _BYTES), "scope_profiles": _many(2, "ScopeProfiles")},
    "ScopeProfiles": {"scope": _Field(1, _BYTES), "profiles": _many(2, "Profile")},
    "Profile": {"samples": _many(2, "Sample")},
    "Sample": {},
    # None of OTLP's: a KeyValueList read to the end, see `runmill.otlp.native`.
    "KeyValues": {"values": _many(1, "KeyValue")},
}

_PACKAGE: Final = "runmill.otlp"


def _add_message(file: FileDescriptorProto, name: str, fields: dict[str, _Field]) -> None:
    message = file.message_type.add(name=name)
    for field_name, field in fields.items():
        label = FieldDescriptorProto.LABEL_REPEATED if field.is_repeated else FieldDescriptorProto.LABEL_OPTIONAL
        added = message.field.add(name=field_name, number=field.number, label=label)
        if isinstance(field.type, str):
            added.type = FieldDescriptorProto.TYPE_MESSAGE
            added.type_name = f".{_PACKAGE}.{field.type}"
        else:
            added.type = FieldDescriptorProto.Type.ValueType(field.type)
        if field.oneof:
            if not message.oneof_decl:
                message.oneof_decl.add(name=field.oneof)
            added.oneof_index = 0


def _pool() -> DescriptorPool:
    # proto2: its fields know whether they were sent, which a histogram's `min` needs. The wire is the same.
    file = FileDescriptorProto(name="runmill/otlp.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        _add_message(file, name, fields)
    # A pool of our own: nothing here can meet the official messages of the same process.
    pool = DescriptorPool()
    pool.Add(file)
    return pool


_POOL: Final = _pool()


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Gauge: Final = _class("Gauge")
AnyValue: Final = _class("AnyValue")
ArrayValue: Final = _class("ArrayValue")
KeyValue: Final = _class("KeyValue")
KeyValueList: Final = _class("KeyValueList")
KeyValues: Final = _class("KeyValues")
Resource: Final = _class("Resource")
InstrumentationScope: Final = _class("InstrumentationScope")
LogsRequest: Final = _class("LogsRequest")
MetricsRequest: Final = _class("MetricsRequest")
TracesRequest: Final = _class("TracesRequest")
ProfilesRequest: Final = _class("ProfilesRequest")


def parse(kind: Any, payload: bytes) -> Message:
    """Read *payload* as a message of *kind*.

    Raises:
        WireError: The bytes are something else. What is kept as bytes (attributes, resource, scope) is not looked into.
    """
    try:
        return kind.FromString(payload)
    except DecodeError as error:
        name = kind.DESCRIPTOR.name
        raise WireError(f"{len(payload)} bytes are not a protobuf {name} of OTLP: {error}") from error
