"""What is measured of a machine, as OTLP says it."""

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from runmill.otlp.measurements import Measurement, encode_measurements

TIME = 1_700_000_000_000_000_000


def test_each_instrument_is_what_the_official_classes_read():
    """A gauge, a counter and an up-down counter, with unit, time, resource and attributes."""
    measured = [
        Measurement("system.cpu.utilization", "gauge", "1", 0.25),
        Measurement("system.disk.io", "counter", "By", 2**40, {"disk.io.direction": "read"}),
        Measurement("process.memory.usage", "updowncounter", "By", 7),
    ]
    encoded = encode_measurements({"run.id": "r1"}, measured, time_unix_nano=TIME)
    [of_resource] = ExportMetricsServiceRequest.FromString(encoded).resource_metrics
    [attribute] = of_resource.resource.attributes
    assert (attribute.key, attribute.value.string_value) == ("run.id", "r1")
    [scope] = of_resource.scope_metrics
    gauge, counter, updown = scope.metrics
    assert (scope.scope.name, gauge.name, gauge.unit) == ("runmill.system", "system.cpu.utilization", "1")
    [point] = gauge.gauge.data_points
    assert (point.time_unix_nano, point.as_double, list(point.attributes)) == (TIME, 0.25, [])
    [point] = counter.sum.data_points
    assert (point.as_int, point.attributes[0].key) == (2**40, "disk.io.direction")
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    assert [(each.sum.is_monotonic, each.sum.aggregation_temporality) for each in (counter, updown)] == [
        (True, cumulative),
        (False, cumulative),
    ]
    assert updown.sum.data_points[0].as_int == 7
