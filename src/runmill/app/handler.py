"""From a standard library log record to the journal, on the caller's thread: microseconds, no lock, no network."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Final
from weakref import ref

from runmill.app import settings as settings_module
from runmill.app.added import Added, added_attributes
from runmill.app.diagnosis import find_faults
from runmill.app.outlet import Outlet, outlet
from runmill.app.plain import plain
from runmill.app.stdlib_record import flatten
from runmill.journal.brief import whole

__all__ = ["Handler"]

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
        scrub: Blank secrets before records are sent; by default as ``RUNMILL_SCRUB`` says, else not.
        attributes: Put on every record: a mapping, or a callable that is given the record and gives one. What the
            caller gave as ``extra`` wins. Where the callable fails the record says so in ``log.attributes_error``.

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
        scrub: bool | None = None,
        attributes: Added | None = None,
    ) -> None:
        # First: a handler whose settings are wrong must not be known to logging, which would close it at the end.
        added = added_attributes(attributes)
        settings = settings_module.resolve(
            endpoint=endpoint,
            service_name=service_name,
            headers=dict(headers) if headers else None,
            home=home,
            scrub=scrub,
        )
        super().__init__(level)
        self._asked_formatter: logging.Formatter | None = None
        self._added = added
        self.outlet: Outlet = outlet(settings)
        self._taken = self.outlet.taken
        self._limits = settings.record_limits
        self._is_closed = True
        self.reopen()

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
            taken = self._taken.slot
            if taken[0]() is record:  # it reached us by two loggers, or two handlers
                return
            taken[0] = ref(record)
            place, created, body, rest = flatten(record, self._asked_formatter, self._limits, self._added)
            try:
                self.outlet.write_log(place, created, body, rest)
            except Exception:  # noqa: BLE001 - a level or a name of a type of its own, like an IntEnum's member
                self.outlet.write(tuple(map(plain, whole(place, created, body, rest))))
        except Exception:  # noqa: BLE001 - the edge to the user's program, where nothing may be raised
            self.handleError(record)

    def flush(self) -> None:
        """Deliver what was logged so far, for at most the time that the end of a program may take.

        Called by ``dictConfig`` and its like it returns at once: they hold a lock that log calls of other threads need.
        The journal keeps the records, and the background thread goes on delivering.
        """
        if not logging._lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001 - the lock has no other name
            self.outlet.flush(self.outlet.settings.exit_seconds)

    def reopen(self) -> None:
        """Take the handler into use, again after `close`; nothing happens when it is."""
        if self._is_closed:
            self._is_closed = False
            self.outlet.open()
            self.outlet.report_faults(partial(find_faults, Handler))

    def close(self) -> None:
        """Take the handler out of use. The journal stays: other handlers and runs write to it."""
        if not self._is_closed:
            self._is_closed = True
        super().close()
