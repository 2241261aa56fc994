"""Logging for a program that has none set up: one call, and it can be called again."""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self, get_args

from runmill.app import outlet as outlets
from runmill.app.added import Added
from runmill.app.console import Console, console_handler, has_console
from runmill.app.handler import Handler
from runmill.app.settings import switch
from runmill.app.uncaught import UncaughtExceptions
from runmill.errors import ConfigError

__all__ = ["Configuration", "configure"]

Level = int | str

_ROOT: Final = ""
"""The root logger's name among levels and loggers."""

_lock: Final = threading.RLock()
_newest: "Configuration | None" = None


def configure(
    *,
    level: Level | Mapping[str, Level] | None = None,
    loggers: Iterable[str] = (),
    console: Console = "auto",
    endpoint: str | None = None,
    service_name: str | None = None,
    headers: Mapping[str, str] | None = None,
    home: str | None = None,
    scrub: bool | None = None,
    attributes: Added | None = None,
    reattach: bool = False,
) -> "Configuration":
    """Send everything the program logs as OTLP, and print it: the one line for a program without logging set up.

    Records, warnings, uncaught exceptions (of threads too) and crashes of the interpreter are sent; what printed them
    before still does. Secrets are blanked on the way. structlog's `send` goes the same way out.

    Call it again at any time: nothing is attached twice, what somebody took off (``dictConfig`` takes all handlers
    off) is put on again, and the newest arguments hold. As a context manager it puts back what was there before:

    ```python
    with runmill.configure(level="DEBUG"):
        main()
    ```

    Args:
        level: Of the root logger; or per logger name, with ``""`` for the root. By default ``RUNMILL_LEVEL``, else
            ``OTEL_PYTHON_LOG_LEVEL``, else INFO.
        loggers: Names of loggers that do not propagate (``uvicorn``, ``gunicorn.error``): they get the handler too.
        console: What is printed to stderr, where the root logger has no console handler yet: ``auto`` is ``rich``
            (else ``text``) on a terminal and ``json`` elsewhere; or ``none``.
        endpoint: As for `Handler`, and so the four after it.
        service_name: As for `Handler`.
        headers: As for `Handler`.
        home: As for `Handler`.
        scrub: Blank secrets before they are sent; by default as ``RUNMILL_SCRUB`` says, else yes.
        attributes: Put on every record, as for `Handler`.
        reattach: Whenever ``dictConfig``, ``fileConfig`` or ``basicConfig(force=True)`` takes the handler off, put it
            on again as soon as they are done. Levels and console stay as they then are.

    Raises:
        ConfigError: An argument or a variable cannot be used; nothing was changed.
    """
    if console not in get_args(Console):
        raise ConfigError(f"console: {console!r} is not known. Use one of {', '.join(map(repr, get_args(Console)))}.")
    levels = _levels(level)
    is_scrubbing = switch("RUNMILL_SCRUB", default=True) if scrub is None else scrub

    def make_handler() -> _Attached:
        return _Attached(
            endpoint=endpoint,
            service_name=service_name,
            headers=headers,
            home=home,
            scrub=is_scrubbing,
            attributes=attributes,
        )

    configuration = Configuration(make_handler, (_ROOT, *loggers), is_reattaching=reattach)
    configuration.start(levels, console)
    return configuration


