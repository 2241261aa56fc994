"""Protobuf requests to the OTLP/JSON they stand for: the way back of `protojson`.

Source: OTLP specification, JSON Protobuf Encoding.
"""

from base64 import b64decode
from typing import Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runmill.errors import WireError
from runmill.otlp.count import Signal

__all__ = ["to_json"]

_REQUESTS: Final[dict[Signal, Any]] = {
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
}
_ID_NAMES: Final = ("traceId", "spanId", "parentSpanId")


def to_json(signal: Signal, payload: bytes) -> bytes:
    """Give the Export*ServiceRequest *payload* as OTLP/JSON, on one line.

    Raises:
        WireError: It is no such request.
    """
    try:
        request = _REQUESTS[signal].FromString(payload)
    except DecodeError as error:
        raise WireError(f"{len(payload)} bytes are no OTLP {signal}: {error}") from error
    document = MessageToDict(request, use_integers_for_enums=True)
    _write_ids(document)
    return orjson.dumps(document)


def _write_ids(node: Any) -> None:
    """Write ids in hexadecimal digits: there OTLP/JSON leaves proto3's JSON, which has base64."""
    if isinstance(node, list):
        for item in node:
            _write_ids(item)
    elif isinstance(node, dict):
        # These are names of OTLP's fields only: an attribute's key is a value here.
        for name in _ID_NAMES:
            if name in node:
                node[name] = b64decode(node[name]).hex()
        for item in node.values():
            _write_ids(item)
