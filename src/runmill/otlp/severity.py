"""Level names and numbers of Python's logging to and from OTLP's severity_number: one table."""

from typing import Final

from runmill.model import Severity

__all__ = ["SEVERITY_TEXT", "from_levelno", "from_name", "to_levelno"]

_RANGES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

SEVERITY_TEXT: Final = ("UNSPECIFIED", *(name + step for name in _RANGES for step in ("", "2", "3", "4")))
"""The short name of each severity_number, 0 to 24. Source: OTel logs data model, Displaying Severity."""

_BY_NAME: Final = {
    "TRACE": Severity.TRACE,
    "NOTSET": Severity.UNSPECIFIED,
    "DEBUG": Severity.DEBUG,
    "INFO": Severity.INFO,
    "INFORMATION": Severity.INFO,
    "NOTICE": Severity.INFO + 1,
    "SUCCESS": Severity.INFO,
    "WARN": Severity.WARN,
    "WARNING": Severity.WARN,
    "ERROR": Severity.ERROR,
    "ERR": Severity.ERROR,
    "EXCEPTION": Severity.ERROR,
    "CRITICAL": Severity.FATAL,
    "FATAL": Severity.FATAL,
    "ALERT": Severity.FATAL,
    "EMERGENCY": Severity.FATAL + 3,
}


def from_levelno(levelno: int) -> int:
    """Give the severity_number of a ``logging`` level; levels in between take the next step of their range.

    DEBUG 10 is 5, 11 is 6 (DEBUG2), 13 and above within DEBUG is 8; 53 and above is 24 (FATAL4); below DEBUG
    is TRACE. Source: OTel logs data model, Mapping of SeverityNumber.
    """
    if levelno <= 0:
        return Severity.UNSPECIFIED
    if levelno < 10:  # noqa: PLR2004 - logging.DEBUG; TRACE to TRACE4 over 1..9
        return min(levelno // 2, 3) + 1
    tens, rest = divmod(min(levelno, 59), 10)
    return tens * 4 + 1 + min(rest, 3)


def to_levelno(severity_number: int) -> int:
    """Give the smallest ``logging`` level that `from_levelno` gives that number for."""
    if severity_number <= 0:
        return 0
    if severity_number < Severity.DEBUG:
        return max(1, (severity_number - 1) * 2)
    tens, rest = divmod(min(severity_number, 24) - 1, 4)
    return tens * 10 + rest


def from_name(name: str) -> int | None:
    """Give the severity_number of a level's name in any case (``warning``, ``WARN2``), or None if unknown."""
    upper = name.strip().upper()
    number = _BY_NAME.get(upper)
    if number is None and upper in SEVERITY_TEXT:
        number = SEVERITY_TEXT.index(upper)
    return number
