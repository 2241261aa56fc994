"""How requests stand in a file: one a line as OTLP/JSON, or behind their length, compressed or not.

Source: OpenTelemetry Collector, exporter/fileexporter: a length is 4 bytes, big-endian, and stands before each message
that is protobuf or compressed.
"""

import struct
import sys
from pathlib import Path
from typing import Final

from runmill.collector.component import Batch
from runmill.collector.exporters.file_config import Compression, FileFormat
from runmill.errors import Rejected, WireError
from runmill.otlp.to_json import to_json

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["encode", "whole_bytes"]

_LENGTH: Final = struct.Struct(">I")
_PIECE_BYTES: Final = 1 << 20


def encode(batch: Batch, *, file_format: FileFormat, compression: Compression) -> bytes:
    """Give what is appended to the file for *batch*. Raises Rejected when it is not OTLP."""
    try:
        message = batch.payload if file_format == "proto" else to_json(batch.signal, batch.payload)
    except WireError as error:
        raise Rejected(str(error)) from error
    if compression == "zstd":
        message = zstd.compress(message)
    return _LENGTH.pack(len(message)) + message if _has_lengths(file_format, compression) else message + b"\n"


def whole_bytes(path: Path, *, file_format: FileFormat, compression: Compression) -> int:
    """Give how many bytes of a file are whole messages: a process that was killed may have left half a one."""
    if _has_lengths(file_format, compression):
        return _after_last_message(path)
    return _after_last_line(path)


def _has_lengths(file_format: FileFormat, compression: Compression) -> bool:
    return file_format == "proto" or compression == "zstd"


def _after_last_message(path: Path) -> int:
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            end = at + _LENGTH.size + _LENGTH.unpack(head)[0]
            if end > size:
                break
            at = file.seek(end)
    return at


def _after_last_line(path: Path) -> int:
    at = path.stat().st_size
    with path.open("rb") as file:
        while at:
            start = max(0, at - _PIECE_BYTES)
            file.seek(start)
            newline = file.read(at - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            at = start
    return 0
