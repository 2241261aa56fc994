"""structlog processors: plain callables that take the event dict as it is, with its types.

```python
structlog.configure(processors=[merge_contextvars, add_log_level, runmill.structlog.send, ConsoleRenderer()])
```
"""

import logging
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from threading import current_thread
from types import FrameType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from runmill.app.bound import bound_fields
from runmill.app.context import NO_SPAN, current_span
from runmill.app.current import current_run_key
from runmill.app.diagnosis import Fault, look_also
from runmill.app.exceptions import exception_attributes, rendered_exception_attributes
from runmill.app.handler import Handler
from runmill.app.limits import RecordLimits
from runmill.app.notices import notice
from runmill.app.outlet import default_outlet, none_taken
from runmill.app.plain import PLAIN_TYPES, plain
from runmill.journal.records import LOG, Record
from runmill.otlp import severity
from runmill.otlp.json_line import encode_line

__all__ = ["send", "to_otel"]

# Methods that are another level's; every other method is named as its level is.
_LEVEL_NAMES: Final = {"exception": "ERROR", "err": "ERROR", "warn": "WARNING", "msg": "INFO", "fatal": "CRITICAL"}

# What has a field of its own, or is structlog's own business.
_NOT_ATTRIBUTES: Final = frozenset(
    {"event", "level", "level_number", "logger", "exc_info", "exception", "stack", "stack_info", "pathname", "lineno",
     "func_name", "positional_args", "_record", "_from_structlog", "_logger", "_name"}
)  # fmt: skip

_NO_LIMITS: Final = RecordLimits(attribute_count=1 << 30)

# Their frames stand between the call and us.
_NOT_THE_PROGRAM: Final = frozenset({"structlog", __name__})

_LOGGING: Final = frozenset({"logging", Handler.__module__})
_PROXY: Final = structlog.BoundLoggerBase._proxy_to_logger.__code__  # noqa: SLF001 - what calls the wrapped logger


