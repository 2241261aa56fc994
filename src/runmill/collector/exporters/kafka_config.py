"""What the YAML says of the exporter ``kafka``, and what that is in the words of its client, librdkafka."""

from importlib.util import find_spec
from typing import Final, Literal

from pydantic import Field, model_validator

from runmill.collector.component import Signal
from runmill.collector.exporters.otlp_config import ClientTlsConfig
from runmill.collector.exporters.retry import RetryConfig
from runmill.collector.exporters.sending_queue import SendingQueueConfig
from runmill.collector.values import Duration, Section

__all__ = ["KafkaConfig"]

_MILLISECONDS: Final = 1000


class _TopicConfig(Section):
    topic: str
    """Where requests of this signal go."""
    encoding: Literal["otlp_proto"] = "otlp_proto"
    """A message is one export request in protobuf, in the bytes it came as."""


class LogsTopicConfig(_TopicConfig):
    """Where logs go."""

    topic: str = "otlp_logs"


class MetricsTopicConfig(_TopicConfig):
    """Where metrics go."""

    topic: str = "otlp_metrics"


class TracesTopicConfig(_TopicConfig):
    """Where traces go."""

    topic: str = "otlp_spans"


class SaslConfig(Section):
    """Who the collector is to the brokers."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    username: str
    password: str


class AuthConfig(Section):
    """How the brokers know this client."""

    sasl: SaslConfig | None = None


class ProducerConfig(Section):
    """How messages are made."""

    max_message_bytes: int = Field(default=1_000_000, ge=1000)
    """A larger request is dropped and counted: see `sending_queue.batch.max_size`, and the broker's own limit."""
    required_acks: Literal[1, -1] = -1
    """Who has a message before it counts as sent: 1, the leader; -1, all replicas in sync."""
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"
    linger: Duration = 0.01
    """How long a request to a broker waits for more messages."""


class KafkaConfig(Section):
    """Sends each export request as one Kafka message. Source: OpenTelemetry Collector, exporter/kafkaexporter.

    Its client comes with `pip install runmill[kafka]`. Upstream's `required_acks` is 1 by default.
    """

    brokers: list[str] = Field(default=["localhost:9092"], min_length=1)
    """Where the cluster is found, as ``HOST:PORT``; one broker tells of the others."""
    client_id: str = "runmill-collector"
    logs: LogsTopicConfig = LogsTopicConfig()
    metrics: MetricsTopicConfig = MetricsTopicConfig()
    traces: TracesTopicConfig = TracesTopicConfig()
    record_headers: dict[str, str] = Field(default_factory=dict)
    """Headers of every message."""
    timeout: Duration = 5.0
    """For one attempt."""
    tls: ClientTlsConfig | None = None
    """Given, even if empty: TLS to the brokers."""
    auth: AuthConfig = AuthConfig()
    producer: ProducerConfig = ProducerConfig()
    retry_on_failure: RetryConfig = RetryConfig()
    sending_queue: SendingQueueConfig = SendingQueueConfig()

    @model_validator(mode="after")
    def _check(self) -> "KafkaConfig":
        if find_spec("confluent_kafka") is None:
            raise ValueError("kafka needs its client. Install it: pip install 'runmill[kafka]'")
        return self

    def topic_of(self, signal: Signal) -> str:
        """Give where a signal goes."""
        return {"logs": self.logs, "metrics": self.metrics, "traces": self.traces}[signal].topic

    def client_settings(self) -> dict[str, str | int | float | bool]:
        """Give librdkafka's configuration."""
        milliseconds = int(self.timeout * _MILLISECONDS)
        return {
            "bootstrap.servers": ",".join(self.brokers),
            "client.id": self.client_id,
            "acks": self.producer.required_acks,
            "compression.type": self.producer.compression,
            "linger.ms": self.producer.linger * _MILLISECONDS,
            "message.max.bytes": self.producer.max_message_bytes,
            # What was not acknowledged by then comes again from our own queue, which outlives the process.
            "message.timeout.ms": milliseconds,
            "request.timeout.ms": milliseconds,
            "socket.timeout.ms": max(milliseconds, _MILLISECONDS),
            "log_level": 0,  # outages are told by who retries, once
            **self._security(),
        }

    def _security(self) -> dict[str, str | int | float | bool]:
        sasl, tls = self.auth.sasl, self.tls
        is_tls = tls is not None and not tls.insecure
        settings: dict[str, str | int | float | bool] = {
            "security.protocol": f"{'sasl_' if sasl else ''}{'ssl' if is_tls else 'plaintext'}"
        }
        if sasl is not None:
            settings |= {"sasl.mechanism": sasl.mechanism, "sasl.username": sasl.username}
            settings["sasl.password"] = sasl.password
        if tls is not None and is_tls:
            files = {"ca": tls.ca_file, "certificate": tls.cert_file, "key": tls.key_file}
            settings |= {f"ssl.{name}.location": str(path) for name, path in files.items() if path is not None}
            settings["enable.ssl.certificate.verification"] = not tls.insecure_skip_verify
        return settings
