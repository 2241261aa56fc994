"""Sends encoded OTLP over gRPC, which comes with the ``grpc`` extra. Like `sender`: no retries, no threads of ours."""

from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from runmill.app.sender import TooLarge
from runmill.app.settings import Settings
from runmill.errors import Refused, Rejected, Unavailable
from runmill.home import Server
from runmill.otlp import runs
from runmill.otlp.partial import PartialSuccess, decode_partial_success
from runmill.otlp.status import outcome_of_grpc

__all__ = ["DEFAULT_ENDPOINT", "GrpcSender"]

DEFAULT_ENDPOINT: Final = "http://localhost:4317"

_METHODS: Final = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}

_RESOURCE_EXHAUSTED: Final = 8
_UNAVAILABLE: Final = 14
_RETRY_INFO: Final = "google.rpc.retryinfo-bin"


class GrpcSender:
    """One channel, opened when needed; a forked child opens its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channel: Any = None

    def server(self) -> Server:
        """Say where data goes."""
        return Server(self._settings.endpoint or DEFAULT_ENDPOINT, 0, "")

    def send(
        self,
        signal: Literal["logs", "metrics"],
        payload: bytes,
        *,
        producer_id: str,
        sequence: int,
        timeout_seconds: float,
    ) -> PartialSuccess | None:
        """Deliver one request; give what was not taken of it.

        Raises Unavailable (nobody answers), Refused (send again later), Rejected (never send again) or TooLarge.
        """
        import grpc  # noqa: PLC0415 - by extra; the settings saw to it that it is there

        call = self._connect(grpc).unary_unary(_METHODS[signal])
        metadata = [(name.lower(), value) for name, value in self._settings.headers]
        metadata += [(runs.PRODUCER_HEADER.lower(), producer_id), (runs.SEQUENCE_HEADER.lower(), str(sequence))]
        compression = grpc.Compression.Gzip if self._settings.compression == "gzip" else None
        try:
            answer = call(payload, timeout=timeout_seconds, metadata=metadata, compression=compression)
        except grpc.RpcError as error:
            raise self._meaning(error) from error
        return decode_partial_success(answer)

    def put(self, sha256: str, path: Path, *, timeout_seconds: float) -> None:  # noqa: ARG002 - as the HTTP sender's
        """Raise Rejected: OTLP has no place for the bytes of files, and this receiver speaks nothing else."""
        raise Rejected(f"{self.server().endpoint} speaks gRPC, which takes no files. Set an OTLP/HTTP endpoint.")

    def close(self) -> None:
        """Let the channel go."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _connect(self, grpc: Any) -> Any:
        if self._channel is None:
            parts = urlsplit(self.server().endpoint)
            if parts.scheme == "https":
                self._channel = grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(*_trust(self._settings)))
            else:
                self._channel = grpc.insecure_channel(parts.netloc)
        return self._channel

    def _meaning(self, error: Any) -> Exception:
        code, _ = error.code().value
        text = f"{self.server().endpoint} answered {error.code().name} {error.details()!r}"
        if code == _UNAVAILABLE:
            return Unavailable(text)
        has_retry_info = any(key == _RETRY_INFO for key, _ in error.trailing_metadata() or ())
        if outcome_of_grpc(code, has_retry_info=has_retry_info) == "retry":
            return Refused(text)
        # What gRPC itself answers to a message that is too large; there is no code for that alone.
        return TooLarge(text) if code == _RESOURCE_EXHAUSTED else Rejected(text)


def _trust(settings: Settings) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Give whom to trust, and this process's own key and certificate, each as the bytes of its file."""
    own = settings.client_certificate
    files = settings.certificate, (settings.client_key or own) if own else None, own
    trusted, key, certificate = (Path(file).read_bytes() if file else None for file in files)
    return trusted, key, certificate
