"""Numbers, times and sizes as a person reads them; each has its exact form for the hover."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from runmill.model import Run
from runmill.views.portal.zones import local

__all__ = [
    "ago",
    "clock",
    "count",
    "day",
    "duration",
    "exact_number",
    "exact_time",
    "flat",
    "heat",
    "number",
    "percent",
    "run_name",
    "short_id",
    "size",
    "weekday",
]

_SECOND: Final = 1_000_000_000
_MINUTE_SECONDS: Final = 60
_HOUR_SECONDS: Final = 3_600
_DAY_SECONDS: Final = 86_400
_DIGITS: Final = 4
_LONGEST_COUNT: Final = 10**12
_DRAWN_ID: Final = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")
_ROUNDED: Final = 10**_DIGITS
"""From here on 4 digits would lose some of a whole number."""


def number(value: object) -> str:
    """Give 4 significant digits: ``0.01234``, ``12,350``, ``1.235e-07``; what is no number as its text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _word(value)
    if _is_count(value):
        return f"{int(value):,}"  # nobody wants it rounded
    if not math.isfinite(value):
        return exact_number(value)
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if -_DIGITS <= magnitude < _DIGITS + 3:
        return f"{round(value, _DIGITS - 1 - magnitude):,.{max(0, _DIGITS - 1 - magnitude)}f}"
    return f"{value:.{_DIGITS - 1}e}"


def exact_number(value: object) -> str:
    """Give every digit."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    return _word(value)


def run_name(run: Run) -> str:
    """Give what the user calls the run, or the head of its id where that is its only name."""
    name = run.display_name or run.name
    return name if name and name != run.run_id else short_id(run.run_id)


def short_id(run_id: str) -> str:
    """Give the head of an id that is drawn by lot, and the whole of one that somebody can read."""
    return run_id[:8] if _DRAWN_ID.fullmatch(run_id) else run_id


def percent(share: float) -> str:
    """Give a share of 1 in percent: ``0 %``, ``0.4 %``, ``12 %``, ``100 %``."""
    if 0 < share < 0.0995:  # noqa: PLR2004 - below ten percent a tenth is worth reading
        return f"{max(share * 100, 0.1):.1f} %"
    return f"{share * 100:.0f} %"


def heat(value: float, greatest: float) -> int:
    """Give the shade of a cell, 0 to 9; what is not nothing has a shade."""
    if not (value > 0 and greatest > 0):
        return 0
    return min(9, 1 + int(value / greatest * 8.999))


def count(value: int) -> str:
    """Give a whole number with its thousands apart."""
    return f"{value:,}"


def size(size_bytes: int) -> str:
    """Give a size in the unit that keeps it below 1,000: ``12.3 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - decimal units
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(nanoseconds: int) -> str:
    """Give two units at most: ``412 ms``, ``8.4 s``, ``3m 12s``, ``1h 04m``, ``2d 03h``."""
    seconds = max(0, nanoseconds) / _SECOND
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - a tenth of a second still says something
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE_SECONDS:
        return f"{whole} s"
    if whole < _HOUR_SECONDS:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < _DAY_SECONDS:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def ago(unix_nano: int, *, now_unix_nano: int) -> str:
    """Give how long ago: ``just now``, ``3 min ago``, ``5 h ago``, ``2 days ago``, then the date."""
    seconds = (now_unix_nano - unix_nano) // _SECOND
    if seconds < 10:  # noqa: PLR2004
        return "just now"
    if seconds < _MINUTE_SECONDS:
        return f"{seconds} s ago"
    if seconds < _HOUR_SECONDS:
        return f"{seconds // 60} min ago"
    if seconds < _DAY_SECONDS:
        return f"{seconds // 3600} h ago"
    days = seconds // _DAY_SECONDS
    if days < 14:  # noqa: PLR2004 - beyond two weeks a date says more
        return f"{days} day{'s' if days > 1 else ''} ago"
    return day(unix_nano)


def exact_time(unix_nano: int) -> str:
    """Give date, time to the microsecond and zone."""
    return local(unix_nano).strftime("%Y-%m-%d %H:%M:%S.%f %Z")


def day(unix_nano: int) -> str:
    """Give the date."""
    return local(unix_nano).strftime("%Y-%m-%d")


def weekday(unix_nano: int) -> str:
    """Give the date as one says it, with the zone: ``Sunday, 22 November 2026 (CET)``."""
    moment = local(unix_nano)
    return f"{moment:%A}, {moment.day} {moment:%B %Y (%Z)}"


def clock(unix_nano: int) -> str:
    """Give the time of day to the millisecond, as log lines show it."""
    return local(unix_nano).strftime("%H:%M:%S.%f")[:-3]


def flat(fields: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value with its path, those of mappings within one by one: ``("tags.model", "sgd")``."""
    for key, value in fields.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", exact_number(value)


def _is_count(value: float) -> bool:
    return abs(value) < _LONGEST_COUNT and (isinstance(value, int) or (value.is_integer() and abs(value) >= _ROUNDED))


def _word(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
