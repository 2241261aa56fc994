"""What the YAML says of the ``otlp`` receiver."""

from typing import ClassVar, Final, Literal

from pydantic import Field, model_validator

from runmill.collector.component import SIGNALS, Signal
from runmill.collector.receivers.cors import CorsConfig
from runmill.collector.receivers.tls import ServerTlsConfig
from runmill.collector.values import Duration, Endpoint, Section, Size, UrlPath

__all__ = ["GrpcConfig", "HttpConfig", "OtlpConfig", "Protocols"]

_NO_AUTHENTICATOR: Final = (
    "authenticators are extensions. A receiver that listens beyond this machine asks for a token by itself "
    "(RUNMILL_TOKEN), and with tls.client_ca_file for a certificate. Remove it"
)
_NO_TUNING: Final = "connections are bounded by what this process may open. Remove it"


class HttpConfig(Section):
    """OTLP over HTTP, protobuf and JSON on one port. Source: OpenTelemetry Collector, receiver/otlpreceiver."""

    not_here: ClassVar = {
        "auth": _NO_AUTHENTICATOR,
        **dict.fromkeys(("idle_timeout", "keep_alives_enabled", "read_header_timeout", "write_timeout"), _NO_TUNING),
    }

    endpoint: Endpoint = "localhost:4318"
    max_request_body_size: Size = 20 * 2**20
    """Bytes, also after decompression; a larger request is answered with 413."""
    logs_url_path: UrlPath = "/v1/logs"
    metrics_url_path: UrlPath = "/v1/metrics"
    traces_url_path: UrlPath = "/v1/traces"
    read_timeout: Duration = 60.0
    """A body that takes longer is cut off, and its sender asked to try again."""
    tls: ServerTlsConfig | None = None
    """Speak TLS; by default plain HTTP."""
    compression_algorithms: list[Literal["", "gzip", "zstd", "zlib", "deflate"]] = Field(
        default=["", "gzip", "zstd", "zlib", "deflate"]
    )
    """What bodies may be compressed with; empty text: nothing. Of upstream's, snappy and lz4 are not taken."""
    cors: CorsConfig | None = None
    """Which pages may send from a browser; by default none but this server's own."""
    include_metadata: bool = False
    """Keep the headers of a request for what uses them: `metadata_keys` of `batch` and of a `sending_queue`, and
    `from_context` of `resource` and `attributes`."""

    @model_validator(mode="after")
    def _check(self) -> "HttpConfig":
        if len(self.signals_by_path()) < len(SIGNALS):
            raise ValueError(
                "two of logs_url_path, metrics_url_path and traces_url_path are the same, or that of profiles. "
                "Make them differ"
            )
        return self

    def signals_by_path(self) -> dict[str, Signal]:
        """Give which signal is sent to which path."""
        return {
            self.logs_url_path: "logs",
            self.metrics_url_path: "metrics",
            self.traces_url_path: "traces",
            "/v1development/profiles": "profiles",  # no setting upstream while it is in development
        }


class GrpcConfig(Section):
    """OTLP over gRPC. Source: OpenTelemetry Collector, config/configgrpc."""

    not_here: ClassVar = {
        "auth": _NO_AUTHENTICATOR,
        **dict.fromkeys(("keepalive", "max_concurrent_streams", "read_buffer_size", "write_buffer_size"), _NO_TUNING),
    }

    endpoint: Endpoint = "localhost:4317"
    max_recv_msg_size_mib: int = Field(default=4, ge=1, le=2047)
    """What a request may hold at most, also once it is decompressed; a larger one is RESOURCE_EXHAUSTED."""
    read_timeout: Duration = 60.0
    """A request that takes longer to come is cut off, and its sender asked to try again."""
    tls: ServerTlsConfig | None = None
    """Speak TLS; by default plain."""
    include_metadata: bool = False
    """Keep the metadata of a request, as over HTTP its headers."""

    @model_validator(mode="after")
    def _check(self) -> "GrpcConfig":
        if self.tls is not None and self.tls.min_version != "1.2":
            raise ValueError(f"tls.min_version {self.tls.min_version!r} is not to be had for gRPC. Remove it")
        return self


class Protocols(Section):
    """``http:`` and ``grpc:`` with nothing behind them turn a protocol on with its defaults; one at least is needed."""

    http: HttpConfig | None = None
    grpc: GrpcConfig | None = None

    @model_validator(mode="after")
    def _check(self) -> "Protocols":
        if self.http is None and self.grpc is None:
            raise ValueError("no protocol is given. Write 'http:', 'grpc:' or both below it")
        return self


class OtlpConfig(Section):
    """Receives logs, metrics, traces and profiles as OTLP."""

    protocols: Protocols
