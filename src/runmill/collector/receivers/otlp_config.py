"""What the YAML says of the ``otlp`` receiver."""

from pydantic import Field, model_validator

from runmill.collector.component import SIGNALS, Signal
from runmill.collector.values import Endpoint, Section, Size, UrlPath

__all__ = ["GrpcConfig", "HttpConfig", "OtlpConfig", "Protocols"]


class HttpConfig(Section):
    """OTLP over HTTP, protobuf and JSON on one port. Source: OpenTelemetry Collector, receiver/otlpreceiver."""

    endpoint: Endpoint = "localhost:4318"
    max_request_body_size: Size = 20 * 2**20
    """Bytes, also after decompression; a larger request is answered with 413."""
    logs_url_path: UrlPath = "/v1/logs"
    metrics_url_path: UrlPath = "/v1/metrics"
    traces_url_path: UrlPath = "/v1/traces"

    @model_validator(mode="after")
    def _check(self) -> "HttpConfig":
        if len(self.signals_by_path()) < len(SIGNALS):
            raise ValueError(
                "two of logs_url_path, metrics_url_path and traces_url_path are the same. Make them differ"
            )
        return self

    def signals_by_path(self) -> dict[str, Signal]:
        """Give which signal is sent to which path."""
        return {self.logs_url_path: "logs", self.metrics_url_path: "metrics", self.traces_url_path: "traces"}


class GrpcConfig(Section):
    """OTLP over gRPC. Source: OpenTelemetry Collector, config/configgrpc."""

    endpoint: Endpoint = "localhost:4317"
    max_recv_msg_size_mib: int = Field(default=4, ge=1, le=2047)
    """What a request may hold at most, also once it is decompressed; a larger one is RESOURCE_EXHAUSTED."""


class Protocols(Section):
    """``http:`` alone turns the protocol on with its defaults, ``grpc:`` adds the other one."""

    http: HttpConfig
    grpc: GrpcConfig | None = None


class OtlpConfig(Section):
    """Receives logs, metrics and traces as OTLP."""

    protocols: Protocols
