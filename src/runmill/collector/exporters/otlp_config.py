"""What the YAML says of the exporters ``otlp_http`` and ``otlp_grpc``."""

import ssl
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from runmill.collector.component import SIGNALS, Signal
from runmill.collector.exporters.retry import RetryConfig
from runmill.collector.exporters.sending_queue import SendingQueueConfig
from runmill.collector.values import Duration, Section

__all__ = ["ClientTlsConfig", "OtlpGrpcConfig", "OtlpHttpConfig"]


class ClientTlsConfig(Section):
    """Source: OpenTelemetry Collector, config/configtls."""

    insecure: bool = False
    """gRPC without TLS; over HTTP the address says it (``http://``)."""
    insecure_skip_verify: bool = False
    """HTTP: take any certificate of the backend's. For tests only."""
    ca_file: Path | None = None
    """Certificates that are trusted instead of the system's."""
    cert_file: Path | None = None
    """This client's certificate, and its key."""
    key_file: Path | None = None

    @model_validator(mode="after")
    def _check(self) -> "ClientTlsConfig":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together. Give both, or neither")
        for name, path in (("ca_file", self.ca_file), ("cert_file", self.cert_file), ("key_file", self.key_file)):
            if path is not None and not path.is_file():
                raise ValueError(f"{name} '{path}' is no file. Give the path of a PEM file")
        return self

    def context(self) -> ssl.SSLContext:
        """Give what an HTTP client checks and shows."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


class _ExporterConfig(Section):
    """What both exporters have."""

    not_here: ClassVar = {"auth": "authenticators are extensions. Show who you are by 'headers' or 'tls'"}

    headers: dict[str, str] = Field(default_factory=dict)
    tls: ClientTlsConfig = ClientTlsConfig()
    retry_on_failure: RetryConfig = RetryConfig()
    sending_queue: SendingQueueConfig = SendingQueueConfig()


class OtlpHttpConfig(_ExporterConfig):
    """Sends OTLP over HTTP, in the bytes it came as. Source: OpenTelemetry Collector, exporter/otlphttpexporter."""

    endpoint: str = ""
    """The base address, such as ``https://otlp.example.com``: ``/v1/logs`` and so on are appended."""
    logs_endpoint: str = ""
    """The whole address for logs; goes before `endpoint`."""
    metrics_endpoint: str = ""
    traces_endpoint: str = ""
    profiles_endpoint: str = ""
    compression: Literal["gzip", "deflate", "none", ""] = "gzip"
    encoding: Literal["proto", "json"] = "proto"
    """`proto`: in the bytes it came as; `json` costs much more. Profiles are always sent as `proto`."""
    timeout: Duration = 30.0
    """For one attempt."""

    @model_validator(mode="after")
    def _check(self) -> "OtlpHttpConfig":
        given = [url for url in (self.endpoint, *(self._own(signal) for signal in SIGNALS)) if url]
        if not given:
            raise ValueError("no endpoint is given. Write 'endpoint: https://HOST:4318'")
        for url in given:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(
                    f"{url!r} is not the address of a server. Write it as http://HOST:PORT or https://HOST"
                )
        return self

    def url_of(self, signal: Signal) -> str:
        """Give where a signal is sent; empty when nowhere."""
        version = "v1development" if signal == "profiles" else "v1"
        own = self._own(signal)
        return own or (f"{self.endpoint.rstrip('/')}/{version}/{signal}" if self.endpoint else "")

    def _own(self, signal: Signal) -> str:
        return {
            "logs": self.logs_endpoint,
            "metrics": self.metrics_endpoint,
            "traces": self.traces_endpoint,
            "profiles": self.profiles_endpoint,
        }[signal]


class OtlpGrpcConfig(_ExporterConfig):
    """Sends OTLP over gRPC, in the bytes it came as. Source: OpenTelemetry Collector, exporter/otlpexporter."""

    endpoint: str
    """``HOST:PORT``; with ``http://`` before it, without TLS."""
    compression: Literal["gzip", "none", ""] = "gzip"
    timeout: Duration = 5.0
    """For one attempt."""

    @model_validator(mode="after")
    def _check(self) -> "OtlpGrpcConfig":
        if not self.target:
            raise ValueError(f"{self.endpoint!r} is not HOST:PORT. Write for example backend:4317")
        return self

    @property
    def target(self) -> str:
        """Give the endpoint as gRPC names it."""
        return self.endpoint.removeprefix("https://").removeprefix("http://").rstrip("/")

    @property
    def is_plain(self) -> bool:
        """Whether no TLS is spoken."""
        return not self.endpoint.startswith("https://") and (self.tls.insecure or self.endpoint.startswith("http://"))
