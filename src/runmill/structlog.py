"""structlog processors: plain callables that give the event dict to runmill as it is, with its types.

```python
structlog.configure(processors=[add_log_level, runmill.structlog.send, ConsoleRenderer()])
```
"""

import logging
import sys
import time
from threading import current_thread
from types import FrameType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from runmill.app.context import NO_SPAN, current_span
from runmill.app.current import current_run_key
from runmill.app.exceptions import exception_attributes
from runmill.app.notices import notice
from runmill.app.outlet import default_outlet
from runmill.app.plain import PLAIN_TYPES, plain
from runmill.journal.records import LOG

__all__ = ["send"]

_LEVELS: Final = {
    "notset": 0,
    "debug": 10,
    "info": 20,
    "msg": 20,
    "success": 25,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "err": 40,
    "exception": 40,
    "critical": 50,
    "fatal": 50,
}

# What has a field of its own, or is structlog's own business.
_NOT_ATTRIBUTES: Final = frozenset(
    {"event", "level", "level_number", "logger", "exc_info", "exception", "stack", "stack_info", "pathname", "lineno",
     "func_name", "_record", "_from_structlog", "_logger", "_name"}
)  # fmt: skip


def send(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:
    """Send the event as a log record; hand the event dict on unchanged.

    ``event`` becomes the body, everything else attributes with their types; level, logger, exception and call site go
    where OpenTelemetry has them, whether the processors that add them ran or not. As the last processor of a chain it
    ends the event there: nothing is printed. It never raises for what is in the event.

    Raises:
        structlog.DropEvent: It is the last processor, so there is nothing to render.
    """
    try:
        _write(logger, method_name, event_dict)
    except Exception as error:  # noqa: BLE001 - the edge to the user's program, where nothing may be raised
        notice(f"an event was not sent: {type(error).__name__}: {error}")
    if _is_last():
        raise structlog.DropEvent
    return event_dict


def _write(logger: WrappedLogger, method_name: str, event_dict: EventDict) -> None:
    level = str(event_dict.get("level", method_name))
    site = _call_site(event_dict)
    thread = current_thread()
    trace_id, span_id, flags = current_span() if "opentelemetry.trace" in sys.modules else NO_SPAN
    default_outlet().write(
        (
            LOG,
            time.time_ns(),
            current_run_key(),
            _logger_name(logger, event_dict, site),
            _level_number(level, event_dict),
            level.upper(),
            plain(event_dict.get("event", "")),
            _attributes(event_dict),
            event_dict.get("pathname") or (site.f_code.co_filename if site else ""),
            event_dict.get("lineno") or (site.f_lineno if site else 0),
            event_dict.get("func_name") or (site.f_code.co_qualname if site else ""),
            thread.ident or 0,
            thread.name,
            trace_id,
            span_id,
            flags,
            0,
        )
    )


def _attributes(event_dict: EventDict) -> dict[str, Any] | None:
    attributes = {
        key: value if type(value) in PLAIN_TYPES else plain(value)
        for key, value in event_dict.items()
        if key not in _NOT_ATTRIBUTES
    }
    attributes.update(_exception(event_dict))
    if stack := event_dict.get("stack"):
        attributes["code.stacktrace"] = str(stack)
    return attributes or None


def _exception(event_dict: EventDict) -> dict[str, Any]:
    """Describe the event's exception, also when ``format_exc_info`` or another renderer ran first."""
    given = event_dict.get("exc_info")
    if isinstance(given, BaseException):
        return exception_attributes(given)
    if isinstance(given, tuple) and len(given) > 1 and isinstance(given[1], BaseException):
        return exception_attributes(given[1])
    active = sys.exc_info()[1]
    if given and active is not None:
        return exception_attributes(active)
    rendered = event_dict.get("exception")
    if rendered is None:
        return {}
    if not isinstance(rendered, str):  # dict_tracebacks: structured already
        return {"exception": plain(rendered)}
    described = exception_attributes(active) if active is not None else _parsed(rendered)
    return {**described, "exception.stacktrace": rendered}


def _parsed(rendered: str) -> dict[str, Any]:
    """Read type and message off the last line of a traceback that starts in the first column."""
    last = next((line for line in reversed(rendered.splitlines()) if line and not line[0].isspace()), "")
    kind, _, message = last.partition(": ")
    return {"exception.type": kind, "exception.message": message}


def _logger_name(logger: WrappedLogger, event_dict: EventDict, site: FrameType | None) -> str:
    """Name the scope: as add_logger_name did, by the wrapped logger's own name, else by the calling module."""
    name = event_dict.get("logger") or getattr(logger, "name", None)
    return name if isinstance(name, str) else str(site.f_globals.get("__name__", "")) if site else ""


def _level_number(level: str, event_dict: EventDict) -> int:
    number = event_dict.get("level_number", _LEVELS.get(level.lower()))
    if isinstance(number, int):
        return number
    custom = logging.getLevelName(level.upper())
    return custom if isinstance(custom, int) else 0


def _call_site(event_dict: EventDict) -> FrameType | None:
    """Find the frame that logged; nothing to find when CallsiteParameterAdder already did."""
    if "pathname" in event_dict and "lineno" in event_dict:
        return None
    site = _first_foreign(sys._getframe(3))  # noqa: SLF001 - what logging itself does to find its caller
    if site is not None and site.f_globals.get("__name__") == "concurrent.futures.thread":
        # An async method runs the processors on another thread, and keeps where it was called.
        return structlog.contextvars._ASYNC_CALLING_STACK.get(None)  # noqa: SLF001
    return site


def _first_foreign(frame: FrameType | None) -> FrameType | None:
    while frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] == "structlog":
        frame = frame.f_back
    return frame


def _is_last() -> bool:
    """Say whether the chain that runs now ends with `send`: what comes back would go to the logger itself."""
    processors = structlog.get_config()["processors"]
    if send not in processors:  # a logger with a chain of its own
        bound = sys._getframe(2).f_locals.get("self")  # noqa: SLF001 - structlog tells a processor nothing of its chain
        processors = getattr(bound, "_processors", None) or [None]
    return processors[-1] is send
