"""Who sent a request, and its number there, as headers of HTTP and metadata of gRPC say it."""

from collections.abc import Mapping

from runmill.collector.component import Producer
from runmill.errors import WireError
from runmill.otlp.runs import PRODUCER_HEADER, SEQUENCE_HEADER

__all__ = ["read_producer"]


def read_producer(headers: Mapping[str, str]) -> Producer | None:
    """Give the producer that *headers* (names in lower case) name; None for a foreign sender. Raises WireError."""
    producer_id = headers.get(PRODUCER_HEADER.lower())
    sequence = headers.get(SEQUENCE_HEADER.lower())
    if producer_id is None and sequence is None:
        return None
    if not producer_id or sequence is None or not sequence.isascii() or not sequence.isdigit():
        raise WireError(
            f"{PRODUCER_HEADER} {producer_id!r} and {SEQUENCE_HEADER} {sequence!r} do not name a batch. "
            "Send both, the sequence as a whole number, or neither."
        )
    return Producer(producer_id, int(sequence))
