"""Several requests as one: appending their bytes, since the fields of an ``Export*ServiceRequest`` are repeated ones.

Source: Protocol Buffers, Encoding, "Last One Wins" (a concatenation is a merge).
"""

from collections.abc import Sequence

from runmill.collector.component import Batch, Signal

__all__ = ["is_joinable", "joined"]


def is_joinable(signal: Signal) -> bool:
    """Say whether requests of a signal can be appended: in profiles, the dictionary of each has its own numbers."""
    return signal != "profiles"


def joined(batches: Sequence[Batch]) -> Batch:
    """Give *batches*, at least one and all of one signal, as one; it has no producer, unless it is the only one."""
    if len(batches) == 1:
        return batches[0]
    payload = b"".join(batch.payload for batch in batches)
    record_count = sum(batch.record_count for batch in batches)
    metadata = frozenset.intersection(*(batch.metadata for batch in batches))
    return Batch(batches[0].signal, payload, record_count, request_count=len(batches), metadata=metadata)
