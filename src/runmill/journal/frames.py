"""One record in a segment: its length, a checksum, and the marshalled tuple or the log in brief.

Bytes that were never written are zero, so a length of 0 is the end. A process killed in the middle of a write leaves
a frame whose checksum does not hold: it is stepped over.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from marshal import dumps, loads
from types import MappingProxyType
from typing import Final
from zlib import adler32

from runmill.journal.brief import MARSHAL_VERSION, PLACE_BYTES, Place, is_brief, unpack_brief
from runmill.journal.records import Record

__all__ = ["HEADER_BYTES", "Frames", "checksum", "count", "pack", "pack_header", "unpack"]

_HEADER: Final = struct.Struct("<II")
HEADER_BYTES: Final = _HEADER.size

pack_header: Final = _HEADER.pack
"""(length, checksum) as a frame begins with them."""

checksum: Final = adler32
"""What it has to notice is a write that was cut short, zeros in place of bytes: it does, at half the price of a CRC."""


NO_PLACES: Final[Mapping[int, Place]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frames:
    """What was read."""

    records: list[Record]
    end: int
    """The offset behind the last frame."""
    torn_count: int
    whole_bytes: int
    """What the frames would take were none in brief: about what the records take on the wire."""


def pack(record: Record) -> bytes:
    """Give the frame of *record*. Raises ValueError when it holds anything but plain values."""
    payload = dumps(record, MARSHAL_VERSION)
    return pack_header(len(payload), checksum(payload)) + payload


def unpack(buffer: bytes, *, most_bytes: int, places: Mapping[int, Place] = NO_PLACES) -> Frames:
    """Read whole frames from the start of *buffer* until there is no more, or `whole_bytes` would be over *most_bytes*.

    At least one frame is read when there is a whole one, however long it is.
    """
    records: list[Record] = []
    at = torn_count = whole_bytes = 0
    while at + HEADER_BYTES <= len(buffer):
        length, expected = _HEADER.unpack_from(buffer, at)
        end = at + HEADER_BYTES + length
        if not length or end > len(buffer):
            break
        payload = buffer[at + HEADER_BYTES : end]
        is_in_brief = is_brief(payload)
        frame_bytes = HEADER_BYTES + length + (PLACE_BYTES if is_in_brief else 0)
        if at and whole_bytes + frame_bytes > most_bytes:
            break
        whole_bytes += frame_bytes
        if checksum(payload) == expected:
            # Our own file, and the checksum holds.
            records.append(unpack_brief(payload, places) if is_in_brief else loads(payload))  # noqa: S302
        else:
            torn_count += 1
        at = end
    return Frames(records, at, torn_count, whole_bytes)


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
