"""What is measured of a machine and a process while a run is at work, as an OTLP request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runmill.otlp import wire

__all__ = ["Measurement", "encode_measurements"]

_SCOPE: Final = "runmill.system"
_CUMULATIVE: Final = b"\x10\x02"  # aggregation_temporality = 2 of Sum
_MONOTONIC: Final = b"\x18\x01"  # is_monotonic = 3


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of one metric of the semantic conventions."""

    metric: str
    instrument: Literal["gauge", "counter", "updowncounter"]
    unit: str
    value: float
    attributes: Mapping[str, Any] = field(default_factory=dict)


def encode_measurements(
    resource: Mapping[str, Any], measurements: Iterable[Measurement], *, time_unix_nano: int
) -> bytes:
    """Give an ExportMetricsServiceRequest: all measurements are of that time and of that resource."""
    metrics = b"".join(wire.field(b"\x12", _metric(each, time_unix_nano)) for each in measurements)
    scope = wire.field(b"\x0a", wire.field(b"\x0a", wire.utf8(_SCOPE)))
    of_resource = wire.field(b"\x0a", wire.key_values(b"\x0a", resource))
    return wire.field(b"\x0a", of_resource + wire.field(b"\x12", scope + metrics))


def _metric(each: Measurement, time_unix_nano: int) -> bytes:
    """Encode one Metric: name = 1, unit = 3, gauge = 5 or sum = 7, each with data_points = 1."""
    named = wire.field(b"\x0a", wire.utf8(each.metric)) + wire.field(b"\x1a", wire.utf8(each.unit))
    points = wire.field(b"\x0a", _data_point(each, time_unix_nano))
    if each.instrument == "gauge":
        return named + wire.field(b"\x2a", points)
    monotonic = _MONOTONIC if each.instrument == "counter" else b""
    return named + wire.field(b"\x3a", points + _CUMULATIVE + monotonic)


def _data_point(each: Measurement, time_unix_nano: int) -> bytes:
    """Encode a NumberDataPoint: time = 3, as_double = 4 or as_int = 6, attributes = 7."""
    value = each.value
    number = b"\x31" + wire.sfixed64(value) if isinstance(value, int) else b"\x21" + wire.double(value)
    return b"\x19" + wire.fixed64(time_unix_nano) + number + wire.key_values(b"\x3a", each.attributes)
