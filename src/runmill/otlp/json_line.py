r"""A log record as one line of JSON with OpenTelemetry's field names, and back to the very same record.

```json
{"timestamp": "2026-11-22T09:30:00.123456Z", "severity_text": "INFO", "severity_number": 9, "logger": "app.train",
 "body": "epoch 3 done", "attributes": {"loss": 0.25, "code.line.number": 17},
 "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "trace_flags": 1}
```

What has nothing to say is left out: the ids and flags without a span, ``dropped_attributes_count`` when it is 0.
JSON has no bytes and no NaN, so these are ``{"$bytes": "AP8="}`` and ``{"$float": "NaN"}`` (``Infinity``,
``-Infinity``); a map that only looks like one of them is ``{"$map": {...}}``.
"""

import base64
import binascii
import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from runmill.errors import WireError
from runmill.journal.records import LOG, Log, Record
from runmill.otlp import severity
from runmill.otlp.mend import mend
from runmill.otlp.wire import large_integer

__all__ = ["decode_line", "encode_line", "line_fields"]

_BYTES: Final = "$bytes"
_FLOAT: Final = "$float"
_MAP: Final = "$map"
_MARKS: Final = frozenset({_BYTES, _FLOAT, _MAP})
_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1
_NANOSECONDS: Final = 1_000_000_000
_SECONDS_CHARS: Final = len("2026-11-22T09:30:00")


def encode_line(record: Record) -> str:
    """Give a Log as a line, without its end."""
    return json.dumps(line_fields(record))


def line_fields(record: Record) -> dict[str, Any]:
    """Give the same as a mapping that any JSON library writes."""
    log = mend(record)
    fields: dict[str, Any] = {
        "timestamp": _timestamp(log.time),
        "severity_text": log.level_name,
        "severity_number": severity.from_levelno(log.levelno),
        "logger": log.logger,
        "body": _to_json(log.body),
        "attributes": {key: _to_json(value) for key, value in _attributes(log).items()},
    }
    if log.trace_id:
        fields |= {"trace_id": log.trace_id, "span_id": log.span_id, "trace_flags": log.trace_flags}
    if log.dropped_attributes_count:
        fields["dropped_attributes_count"] = log.dropped_attributes_count
    return fields


def decode_line(line: str) -> Log:
    """Read a line back; encoded as OTLP the record is equal to the one written, byte order of attributes aside.

    Raises:
        WireError: It is no such line.
    """
    try:
        fields = json.loads(line)
        levelno = severity.to_levelno(fields["severity_number"])
        attributes = _from_json(fields.get("attributes", {}))
        return Log(
            record_kind=LOG,
            time=_time_unix_nano(fields["timestamp"]),
            run_key=None,
            logger=fields.get("logger", ""),
            levelno=levelno,
            level_name=fields.get("severity_text", ""),
            body=_from_json(fields["body"]),
            attributes=dict(attributes) or None,
            file_path="",
            line_number=0,
            function_name="",
            thread_id=0,
            thread_name="",
            trace_id=fields.get("trace_id"),
            span_id=fields.get("span_id"),
            trace_flags=fields.get("trace_flags", 0),
            dropped_attributes_count=fields.get("dropped_attributes_count", 0),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WireError(f"not a log record as runmill writes it in JSON: {line[:200]!r}: {error}") from None


def _attributes(log: Log) -> dict[str, Any]:
    """Give all attributes, as the protobuf encoding has them: call site and thread are fields of the journal only."""
    attributes = dict(log.attributes or {})
    if log.file_path:
        attributes |= {
            "code.file.path": log.file_path,
            "code.line.number": log.line_number,
            "code.function.name": log.function_name,
        }
    if log.thread_id:
        attributes |= {"thread.id": log.thread_id, "thread.name": log.thread_name}
    return attributes


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {key if type(key) is str else str(key): _to_json(item) for key, item in value.items()}
        return {_MAP: inner} if len(inner) == 1 and not _MARKS.isdisjoint(inner) else inner
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return _SCALARS.get(type(value), repr)(value)


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(mark, inner)] = value.items()
        if mark == _BYTES:
            return _bytes(inner)
        if mark == _FLOAT:
            return float(inner)
        if mark == _MAP:
            value = inner
    return {key: _from_json(item) for key, item in value.items()}


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{text[:50]!r} is not base64: {error}") from None


def _integer(value: int) -> int | str:
    return value if _INT64_MIN <= value <= _INT64_MAX else large_integer(value)


def _float(value: float) -> float | dict[str, str]:
    if math.isfinite(value):
        return value
    return {_FLOAT: "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def _timestamp(at: float) -> str:
    seconds, nanoseconds = divmod(at if type(at) is int else round(at * 1e6) * 1000, _NANOSECONDS)
    micros, rest = divmod(nanoseconds, 1000)
    return f"{_second(int(seconds))}.{micros:06d}{f'{rest:03d}' if rest else ''}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _time_unix_nano(timestamp: str) -> int:
    second = datetime.fromisoformat(timestamp[:_SECONDS_CHARS] + "+00:00")
    fraction = timestamp[_SECONDS_CHARS:].removesuffix("Z").removeprefix(".")
    return int(second.timestamp()) * _NANOSECONDS + int(fraction.ljust(9, "0") or 0)


_SCALARS: Final[dict[type, Callable[[Any], Any]]] = {
    str: str,
    bool: bool,
    type(None): lambda _: None,
    int: _integer,
    float: _float,
    bytes: lambda value: {_BYTES: base64.b64encode(value).decode()},
}
