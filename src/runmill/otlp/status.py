"""Accepted, again later or never again: what a receiver answers, and what a sender reads in an answer.

The answers are small enough to be written by hand in both encodings, so the app side, which has no protobuf library,
may read this module too.

Source: OTLP specification, OTLP/HTTP Response and OTLP/gRPC Response; google/rpc/status.proto and code.proto.
"""

import json
from collections.abc import Mapping
from typing import Final, Literal

__all__ = [
    "JSON",
    "PROTOBUF",
    "Outcome",
    "encode_failure",
    "encode_success",
    "grpc_status_of",
    "outcome_of_grpc",
    "outcome_of_http",
]

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
"""The media types of OTLP/HTTP; an answer has that of its request."""

Outcome = Literal["accepted", "retry", "never"]

_OK, _UNKNOWN, _RESOURCE_EXHAUSTED = 0, 2, 8
_GRPC_OF_HTTP: Final[Mapping[int, int]] = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 12,  # UNIMPLEMENTED
    405: 12,
    413: _RESOURCE_EXHAUSTED,
    415: 3,
    429: _RESOURCE_EXHAUSTED,
    500: 13,  # INTERNAL
    503: 14,  # UNAVAILABLE
}
_RETRYABLE_HTTP: Final = frozenset({429, 502, 503, 504})
# CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS
_RETRYABLE_GRPC: Final = frozenset({1, 4, 10, 11, 14, 15})


def encode_success(*, media_type: str) -> bytes:
    """Write the Export*ServiceResponse that says all was taken; it is the same for every signal.

    There is no partial success: a request is taken whole or not at all.
    """
    return b"{}" if media_type == JSON else b""


def encode_failure(http_status: int, message: str, *, media_type: str) -> bytes:
    """Write the google.rpc.Status that is the body of a failure; *message* is for the developer of the sender."""
    code = grpc_status_of(http_status)
    if media_type == JSON:
        return json.dumps({"code": code, "message": message}).encode()
    text = message.encode("utf-8", "replace")
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def grpc_status_of(http_status: int) -> int:
    """Give the google.rpc.Code that says the same as an HTTP status: UNKNOWN for one no receiver here uses."""
    return _GRPC_OF_HTTP.get(http_status, _UNKNOWN)


def outcome_of_http(http_status: int) -> Outcome:
    """Read an answer's status. Source: OTLP specification, Retryable Response Codes."""
    if 200 <= http_status < 300:  # noqa: PLR2004 - the successful ones
        return "accepted"
    return "retry" if http_status in _RETRYABLE_HTTP else "never"


def outcome_of_grpc(code: int, *, has_retry_info: bool = False) -> Outcome:
    """Read an answer's code; RESOURCE_EXHAUSTED may be tried again only if the answer says when."""
    if code == _OK:
        return "accepted"
    may_retry = code in _RETRYABLE_GRPC or (code == _RESOURCE_EXHAUSTED and has_retry_info)
    return "retry" if may_retry else "never"


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*encoded, number))
