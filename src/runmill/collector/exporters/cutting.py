"""A batch that is too large for a backend, in pieces; a numbered one's pieces are numbered, so that a run store knows
them, too, when they come again.
"""

from dataclasses import replace

from runmill.collector.component import Batch, Producer
from runmill.otlp.divide import Piece, Sizer, divide

__all__ = ["cut"]


def cut(batch: Batch, *, most: int, sizer: Sizer) -> list[Batch]:
    """Give *batch* in pieces of at most so many records or bytes; whole where it is no larger, or of profiles."""
    size = len(batch.payload) if sizer == "bytes" else batch.record_count
    if batch.signal == "profiles" or size <= most:
        return [batch]
    pieces = divide(batch.signal, batch.payload, most=most, sizer=sizer)
    return [_numbered(batch, piece, f"{most}-{sizer}-{index}") for index, piece in enumerate(pieces)]


def _numbered(batch: Batch, piece: Piece, name: str) -> Batch:
    # The same bytes under the same limit are the same pieces. Under another limit they are others, with other names.
    producer = batch.producer and Producer(f"{batch.producer.producer_id}/{name}", batch.producer.sequence)
    return replace(batch, payload=piece.payload, record_count=piece.record_count, producer=producer)
