"""The names of OTLP's gRPC methods. Source: opentelemetry/proto/collector/*/v1/*_service.proto."""

from collections.abc import Mapping
from typing import Final

from runmill.otlp.count import Signal

__all__ = ["METHODS"]

METHODS: Final[Mapping[Signal, str]] = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "profiles": "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
}
