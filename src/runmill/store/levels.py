"""The names people give to severities."""

from typing import Final

from runmill.errors import InvalidArgument
from runmill.model import Severity

__all__ = ["HIGHEST", "LEVELS", "parse_level"]

LEVELS: Final = {
    "TRACE": Severity.TRACE,
    "DEBUG": Severity.DEBUG,
    "INFO": Severity.INFO,
    "WARN": Severity.WARN,
    "WARNING": Severity.WARN,
    "ERROR": Severity.ERROR,
    "CRITICAL": Severity.FATAL,
    "FATAL": Severity.FATAL,
}
"""Each name's range begins there and has four numbers."""

HIGHEST: Final = 24


def parse_level(text: str | None) -> int:
    """Give the least severity_number asked for by name or number; 0 for none. Raises InvalidArgument."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and int(text) <= HIGHEST:
        return int(text)
    number = LEVELS.get(text.upper())
    if number is None:
        raise InvalidArgument(
            f"level={text!r} is no level. Give one of {', '.join(LEVELS)} or a severity_number from 0 to {HIGHEST}."
        )
    return number
