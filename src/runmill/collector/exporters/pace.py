"""How soon a commit may follow the last: small ones at once while there are few, spaced when they go on and on.

A program that ends a run sends one request after the other, and waits for each: a pause between two commits is a pause
in the program. Many programs that send now and then would keep the store committing all the time without one.
"""

from typing import Final

__all__ = ["Pace"]

_SHARE: Final = 0.25
"""The part of the time that small commits may take."""
_MOST_AHEAD_SECONDS: Final = 0.25
"""So much of it may be used at once: what a second brings."""


class Pace:
    """Counts what commits took; *interval_seconds* is the longest pause."""

    def __init__(self, *, interval_seconds: float) -> None:
        self._interval_seconds = interval_seconds
        self._allowed_seconds = _MOST_AHEAD_SECONDS
        self._last_end = 0.0

    def committed(self, *, start: float, end: float) -> None:
        """Take note of a commit."""
        earned = (end - self._last_end) * _SHARE
        self._allowed_seconds = min(_MOST_AHEAD_SECONDS, self._allowed_seconds + earned) - (end - start)
        self._last_end = end

    def next_start(self) -> float:
        """Say when the next may begin."""
        return self._last_end + min(self._interval_seconds, max(0.0, -self._allowed_seconds) / _SHARE)
