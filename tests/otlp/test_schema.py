"""The short schema has the official field numbers, names and types."""

import pytest
from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import ExportProfilesServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from runmill.otlp import schema

# Two types of one wire form, and why ours differs: see the module.
SAME_WIRE = {
    (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_STRING),
    (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE),
    (FieldDescriptor.TYPE_SFIXED64, FieldDescriptor.TYPE_FIXED64),
    (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM),
}


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (schema.LogsRequest, ExportLogsServiceRequest),
        (schema.MetricsRequest, ExportMetricsServiceRequest),
        (schema.TracesRequest, ExportTraceServiceRequest),
        (schema.ProfilesRequest, ExportProfilesServiceRequest),
        (schema.Resource, Resource),
        (schema.AnyValue, common_pb2.AnyValue),
        (schema.ArrayValue, common_pb2.ArrayValue),
        (schema.KeyValueList, common_pb2.KeyValueList),
        (schema.KeyValue, common_pb2.KeyValue),
        (schema.InstrumentationScope, common_pb2.InstrumentationScope),
    ],
)
def test_every_field_is_the_official_one(ours, official):
    """Each field, in every message below, has the number, name, label and wire form of the official one."""
    compared = compare(ours.DESCRIPTOR, official.DESCRIPTOR, set())
    assert ours.DESCRIPTOR.full_name in compared


def compare(ours, official, seen):
    if ours.full_name in seen:
        return seen
    seen.add(ours.full_name)
    for field in ours.fields:
        theirs = official.fields_by_name[field.name]
        assert (field.number, field.is_repeated) == (theirs.number, theirs.is_repeated), field.full_name
        assert field.type == theirs.type or (field.type, theirs.type) in SAME_WIRE, field.full_name
        if field.message_type is not None:
            compare(field.message_type, theirs.message_type, seen)
    return seen
