"""A log record whose fields are not of their types, as ``logging.makeLogRecord`` lets anybody make one."""

import math
from typing import Any, Final

from runmill.journal.records import Log, Record

__all__ = ["mend"]

_MOST_SECONDS: Final = (1 << 63) / 1e9
_MOST_UINT32: Final = (1 << 32) - 1
_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16


def mend(record: Record) -> Log:
    """Give *record* with each field of its type: what is missing as nothing, what is something else as text.

    Always the same for the same record, since what is sent again must be equal to the byte.
    """
    log = Log._make(record)
    trace_id = _hex(log.trace_id, _TRACE_DIGITS)
    return Log(
        record_kind=log.record_kind,
        time=_time(log.time),
        run_key=log.run_key,
        logger=_text(log.logger),
        levelno=_number(log.levelno),
        level_name=_text(log.level_name),
        body=log.body,
        attributes={_text(key): value for key, value in (log.attributes or {}).items()},
        file_path=_text(log.file_path),
        line_number=_number(log.line_number),
        function_name=_text(log.function_name),
        thread_id=_number(log.thread_id),
        thread_name=_text(log.thread_name),
        trace_id=trace_id,
        span_id=_hex(log.span_id, _SPAN_DIGITS) if trace_id else None,
        trace_flags=_number(log.trace_flags) & _MOST_UINT32,
        dropped_attributes_count=min(max(0, _number(log.dropped_attributes_count)), _MOST_UINT32),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def _time(value: Any) -> int | float:
    """Give a time that fits, else 0: unknown, as OTLP has it."""
    if type(value) is int and 0 <= value < 1 << 64:
        return value
    return value if type(value) is float and math.isfinite(value) and 0 <= value < _MOST_SECONDS else 0


def _hex(value: Any, digits: int) -> str | None:
    if not isinstance(value, str) or len(value) != digits:
        return None
    try:
        bytes.fromhex(value)
    except ValueError:
        return None
    return value