class Configuration:
    """What one call of `configure` set up."""

    def __init__(
        self, make_handler: "Callable[[], _Attached]", loggers: Iterable[str], *, is_reattaching: bool
    ) -> None:
        self._make_handler = make_handler
        self._loggers = [logging.getLogger(name or None) for name in dict.fromkeys(loggers)]
        self._is_reattaching = is_reattaching
        self._undo = ExitStack()
        self.handler: _Attached = make_handler()
        """What sends the records of this configuration."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self, levels: Mapping[str, int], console: Console) -> None:
        """Change what has to be changed, remembering how to put it back."""
        with _lock:
            self._undo.callback(_make_newest, _newest)
            _make_newest(self)
            self._attach()
            self._set_levels(levels)
            self._print_to(console)
            self._watch()

    def close(self) -> None:
        """Put back what was before the call: handlers, levels, hooks. What was logged is delivered all the same."""
        with _lock:
            self._undo.close()
            self.handler.retire()

    def _attach(self) -> None:
        self.handler.on_close = self._reattach_soon if self._is_reattaching else None
        for logger in self._loggers:
            for stale in [each for each in logger.handlers if isinstance(each, _Attached)]:
                logger.removeHandler(stale)
                stale.retire()
                self._undo.callback(stale.put_back, logger)
            if any(isinstance(each, Handler) for each in logger.handlers):
                continue  # the program's own: it knows why
            logger.addHandler(self.handler)
            self._undo.callback(logger.removeHandler, self.handler)

    def _set_levels(self, levels: Mapping[str, int]) -> None:
        for name, level in levels.items():
            logger = logging.getLogger(name or None)
            self._undo.callback(logger.setLevel, logger.level)
            logger.setLevel(level)

    def _print_to(self, console: Console) -> None:
        root = logging.getLogger()
        if has_console(root) or (handler := console_handler(console)) is None:
            return
        root.addHandler(handler)
        self._undo.callback(root.removeHandler, handler)

    def _watch(self) -> None:
        """Have warnings and uncaught exceptions go the same way; those that an earlier call watches already do."""
        if logging._warnings_showwarning is None:  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to ask
            logging.captureWarnings(capture=True)
            self._undo.callback(logging.captureWarnings, capture=False)
        if not _uncaught:
            _uncaught.append(UncaughtExceptions(_keep_uncaught))
            self._undo.callback(lambda: _uncaught.pop().stop())

    def _reattach_soon(self) -> None:
        """Attach again when whoever closed the handler is done: until then it holds logging's lock."""
        try:
            threading.Thread(target=self._reattach, name="runmill-reattach", daemon=True).start()
        except RuntimeError:  # the interpreter ends, and logging.shutdown closes all handlers
            return

    def _reattach(self) -> None:
        with logging._lock:  # type: ignore[attr-defined]  # noqa: SLF001 - dictConfig's own: waited for, not kept
            pass
        with _lock:
            if _newest is self and any(self.handler not in logger.handlers for logger in self._loggers):
                self.handler = self._make_handler()  # closed handlers are not told of the next wiping
                self._attach()


class _Attached(Handler):
    """A handler that `configure` made, and may take away or put on again."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        """Tell who wants to know that it is out of use."""
        super().close()
        if self.on_close is not None:
            self.on_close()

    def retire(self) -> None:
        """Go out of use, quietly."""
        self.on_close = None
        self.close()

    def put_back(self, logger: logging.Logger) -> None:
        """Be of use again."""
        self.reopen()
        logger.addHandler(self)


_uncaught: Final[list[UncaughtExceptions]] = []
"""One at most: all configurations share it."""


def _keep_uncaught(record: logging.LogRecord) -> None:
    if _newest is not None:
        _newest.handler.handle(record)


def _make_newest(configuration: Configuration | None) -> None:
    """Have structlog's events, uncaught exceptions and crashes go *configuration*'s way."""
    global _newest  # noqa: PLW0603 - a process has one logging
    if _newest is not None:
        _newest.handler.outlet.unwatch_crashes()
    _newest = configuration
    outlets.choose_default(configuration.handler.outlet if configuration else None)
    if configuration is not None:
        configuration.handler.outlet.watch_crashes()


def _levels(level: Level | Mapping[str, Level] | None) -> dict[str, int]:
    """Give each logger's level as a number; the root always has one."""
    given = level if isinstance(level, Mapping) else {} if level is None else {_ROOT: level}
    variable = next((name for name in ("RUNMILL_LEVEL", "OTEL_PYTHON_LOG_LEVEL") if os.environ.get(name)), None)
    default = {_ROOT: _number(os.environ[variable], variable) if variable else logging.INFO}
    return default | {name: _number(value, f"level of {name or 'root'!r}") for name, value in given.items()}


def _number(level: Level, where: str) -> int:
    known = logging.getLevelNamesMapping()
    if isinstance(level, int):
        return level
    try:
        return int(level) if level.isdigit() else known[level.upper()]
    except KeyError:
        raise ConfigError(f"{where}: {level!r} is no level. Use one of {', '.join(known)}, or a number.") from None
