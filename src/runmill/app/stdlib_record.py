"""A standard library log record as what a journal holds: nothing of it is left out.

On the caller's thread, on every log call: what most records do not have costs a comparison and no more.
"""

import logging
import sys
from collections.abc import Mapping
from itertools import islice
from marshal import dumps
from typing import Any, Final

from runmill.app import current
from runmill.app.added import AddedAttributes
from runmill.app.bound import bound_fields
from runmill.app.context import NO_SPAN, current_span
from runmill.app.current import run_key_in_context
from runmill.app.exceptions import exception_attributes, rendered_exception_attributes
from runmill.app.limits import RecordLimits
from runmill.app.plain import PLAIN_TYPES, plain
from runmill.journal.brief import MARSHAL_VERSION, Body, Place, Rest, format_fault

__all__ = ["flatten"]

_BLANK: Final = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
_STANDARD: Final = frozenset(_BLANK) | {"message", "asctime", "taskName"}
_STANDARD_COUNT: Final = len(_BLANK)

_modules: Final = sys.modules


def flatten(  # noqa: C901 - written out: a function more would cost a hundredth of a log call
    record: logging.LogRecord,
    formatter: logging.Formatter | None,
    limits: RecordLimits,
    added: AddedAttributes | None = None,
) -> tuple[Place, float, Body, Rest]:
    """Give *record* as the parts of a Log; its body is what *formatter* makes of it, by default the message alone.

    *added* gives attributes that the caller's own go before.

    Raises only for what is no log record: a message that cannot be formatted is given as it was written, and marked.
    """
    # All taken before `__dict__` is asked for: from then on CPython keeps the fields in a dict, and each costs three
    # times as much to read.
    body: Any
    args: Any
    body, args, template = record.msg, record.args, None
    is_body = formatter is None and type(body) is str
    if args:
        is_body = is_body and type(args) is tuple
        for arg in args if is_body else ():
            if type(arg) not in PLAIN_TYPES:  # only now it has the text that it should have
                is_body = False
                break
        if is_body:
            template, body = body, dumps(args, MARSHAL_VERSION)
    place = (
        run_key_in_context() or current.process_wide_run_key,
        record.name,
        record.levelno,
        record.levelname,
        record.pathname,
        record.lineno,
        record.funcName,
        record.thread,
        record.threadName,
        template,
    )
    created = record.created
    has_traces = record.exc_info or record.exc_text or record.stack_info
    attributes = bound_fields() if added is None else {**added(record), **(bound_fields() or {})}
    if len(fields := record.__dict__) > _STANDARD_COUNT:
        attributes = _with_extras(record, attributes)
    if not is_body:
        body, attributes = _body(record, formatter, attributes)
    if has_traces:
        attributes = _with_traces(record, attributes)
    if (task_name := fields.get("taskName")) is not None:
        attributes = {**(attributes or {}), "asyncio.task.name": str(task_name)}
    if "opentelemetry.trace" not in _modules and (attributes is None or not limits.cut(len(attributes))):
        return place, created, body, attributes
    return place, created, body, _rest(attributes, limits)


def _rest(attributes: dict[str, Any] | None, limits: RecordLimits) -> Rest:
    span = current_span() if "opentelemetry.trace" in _modules else NO_SPAN
    dropped_count = 0
    if attributes is not None and limits.cut(len(attributes)):
        attributes, dropped_count = limits.apply(attributes)
    return attributes if span is NO_SPAN and not dropped_count else (attributes, *span, dropped_count)


def _with_extras(record: logging.LogRecord, attributes: dict[str, Any] | None) -> dict[str, Any] | None:
    """Add what the caller put on the record: it comes behind the standard fields, unless a factory mixed them."""
    start = _STANDARD_COUNT if type(record) is logging.LogRecord else 0
    extras = {
        key if type(key) is str else str(key): value if type(value) in PLAIN_TYPES else plain(value)
        for key, value in islice(record.__dict__.items(), start, None)
        if key not in _STANDARD
    }
    return {**attributes, **extras} if attributes else extras or None


def _body(
    record: logging.LogRecord, formatter: logging.Formatter | None, attributes: dict[str, Any] | None
) -> tuple[Any, dict[str, Any] | None]:
    """Give the body of a record whose message is no plain text, or is shaped by a formatter."""
    message = record.msg
    try:
        if formatter is not None:
            template = message if type(message) is str else str(message)
            return formatter.format(record), {**(attributes or {}), "log.template": template}
        if type(message) is dict and attributes and "_logger" in attributes and "_name" in attributes:
            return _structlog_event(message, attributes)
        if isinstance(message, dict | list | tuple) and not record.args:
            return plain(message), attributes
        if isinstance(message, BaseException) and not record.exc_info:
            attributes = {**(attributes or {}), **exception_attributes(message)}
        return record.getMessage(), attributes
    except Exception as error:  # noqa: BLE001 - a formatter, or a message's own code
        return _shown(message), _unformatted(record, error, attributes)


def _structlog_event(event_dict: Mapping[str, Any], attributes: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Take apart what structlog's ``wrap_for_formatter`` puts in place of a message."""
    event = dict(event_dict)
    body = plain(event.pop("event", ""))
    traces = _structlog_traces(event)
    for name in ("level", "logger", "timestamp", "exc_info", "stack_info"):
        event.pop(name, None)  # each is on the record already
    own = {name: value for name, value in attributes.items() if name not in ("_logger", "_name")}
    return body, {**own, **plain(event), **traces}


def _structlog_traces(event: dict[str, Any]) -> dict[str, Any]:
    """Describe an exception that structlog holds back until a formatter would have asked for it."""
    given = event.get("exc_info")
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if given and error is None:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        return exception_attributes(error)
    return rendered_exception_attributes(event.pop("exception")) if type(event.get("exception")) is str else {}


def _with_traces(record: logging.LogRecord, attributes: dict[str, Any] | None) -> dict[str, Any]:
    traces: dict[str, Any] = {}
    given: Any = record.exc_info
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        traces = exception_attributes(error)
    elif record.exc_text:  # it came through a queue or a socket, as text
        traces = rendered_exception_attributes(record.exc_text)
    if record.stack_info:
        traces["code.stacktrace"] = record.stack_info
    # First, since a limit on attributes must not cost the exception.
    return {**traces, **attributes, **traces} if attributes else traces


def _unformatted(record: logging.LogRecord, error: Exception, attributes: dict[str, Any] | None) -> dict[str, Any]:
    """Mark a record whose message and arguments do not fit: it arrives as it was written."""
    return {**(attributes or {}), **format_fault(error, plain(record.args))}


def _shown(message: object) -> str:
    shown = plain(message)
    return shown if type(shown) is str else repr(shown)
