"""From a standard library log record to the journal, on the caller's thread: microseconds, no lock, no network."""

import logging
import sys
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from runmill.app import settings as settings_module
from runmill.app.context import NO_SPAN, current_span
from runmill.app.current import current_run_key
from runmill.app.exceptions import exception_attributes
from runmill.app.outlet import Outlet, outlet
from runmill.app.plain import PLAIN_TYPES, plain
from runmill.journal.records import LOG

__all__ = ["Handler"]

_BLANK: Final = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
_STANDARD: Final = frozenset(_BLANK) | {"message", "asctime", "taskName"}
_STANDARD_COUNT: Final = len(_BLANK)

# What `basicConfig` gives a handler that has none: nobody asked for it.
_UNASKED_FORMATS: Final = frozenset(
    {logging.BASIC_FORMAT, "{levelname}:{name}:{message}", "${levelname}:${name}:${message}"}
    | {"%(message)s", "{message}", "${message}"}
)


class Handler(logging.Handler):
    """Sends every record it is given as OTLP, without ever slowing or breaking the program.

    The record is in a memory-mapped journal when the call returns, so it survives the process, however that ends; a
    background thread delivers it to *endpoint* (by default ``OTEL_EXPORTER_OTLP_ENDPOINT``, else the server of the
    home directory, else ``http://localhost:4318``).

    Made any way logging knows: ``basicConfig(handlers=[runmill.Handler()])``, ``dictConfig`` with
    ``class: runmill.Handler``, ``addHandler``. All handlers with equal settings share one journal.

    Args:
        level: As for every handler.
        endpoint: Base address of an OTLP/HTTP receiver; ``/v1/logs`` is put behind it.
        service_name: ``service.name``; by default ``OTEL_SERVICE_NAME``, else the script's name.
        headers: Sent with every request, in place of ``OTEL_EXPORTER_OTLP_HEADERS``.
        home: The home directory; by default ``RUNMILL_HOME``, else the platform's state directory.

    Raises:
        ConfigError: A setting cannot be used; the text says which and what to write.
    """

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        *,
        endpoint: str | None = None,
        service_name: str | None = None,
        headers: Mapping[str, str] | None = None,
        home: str | None = None,
    ) -> None:
        super().__init__(level)
        self._asked_formatter: logging.Formatter | None = None
        self._is_closed = False
        settings = settings_module.resolve(
            endpoint=endpoint, service_name=service_name, headers=dict(headers) if headers else None, home=home
        )
        self._outlet: Outlet = outlet(settings)
        self._outlet.open()
        self._outlet.handler_count += 1
        self._limits = settings.record_limits

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - logging's name
        """Shape the body with *fmt*; the message's template is then kept as ``log.template``.

        The format that ``basicConfig`` sets when none was asked for changes nothing: level, logger and time travel as
        fields of their own.
        """
        super().setFormatter(fmt)
        is_unasked = type(fmt) is logging.Formatter and fmt._style._fmt in _UNASKED_FORMATS  # noqa: SLF001 - no other way
        self._asked_formatter = None if is_unasked else fmt

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:  # type: ignore[override]  # 3.12 says so
        """Filter and keep *record*; without the lock that the standard library would hold here."""
        if self.filters:
            passed = self.filter(record)
            if not passed:
                return passed
            if isinstance(passed, logging.LogRecord):
                record = passed
        self.emit(record)
        return record

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record*. Errors go to ``handleError``, never to the caller."""
        try:
            fields = record.__dict__
            attributes = _extras(fields) if len(fields) > _STANDARD_COUNT else None
            message = record.msg
            if type(message) is not str or self._asked_formatter is not None:
                message, attributes = self._body(record, attributes)
            elif record.args:
                try:
                    message = message % record.args
                except Exception as error:  # noqa: BLE001 - wrong arguments, or an argument's own code
                    attributes = _unformatted(record, error, attributes)
            if record.exc_info or record.exc_text or record.stack_info:
                attributes = _with_traces(record, attributes)
            dropped_count = 0
            if attributes is not None and self._limits.cut(len(attributes)):
                attributes, dropped_count = self._limits.apply(attributes)
            if self._outlet.handler_count > 1 and self._outlet.has_taken(record):
                return
            trace_id, span_id, flags = current_span() if "opentelemetry.trace" in sys.modules else NO_SPAN
            self._outlet.write(
                (
                    LOG,
                    record.created,
                    current_run_key(),
                    record.name,
                    record.levelno,
                    record.levelname,
                    message,
                    attributes,
                    record.pathname,
                    record.lineno,
                    record.funcName,
                    record.thread,
                    record.threadName,
                    trace_id,
                    span_id,
                    flags,
                    dropped_count,
                )
            )
        except Exception:  # noqa: BLE001 - the edge to the user's program, where nothing may be raised
            self.handleError(record)

    def flush(self) -> None:
        """Deliver what was logged so far, for at most the time that the end of a program may take."""
        self._outlet.flush(self._outlet.settings.exit_seconds)

    def close(self) -> None:
        """Take the handler out of use. The journal stays: other handlers and runs write to it."""
        if not self._is_closed:
            self._is_closed = True
            self._outlet.handler_count -= 1
        super().close()

    def _body(self, record: logging.LogRecord, attributes: dict[str, Any] | None) -> tuple[Any, dict[str, Any] | None]:
        """Give the body of a record whose message is no plain text, or is shaped by a formatter."""
        try:
            if self._asked_formatter is not None:
                template = record.msg if type(record.msg) is str else str(record.msg)
                return self._asked_formatter.format(record), {**(attributes or {}), "log.template": template}
            if isinstance(record.msg, dict | list | tuple) and not record.args:
                return plain(record.msg), attributes
            return record.getMessage(), attributes
        except Exception as error:  # noqa: BLE001 - a formatter, or a message's own code
            return _shown(record.msg), _unformatted(record, error, attributes)


def _extras(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what the caller put on the record beyond the standard fields: they come after them."""
    extras = {
        key: value if type(value) in PLAIN_TYPES else plain(value)
        for key, value in islice(fields.items(), _STANDARD_COUNT, None)
        if key not in _STANDARD
    }
    return extras or None


def _with_traces(record: logging.LogRecord, attributes: dict[str, Any] | None) -> dict[str, Any]:
    traces: dict[str, Any] = {}
    if record.exc_info and record.exc_info[1] is not None:
        traces = exception_attributes(record.exc_info[1])
    elif record.exc_text:  # it came through a queue or a socket, as text
        traces["exception.stacktrace"] = record.exc_text
    if record.stack_info:
        traces["code.stacktrace"] = record.stack_info
    return {**(attributes or {}), **traces}


def _unformatted(record: logging.LogRecord, error: Exception, attributes: dict[str, Any] | None) -> dict[str, Any]:
    """Mark a record whose message and arguments do not fit: it arrives as it was written."""
    fault = {"log.format_error": f"{type(error).__name__}: {error}", "log.args": plain(record.args)}
    return {**(attributes or {}), **fault}


def _shown(message: object) -> str:
    shown = plain(message)
    return shown if type(shown) is str else repr(shown)
