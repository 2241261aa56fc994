"""What a person, or a container's log driver, sees of the log: chosen by who is looking."""

import logging
import sys
from importlib.util import find_spec
from typing import Final, Literal

__all__ = ["Console", "console_handler", "has_console"]

Console = Literal["auto", "rich", "text", "json", "none"]

_TEXT: Final = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


def has_console(logger: logging.Logger) -> bool:
    """Say whether *logger* prints already: to a stream that is no file, or by rich."""
    return any(
        (isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler))
        or any(kind.__name__ == "RichHandler" for kind in type(handler).__mro__)
        for handler in logger.handlers
    )


def console_handler(console: Console) -> logging.Handler | None:
    """Give a handler that prints to stderr; None for ``none``.

    ``auto``: rich (else text) for a person at a terminal or in a notebook, JSON for whatever collects a stream.
    """
    kind = _chosen() if console == "auto" else console
    if kind == "none":
        return None
    if kind == "rich":
        return _rich()
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if kind == "json" else logging.Formatter(_TEXT))
    return handler


def _chosen() -> Console:
    stream = sys.stderr
    if stream is None:  # a program without a console, as pythonw or a service
        return "none"
    if type(stream).__module__.partition(".")[0] == "ipykernel":
        return "text"
    if not stream.isatty():
        return "json"
    return "rich" if find_spec("rich") is not None else "text"


def _rich() -> logging.Handler:
    from rich.console import Console as RichConsole  # noqa: PLC0415 - not a dependency, and slow to import
    from rich.logging import RichHandler  # noqa: PLC0415 - as above

    class Guarded(RichHandler):
        """Rich's own raises to the program whose message does not fit its arguments."""

        def emit(self, record: logging.LogRecord) -> None:
            try:
                super().emit(record)
            except Exception:  # noqa: BLE001 - the edge to the user's program: as every handler of logging does
                self.handleError(record)

    return Guarded(console=RichConsole(stderr=True), rich_tracebacks=True, omit_repeated_times=False)


def _json() -> logging.Formatter:
    from runmill.app.json_formatter import JsonFormatter  # noqa: PLC0415 - where it is wanted only

    return JsonFormatter()
