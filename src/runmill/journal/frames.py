"""One record in a segment: its length, a checksum, and the marshalled tuple.

Bytes that were never written are zero, so a length of 0 is the end. A process killed in the middle of a write leaves
a frame whose checksum does not hold: it is stepped over.
"""

import marshal
import struct
from dataclasses import dataclass
from typing import Final
from zlib import adler32

from runmill.journal.records import Record

__all__ = ["HEADER_BYTES", "MARSHAL_VERSION", "Frames", "checksum", "count", "pack", "pack_header", "unpack"]

_HEADER: Final = struct.Struct("<II")
HEADER_BYTES: Final = _HEADER.size

pack_header: Final = _HEADER.pack
"""(length, checksum) as a frame begins with them."""

checksum: Final = adler32
"""What it has to notice is a write that was cut short, zeros in place of bytes: it does, at half the price of a CRC."""

# Version 2 of the format: later ones keep a table of references, which costs half as much again and saves nothing here.
MARSHAL_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Frames:
    """What was read: the records, the offset behind the last one, and how many frames were torn."""

    records: list[Record]
    end: int
    torn_count: int


def pack(record: Record) -> bytes:
    """Give the frame of *record*. Raises ValueError when it holds anything but plain values."""
    payload = marshal.dumps(record, MARSHAL_VERSION)
    return pack_header(len(payload), checksum(payload)) + payload


def unpack(buffer: bytes, *, most_bytes: int) -> Frames:
    """Read whole frames from the start of *buffer* until there is no more, or *most_bytes* of them are read.

    At least one frame is read when there is a whole one, however long it is.
    """
    records: list[Record] = []
    at = torn_count = 0
    while at + HEADER_BYTES <= len(buffer):
        length, expected = _HEADER.unpack_from(buffer, at)
        end = at + HEADER_BYTES + length
        if not length or end > len(buffer) or (at and end > most_bytes):
            break
        payload = buffer[at + HEADER_BYTES : end]
        if checksum(payload) == expected:
            records.append(marshal.loads(payload))  # noqa: S302 - our own file, and the checksum holds
        else:
            torn_count += 1
        at = end
    return Frames(records, at, torn_count)


def count(buffer: bytes) -> int:
    """Count the frames from the start of *buffer*, by their lengths alone."""
    at = frame_count = 0
    while at + HEADER_BYTES <= len(buffer):
        length, _checksum = _HEADER.unpack_from(buffer, at)
        at += HEADER_BYTES + length
        if not length or at > len(buffer):
            break
        frame_count += 1
    return frame_count
