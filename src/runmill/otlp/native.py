"""Protobuf to Arrow in native code: whatever a request repeats becomes columns, without an object for any of it.

`ptars` walks the bytes in Rust, and is given only what the C parser has accepted: of broken bytes it takes some, and
panics at others. Of what is left it reads the same but for two things: of a oneof it gives every member that was sent,
where the last one counts, and it refuses some groups, which OTLP has none of.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pyarrow as pa
from google.protobuf.message import DecodeError
from ptars import HandlerPool

from runmill.otlp.schema import KeyValue, KeyValueList, KeyValues

__all__ = ["key_values", "row"]

_POOL: Final = HandlerPool([KeyValue.DESCRIPTOR.file])

_Raw = TypeVar("_Raw")


def row(kind: Any, payload: bytes) -> pa.RecordBatch:
    """Give *payload*, which has been parsed as a message of *kind*, as a batch of one row."""
    convert = _handler(kind).list_to_record_batch
    try:
        return _converted(convert, [payload])
    except ValueError:
        # A field number 0 in a group that nobody knows: the C parser passes over it, ptars does not.
        message = kind.FromString(payload)
        message.DiscardUnknownFields()
        return _converted(convert, [message.SerializeToString()])


def key_values(raws: pa.BinaryArray) -> pa.RecordBatch | None:
    """Give KeyValues in bytes as a batch of as many rows; None when one of them is none."""
    try:
        KeyValues.FromString(KeyValueList(values=raws.to_pylist()).SerializeToString())
        return _converted(_handler(KeyValue).array_to_record_batch, raws)
    except (DecodeError, ValueError):
        return None


def _handler(kind: Any) -> Any:
    return _POOL.get_for_message(kind.DESCRIPTOR)


def _converted(convert: Callable[[_Raw], pa.RecordBatch], raw: _Raw) -> pa.RecordBatch:
    try:
        return convert(raw)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        # A panic of Rust is no Exception, so that it would pass every edge of ours and end the exporter's work.
        raise RuntimeError(f"ptars failed: {error}") from error
