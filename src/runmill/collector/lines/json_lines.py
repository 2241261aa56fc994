"""Log records that a program printed as JSON, back to the records they were.

Understood are lines of runmill's own formatter, of python-json-logger and of structlog's JSONRenderer, under the names
these libraries give by default and the ones people give them: a line needs a message that is text. Every other key
stays an attribute, and a line that is not understood stays text.
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from runmill.collector.lines.entry import Entry
from runmill.collector.lines.json_objects import read_object
from runmill.collector.lines.timestamps import fitting, from_iso
from runmill.collector.lines.tracebacks import exception_attributes
from runmill.errors import WireError
from runmill.otlp import severity
from runmill.otlp.json_line import decode_line
from runmill.otlp.mend import mend

__all__ = ["read_json_line"]

_T = TypeVar("_T")

_MESSAGES: Final = ("message", "event", "msg")
_TIMES: Final = ("timestamp", "asctime", "time", "ts", "@timestamp")
_LEVELS: Final = ("level", "levelname", "severity", "log_level")
_LOGGERS: Final = ("logger", "logger_name")
_TRACEBACKS: Final = ("exc_info", "exception")
_RENAMED: Final = {
    "pathname": "code.file.path",
    "lineno": "code.line.number",
    "funcName": "code.function.name",
    "thread": "thread.id",
    "threadName": "thread.name",
    "process": "process.pid",
}
"""Attributes of ``logging.LogRecord`` that OpenTelemetry has names for."""
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")
_SECOND: Final = 1_000_000_000
_SECONDS_FROM: Final = 10**8  # 1973: a smaller number is no time but a duration or a count
_SECONDS_TO: Final = 10**11
_HIGHEST_LEVELNO: Final = 100


def read_json_line(text: bytes) -> Entry | None:
    """Give the record that *text* is, with its first and last line still to be set; None when it is none."""
    fields = read_object(text)
    if fields is None:
        return None
    if "severity_number" in fields and "body" in fields:
        own = _own(text)
        if own is not None:
            return own
    return _foreign(fields)


def _own(text: bytes) -> Entry | None:
    try:
        log = mend(decode_line(text.decode()))  # anybody can print such a line
    except WireError:
        return None
    return Entry(
        first=0,
        last=0,
        time_unix_nano=int(log.time),
        stream=None,
        body=log.body,
        severity_number=severity.from_levelno(log.levelno),
        severity_text=log.level_name,
        scope=log.logger,
        attributes=log.attributes or {},
        trace_id=log.trace_id or "",
        span_id=log.span_id or "",
        trace_flags=log.trace_flags,
        dropped_attributes_count=log.dropped_attributes_count,
    )


def _foreign(fields: dict[str, Any]) -> Entry | None:
    rest = dict(fields)
    message = _take(rest, _MESSAGES, _text)
    if message is None:
        return None
    level = _take(rest, _LEVELS, _level)
    loggers = (*_LOGGERS, "name") if "message" in fields and "levelname" in fields else _LOGGERS
    time_unix_nano = _take(rest, _TIMES, _time)
    logger = _take(rest, loggers, _text)
    trace_id = _take(rest, ("trace_id",), lambda value: _matching(_TRACE_ID, value))
    span_id = _take(rest, ("span_id",), lambda value: _matching(_SPAN_ID, value)) if trace_id else None
    exception = _take(rest, _TRACEBACKS, _exception)
    attributes = {_RENAMED.get(key, key): value for key, value in rest.items()}
    return Entry(
        first=0,
        last=0,
        time_unix_nano=time_unix_nano or 0,
        stream=None,
        body=message,
        severity_number=level[0] if level else 0,
        severity_text=level[1] if level else "",
        scope=logger or "",
        attributes={**attributes, **(exception or {})},
        trace_id=trace_id or "",
        span_id=span_id or "",
    )


def _take(fields: dict[str, Any], names: tuple[str, ...], read: Callable[[Any], _T | None]) -> _T | None:
    """Take the first of *names* out that holds what can be read; what cannot be stays where it is."""
    for name in names:
        if name in fields and (found := read(fields[name])) is not None:
            del fields[name]
            return found
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _level(value: Any) -> tuple[int, str] | None:
    if isinstance(value, str):
        number = severity.from_name(value)
        return None if number is None else (number, value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _HIGHEST_LEVELNO:
        return severity.from_levelno(value), ""
    return None


def _time(value: Any) -> int | None:
    if isinstance(value, str):
        return from_iso(value)
    if isinstance(value, int | float) and _SECONDS_FROM <= value < _SECONDS_TO:
        # A float of seconds holds microseconds today: finer digits would be noise.
        return fitting(value * _SECOND if isinstance(value, int) else round(value * 1e6) * 1000)
    return None


def _exception(value: Any) -> dict[str, Any] | None:
    """Read a traceback in text, or what structlog's `dict_tracebacks` makes of one."""
    if isinstance(value, str):
        return exception_attributes(value)
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return None
    kind, message = value[0].get("exc_type"), value[0].get("exc_value")
    if not isinstance(kind, str) or not isinstance(message, str):
        return None
    # The frames stay as they are: a traceback's text cannot be made of them without the source.
    return {"exception.type": kind, "exception.message": message, "exception": value}
