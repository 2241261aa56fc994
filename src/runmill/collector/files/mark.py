"""By what a file is known again: its first bytes, and the last ones that were read.

Device and inode alone do not do: an inode is given to another file as soon as it is free, and a file that is truncated
in place keeps its own. The first bytes alone do not do either: many logs begin with the same banner.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from runmill.collector.files.content import Content, CorruptFile

__all__ = ["Mark", "hash_of", "is_continued", "mark_at"]

_ANCHOR_BYTES: Final = 256
_NOTHING: Final = blake2b(b"", digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file looked like up to an offset."""

    offset: int = 0
    head_size: int = 0
    head_hash: bytes = _NOTHING
    anchor: bytes = _NOTHING
    """A hash of the bytes just before the offset."""


def mark_at(content: Content, offset: int, *, most_head_bytes: int) -> Mark:
    """Mark what stands before *offset*. Raises OSError, CorruptFile."""
    head = content.read(0, min(offset, most_head_bytes))
    return Mark(offset, len(head), hash_of(head), _anchor(content, offset) or b"")


def is_continued(content: Content, mark: Mark) -> bool:
    """Say whether *content* holds, up to the mark's offset, what was read when it was marked."""
    try:
        has_head = hash_of(content.read(0, mark.head_size)) == mark.head_hash
        return has_head and _anchor(content, mark.offset) == mark.anchor
    except (OSError, CorruptFile):
        return False


def hash_of(raw: bytes) -> bytes:
    """Give what stands for some bytes in a mark."""
    return blake2b(raw, digest_size=16).digest()


def _anchor(content: Content, offset: int) -> bytes | None:
    size = min(offset, _ANCHOR_BYTES)
    before = content.read(offset - size, size)
    return hash_of(before) if len(before) == size else None
