"""``otlp_grpc``: one attempt to hand a batch to a backend over OTLP/gRPC, and what its answer means."""

from typing import Any, Final

import grpc
import grpc.aio

from runmill._version import __version__
from runmill.collector.component import Batch
from runmill.collector.exporters.losses import Losses
from runmill.collector.exporters.otlp_config import OtlpGrpcConfig
from runmill.collector.exporters.partial import count_partial_success
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected
from runmill.otlp.retry_info import DETAILS_KEY, decode_retry_info
from runmill.otlp.runs import PRODUCER_HEADER, SEQUENCE_HEADER
from runmill.otlp.services import METHODS
from runmill.otlp.status import outcome_of_grpc

__all__ = ["GrpcSender"]

# Without limits of its own: what came in may go out.
_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.primary_user_agent", f"runmill-collector/{__version__}"),
    ("grpc.max_reconnect_backoff_ms", 5000),  # the pauses between attempts are ours to choose
)


class GrpcSender:
    """Sends batches as they are over one channel."""

    def __init__(self, config: OtlpGrpcConfig, *, exporter_id: str, telemetry: Telemetry) -> None:
        self._config = config
        self._losses = Losses(exporter_id, telemetry)
        self._compression = grpc.Compression.Gzip if config.compression == "gzip" else grpc.Compression.NoCompression
        self._channel: Any = None

    async def start(self) -> None:
        """Open the channel; the backend need not be there yet."""
        if self._config.is_plain:
            self._channel = grpc.aio.insecure_channel(self._config.target, options=_OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(self._config.target, self._credentials(), options=_OPTIONS)

    async def shutdown(self) -> None:
        """Close the channel."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def consume(self, batch: Batch, /) -> None:
        """Return when the backend has *batch*. Raises Refused or Rejected, by what its answer says."""
        if self._channel is None:
            raise Refused("the exporter is not at work. Send the same data again later.")
        export = self._channel.unary_unary(METHODS[batch.signal])
        try:
            answer = await export(
                batch.payload,
                timeout=self._config.timeout or None,
                metadata=self._metadata(batch),
                compression=self._compression,
            )
        except grpc.aio.AioRpcError as error:
            raise self._meaning(error) from error
        count_partial_success(answer, batch, self._losses)

    def _metadata(self, batch: Batch) -> list[tuple[str, str]]:
        metadata = [(name.lower(), value) for name, value in self._config.headers.items()]
        if batch.producer is not None:
            metadata.append((PRODUCER_HEADER.lower(), batch.producer.producer_id))
            metadata.append((SEQUENCE_HEADER.lower(), str(batch.producer.sequence)))
        return metadata

    def _credentials(self) -> Any:
        tls = self._config.tls
        paths = (tls.ca_file, tls.key_file, tls.cert_file)
        return grpc.ssl_channel_credentials(*(path.read_bytes() if path else None for path in paths))

    def _meaning(self, error: grpc.aio.AioRpcError) -> Exception:
        code, _ = error.code().value
        text = f"{self._config.endpoint} answered {error.code().name} {error.details()!r}."
        details = next((value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY), b"")
        asked = decode_retry_info(details)
        if outcome_of_grpc(code, has_retry_info=asked is not None) == "never":
            return Rejected(text)
        return Refused(text, retry_after_seconds=asked)
