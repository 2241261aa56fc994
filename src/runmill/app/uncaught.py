"""Records the exceptions that nobody caught, and lets what was there before do what it did.

asyncio needs nothing of this: its loops log what a task or a callback left, by the logger ``asyncio``.
"""

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

__all__ = ["UncaughtExceptions"]

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class UncaughtExceptions:
    """Stands in front of ``sys.excepthook`` and ``threading.excepthook``.

    Args:
        keep: Takes each record. Not a logger: the hooks that were there print the exception already.
    """

    def __init__(self, keep: Callable[[logging.LogRecord], object]) -> None:
        self._keep = keep
        self._is_watching = True
        self._main_hook: Hook = sys.excepthook
        self._thread_hook = threading.excepthook
        sys.excepthook = self._in_main_thread
        threading.excepthook = self._in_thread

    def stop(self) -> None:
        """Put back what was; where somebody stands in front of us by now, only pass on from now on."""
        self._is_watching = False
        if sys.excepthook == self._in_main_thread:
            sys.excepthook = self._main_hook
        if threading.excepthook == self._in_thread:
            threading.excepthook = self._thread_hook

    def _in_main_thread(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if self._is_watching:
            self._keep(_record("sys.excepthook", "uncaught exception", error))
        self._main_hook(kind, error, trace)

    def _in_thread(self, args: threading.ExceptHookArgs) -> None:
        # SystemExit ends a thread quietly. Without a value there is nothing to tell: memory ran out.
        if self._is_watching and args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread is not None else "unknown"
            self._keep(_record("threading.excepthook", f"uncaught exception in thread {name!r}", args.exc_value))
        self._thread_hook(args)


def _record(logger: str, message: str, error: BaseException) -> logging.LogRecord:
    """Give a FATAL record that stands where *error* was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    return logging.LogRecord(
        logger,
        logging.CRITICAL,
        code.co_filename if code else "",
        trace.tb_lineno if trace is not None else 0,
        message,
        (),
        (type(error), error, error.__traceback__),
        code.co_name if code else None,
    )