def send(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:
    """Send the event as a log record; hand the event dict on unchanged.

    ``event`` becomes the body, everything else attributes with their types; level, logger, exception and call site go
    where OpenTelemetry has them, whether the processors that add them ran or not. As the last processor of a chain it
    ends the event there: nothing is printed. What the chain then logs by ``logging`` is not sent once more by a
    `runmill.Handler` that delivers to the same place. It never raises for what is in the event.

    Raises:
        structlog.DropEvent: It is the last processor, so there is nothing to render.
    """
    try:
        outlet = default_outlet()
        taken = outlet.taken.slot
        taken[0] = none_taken  # until this one is
        record = _flatten(logger, method_name, event_dict, outlet.settings.record_limits)
        try:
            outlet.write(record)
        except ValueError:  # a level or a name of a type of its own, like a StrEnum's member
            outlet.write(tuple(map(plain, record)))
        taken[0] = _made_of_what_was_sent
    except Exception as error:  # noqa: BLE001 - the edge to the user's program, where nothing may be raised
        notice(f"an event was not sent: {type(error).__name__}: {error}")
    if _is_last():
        raise structlog.DropEvent
    return event_dict


def to_otel(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> str:
    """Render the event as one line of JSON with OpenTelemetry's field names: the last processor of a chain.

    The line is the one that `runmill.json.JsonFormatter` writes, so the collector reads it back to the same record.
    """
    return encode_line(tuple(map(plain, _flatten(logger, method_name, event_dict, _NO_LIMITS))))


def _flatten(logger: WrappedLogger, method_name: str, event_dict: EventDict, limits: RecordLimits) -> Record:
    """Give the event as a Log."""
    site = _call_site()
    level_name = _level_name(str(event_dict.get("level", method_name)))
    attributes = _attributes(event_dict, site)
    dropped_count = 0
    if limits.cut(len(attributes)):
        attributes, dropped_count = limits.apply(attributes)
    thread_id, thread_name = _thread()
    trace_id, span_id, flags = current_span() if "opentelemetry.trace" in sys.modules else NO_SPAN
    return (
        LOG,
        time.time_ns(),
        current_run_key(),
        _logger_name(logger, event_dict, site),
        _level_number(level_name, event_dict),
        level_name,
        _body(event_dict),
        attributes or None,
        event_dict.get("pathname") or (site.f_code.co_filename if site else ""),
        event_dict.get("lineno") or (site.f_lineno if site else 0),
        event_dict.get("func_name") or (site.f_code.co_qualname if site else ""),
        thread_id,
        thread_name,
        trace_id,
        span_id,
        flags,
        dropped_count,
    )


def _body(event_dict: EventDict) -> Any:
    """Give the event; with its arguments put in, where no processor did that."""
    event, arguments = plain(event_dict.get("event", "")), event_dict.get("positional_args")
    if not arguments or type(event) is not str:
        return event
    try:
        return event % arguments
    except Exception:  # noqa: BLE001 - arguments that do not fit: the event as it was written
        return f"{event} {plain(arguments)}"


def _attributes(event_dict: EventDict, site: FrameType | None) -> dict[str, Any]:
    attributes = {
        key if type(key) is str else str(key): value if type(value) in PLAIN_TYPES else plain(value)
        for key, value in event_dict.items()
        if key not in _NOT_ATTRIBUTES
    }
    if bound := bound_fields():
        attributes = {**bound, **attributes}
    attributes.update(_exception(event_dict))
    if stack := event_dict.get("stack"):
        attributes["code.stacktrace"] = str(stack)
    elif event_dict.get("stack_info") and site is not None:
        attributes["code.stacktrace"] = "".join(traceback.format_stack(site))
    return attributes


def _exception(event_dict: EventDict) -> Mapping[str, Any]:
    """Describe the event's exception, also when ``format_exc_info`` or another renderer ran first."""
    given, rendered = event_dict.get("exc_info"), event_dict.get("exception")
    if not given and rendered is None:
        return {}
    error = given[1] if isinstance(given, tuple) and len(given) > 1 else given
    if not isinstance(error, BaseException):
        error = sys.exc_info()[1]
    if rendered is None:
        return exception_attributes(error) if error is not None else {}
    if isinstance(rendered, str):
        described = exception_attributes(error) if error is not None else rendered_exception_attributes(rendered)
        return {**described, "exception.stacktrace": rendered}
    # dict_tracebacks or its like: structured, and kept so.
    described = exception_attributes(error) if error is not None else _structured_exception(rendered)
    return {**described, "exception": plain(rendered)}


def _structured_exception(rendered: Any) -> dict[str, Any]:
    """Give type and message of what structlog's ExceptionDictTransformer made of an exception."""
    newest = rendered[0] if isinstance(rendered, list) and rendered else None
    if not isinstance(newest, Mapping):
        return {}
    return {
        "exception.type": str(newest.get("exc_type", "")),
        "exception.message": str(newest.get("exc_value", "")),
    }


def _logger_name(logger: WrappedLogger, event_dict: EventDict, site: FrameType | None) -> str:
    """Name the scope: as add_logger_name did, by the wrapped logger's own name, else by the calling module."""
    name = event_dict.get("logger") or getattr(logger, "name", None)
    return name if isinstance(name, str) else str(site.f_globals.get("__name__", "")) if site else ""


def _level_name(level: str) -> str:
    return _LEVEL_NAMES.get(level.lower()) or level.upper()


def _level_number(level_name: str, event_dict: EventDict) -> int:
    """Give the level's number: as it was given, as ``logging`` knows it, else as OpenTelemetry does; 0: unknown."""
    given = event_dict.get("level_number")
    if isinstance(given, int):
        return int(given)
    known = logging.getLevelName(level_name)
    return known if isinstance(known, int) else severity.to_levelno(severity.from_name(level_name) or 0)


def _thread() -> tuple[int, str]:
    """Name the thread that logged: an async method runs its processors on another one, and keeps which it was."""
    kept = getattr(structlog.contextvars, "_ASYNC_CALLING_THREAD", None)
    caller: tuple[int, str] | None = kept.get(None) if kept is not None else None
    if caller is not None:
        return caller
    thread = current_thread()
    return thread.ident or 0, thread.name


def _call_site() -> FrameType | None:
    """Find the frame that logged."""
    kept: FrameType | None = structlog.contextvars._ASYNC_CALLING_STACK.get(None)  # noqa: SLF001 - no public way
    frame: FrameType | None = kept or sys._getframe(2)  # noqa: SLF001 - what logging itself does to find its caller
    while frame is not None and _is_foreign(frame):
        frame = frame.f_back
    return frame


def _is_foreign(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module in _NOT_THE_PROGRAM or module.startswith("structlog.")


def _made_of_what_was_sent() -> logging.LogRecord | None:
    """Give the record that a handler asks about if it is what a chain with `send` made of its event; else None.

    Called in place of the weak reference to the record that this thread gave last. Sure, since nothing but the wrapped
    logger is called by that one function of structlog; a record that a processor logs has other callers.
    """
    emit = sys._getframe(1)  # noqa: SLF001 - as above
    frame: FrameType | None = emit
    while frame is not None and frame.f_globals.get("__name__") in _LOGGING:
        frame = frame.f_back
    if frame is None or frame.f_code is not _PROXY:
        return None
    record: logging.LogRecord | None = emit.f_locals["record"] if send in _processors(frame) else None
    return record


def _processors(frame: FrameType) -> list[object]:
    """Give the chain of the bound logger whose method runs in *frame*."""
    processors: list[object] = getattr(frame.f_locals.get("self"), "_processors", [])
    return processors


def _find_sent_twice() -> Iterator[Fault]:
    """Say so where `send` and a handler both send what is logged, each its own way out: neither sees the other's."""
    config = structlog.get_config()
    is_both = send in config["processors"][:-1] and isinstance(config["logger_factory"], structlog.stdlib.LoggerFactory)
    handlers = [each for each in logging.getLogger().handlers if isinstance(each, Handler)]
    if is_both and any(each.outlet is not default_outlet() for each in handlers):
        yield Fault(
            "structlog",
            "its events are sent twice: by runmill.structlog.send, and by a runmill.Handler with settings of its own",
            "give the settings to runmill.configure or as variables, which hold for both",
        )


def _is_last() -> bool:
    """Say whether the chain that runs now ends with `send`: what comes back would go to the logger itself."""
    runner = sys._getframe(2)  # noqa: SLF001 - structlog tells a processor nothing of its chain
    return _processors(runner)[-1:] == [send]


look_also(_find_sent_twice)
