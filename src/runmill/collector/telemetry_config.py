"""What the YAML says of the collector's own metrics: pulled by Prometheus, or pushed as OTLP.

Source: OpenTelemetry configuration schema, MetricReader, as the OpenTelemetry Collector's service.telemetry takes it.
"""

import logging
from typing import ClassVar, Final, Literal

from pydantic import Field, model_validator

from runmill.collector.values import Endpoint, Section

__all__ = ["PeriodicReader", "TelemetryConfig"]


class Prometheus(Section):
    """``GET /metrics`` on an address of its own."""

    host: str = "localhost"
    port: int = Field(default=8888, ge=0, le=65535)

    @property
    def endpoint(self) -> Endpoint:
        """Give the address as other settings write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class PullExporter(Section):
    """Who pulls."""

    prometheus: Prometheus


class PullReader(Section):
    """Answers who asks."""

    exporter: PullExporter


class Header(Section):
    """One header, as the schema writes it."""

    name: str
    value: str


class OtlpPush(Section):
    """Where metrics are pushed to."""

    protocol: Literal["http/protobuf", "grpc"]
    endpoint: str
    """``http://HOST:4318``, to which ``/v1/metrics`` is added; of gRPC ``http://HOST:4317``."""
    headers: list[Header] = Field(default_factory=list)
    compression: Literal["gzip", "none"] = "gzip"
    timeout: int = Field(default=10_000, ge=1)
    """Milliseconds, as in the schema."""

    @model_validator(mode="after")
    def _check(self) -> "OtlpPush":
        if not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"endpoint {self.endpoint!r} is no URL. Write it as http://HOST:PORT or https://HOST:PORT")
        return self


class PushExporter(Section):
    """To whom it is pushed."""

    otlp: OtlpPush


class PeriodicReader(Section):
    """Pushes again and again."""

    interval: int = Field(default=60_000, ge=1)
    """Milliseconds, as in the schema."""
    exporter: PushExporter


class Reader(Section):
    """One of the two."""

    pull: PullReader | None = None
    periodic: PeriodicReader | None = None

    @model_validator(mode="after")
    def _check(self) -> "Reader":
        if (self.pull is None) == (self.periodic is None):
            raise ValueError("a reader is either pulled or periodic. Write one of 'pull:' and 'periodic:'")
        return self


class MetricsConfig(Section):
    """The collector's own counters."""

    level: Literal["none", "basic", "normal", "detailed"] = "normal"
    """none: they are not served; the others are one here."""
    endpoint: Endpoint | None = None
    """Where ``GET /metrics`` is answered, in Prometheus' format: ``localhost:8888``. By default nowhere."""
    readers: list[Reader] = Field(default_factory=list)
    """The same, and where they are pushed to as OTLP, in the words of OpenTelemetry's configuration schema."""

    def pulls(self) -> tuple[str, ...]:
        """Give each address where they are served."""
        if self.level == "none":
            return ()
        read = [reader.pull.exporter.prometheus.endpoint for reader in self.readers if reader.pull]
        return (*read, self.endpoint) if self.endpoint else tuple(read)

    def pushes(self) -> tuple[PeriodicReader, ...]:
        """Give each place they are pushed to."""
        return tuple(reader.periodic for reader in self.readers if reader.periodic and self.level != "none")


_STDERR: Final = "the collector's few messages go to standard error, one a line. Remove it"


class LogsConfig(Section):
    """What the collector writes of its own work, to standard error."""

    not_here: ClassVar = {
        "encoding": _STDERR,
        "error_output_paths": _STDERR,
        "initial_fields": _STDERR,
        "output_paths": _STDERR,
        "processors": _STDERR,
        "sampling": "an outage is told of once, not once an attempt. Remove it",
    }

    level: Literal["debug", "info", "warn", "error"] = "info"
    """What is at least so severe is written."""

    @property
    def number(self) -> int:
        """Give the level as the standard library has it."""
        return {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}[
            self.level
        ]


class TelemetryConfig(Section):
    """What the collector says of itself."""

    not_here: ClassVar = {"traces": "the collector makes no spans of its own. Remove it"}

    metrics: MetricsConfig = MetricsConfig()
    logs: LogsConfig = LogsConfig()
    resource: dict[str, str] = Field(default_factory=dict)
    """Attributes for the resource of the metrics that are pushed, beside or in place of its own."""
