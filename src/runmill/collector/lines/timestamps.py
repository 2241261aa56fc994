"""Times as log lines have them, to nanoseconds since the epoch; fast where they are one like another."""

import re
from datetime import datetime, timezone
from typing import Final

__all__ = ["fitting", "from_iso", "from_rfc3339"]

_SECOND: Final = 1_000_000_000
_LATEST_UNIX_NANO: Final = (1 << 63) - 1
_MOST_SECONDS_KEPT: Final = 4096
_LENGTH_TO_SECOND: Final = len("2026-11-22T01:04:26")

_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?\s?(Z|UTC|[+-]\d\d:?\d\d)?", re.IGNORECASE
)

_LENGTH_TO_ZONE: Final = len("2026-11-22T01:04:26.734407489")

_seconds_of: dict[tuple[str, str], int] = {}
"""By second and zone: lines of one second share it, so nearly every look-up hits."""


def from_rfc3339(text: str) -> int | None:
    """Read ``2026-11-22T01:04:26.734407489Z`` or with an offset such as ``+02:00``; None for anything else."""
    second = _seconds_of.get((text[:_LENGTH_TO_SECOND], text[_LENGTH_TO_ZONE:]))
    if second is not None:  # nine digits stand between, as engines write it
        fraction = text[_LENGTH_TO_SECOND + 1 : _LENGTH_TO_ZONE]
        if fraction.isdecimal() and text[_LENGTH_TO_SECOND] == ".":
            return second + int(fraction)
    return _read(text)


def from_iso(text: str, *, local: timezone | None = None) -> int | None:
    """Read a date and time as loggers write it: ``T`` or a space, ``.`` or ``,``, with or without a zone.

    Without one it is *local*; by default what the collector's machine has.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{_zone(zone)}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=local) if local else moment.astimezone()
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError):  # the latter: no zone's rules reach so far
        return None
    return fitting(seconds * _SECOND + int((fraction or "0").ljust(9, "0")))


def fitting(unix_nano: int) -> int | None:
    """Give a time between 1970 and 2262; None for any other, as 64 bits hold none."""
    return unix_nano if 0 <= unix_nano <= _LATEST_UNIX_NANO else None


def _read(text: str) -> int | None:
    has_zone = text[-1:] == "Z" or text[-6:-5] in ("+", "-")
    found = from_iso(text) if has_zone and text[10:11] == "T" else None
    zone = text[_LENGTH_TO_ZONE:]
    if found is not None and zone and zone[0] in "Z+-":
        if len(_seconds_of) >= _MOST_SECONDS_KEPT:
            _seconds_of.clear()
        _seconds_of[text[:_LENGTH_TO_SECOND], zone] = found - found % _SECOND
    return found


def _zone(zone: str | None) -> str:
    return "" if zone is None else "+00:00" if zone.upper() in ("Z", "UTC") else zone
