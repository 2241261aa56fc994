"""When to send again, as gRPC says it: a google.rpc.RetryInfo in the details of a google.rpc.Status.

Source: OTLP specification, OTLP/gRPC Throttling; google/rpc/error_details.proto.
"""

from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

__all__ = ["DETAILS_KEY", "decode_retry_info", "encode_retry_info"]

DETAILS_KEY: Final = "grpc-status-details-bin"
"""The trailing metadata that holds the Status."""

_NANOS: Final = 1_000_000_000


def encode_retry_info(code: int, message: str, *, seconds: float) -> bytes:
    """Write the Status of a refusal that asks to come back after *seconds*."""
    status = Status(code=code, message=message)
    whole, nanos = divmod(round(seconds * _NANOS), _NANOS)
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=whole, nanos=nanos)))
    return bytes(status.SerializeToString())


def decode_retry_info(details: bytes) -> float | None:
    """Give the seconds a Status asks to wait; None where it does not, or is none."""
    try:
        status = Status.FromString(details)
        for detail in status.details:
            info = RetryInfo()
            if detail.Unpack(info):
                return float(info.retry_delay.seconds + info.retry_delay.nanos / _NANOS)
    except DecodeError:
        return None
    return None
