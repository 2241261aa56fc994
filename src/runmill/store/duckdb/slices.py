"""Points that come batch by batch, reduced to slices of x: the engine reads, numpy sums up.

Memory is that of a batch and of the slices, however many points there are. In numpy that is a tenth of what the
engine's own grouping takes: points nearly always come by ascending x, so a slice is found once and not for each point.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from runmill.store.query import Bucket

__all__ = ["Slices"]

Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_NEVER: Final = np.iinfo(np.int64).max


class Slices:
    """*count* slices of the x from *first* to *last*; points with another x must not come.

    Slices of integers are as equal as can be without a fraction.
    """

    def __init__(self, first: float, last: float, count: int) -> None:
        self._edges = _edges(first, last, count)
        """Where each slice begins."""
        kind = self._edges.dtype
        least, largest = (-np.inf, np.inf) if kind.kind == "f" else (-_NEVER - 1, _NEVER)
        self._x = np.full(count, largest, kind)
        self._time = np.full(count, _NEVER, np.int64)
        self._count = np.zeros(count, np.int64)
        self._finite = np.zeros(count, np.int64)
        self._minimum = np.full(count, np.inf)
        self._maximum = np.full(count, -np.inf)
        self._last = np.full(count, np.nan)
        self._last_x = np.full(count, least, kind)
        self._last_seq = np.full(count, -1, np.int64)

    def take(self, x: npt.NDArray[Any], value: Doubles, time: Integers, seq: Integers) -> None:
        """Add some points, at least one, in any order."""
        if not ((x[1:] >= x[:-1]).all() and (seq[1:] > seq[:-1]).all()):
            order = np.lexsort((seq, x))
            x, value, time, seq = x[order], value[order], time[order], seq[order]
        parts = self._divided(x)
        touched, starts, ends = parts
        self._x[touched] = np.minimum(self._x[touched], x[starts])
        self._time[touched] = np.minimum(self._time[touched], np.minimum.reduceat(time, starts))
        self._count[touched] += ends - starts
        finite = np.isfinite(value)
        if finite.all():
            self._take_finite(parts, x, value, seq)
        elif finite.any():
            x = x[finite]
            self._take_finite(self._divided(x), x, value[finite], seq[finite])

    def buckets(self) -> Sequence[Bucket]:
        """Give the slices that have points, by ascending x."""
        taken = self._count > 0
        shown = self._finite[taken] > 0
        return tuple(
            map(
                Bucket,
                self._x[taken].astype(np.float64).tolist(),
                *(_where(shown, each[taken]) for each in (self._minimum, self._maximum, self._last)),
                self._count[taken].tolist(),
                (self._count - self._finite)[taken].tolist(),
                self._time[taken].tolist(),
            )
        )

    def _divided(self, x: npt.NDArray[Any]) -> "_Parts":
        first, last = np.searchsorted(self._edges, (x[0], x[-1]), side="right") - 1
        bounds = np.concatenate(([0], np.searchsorted(x, self._edges[first + 1 : last + 1]), [len(x)]))
        has_some = np.flatnonzero(bounds[1:] > bounds[:-1])
        return _Parts(first + has_some, bounds[has_some], bounds[has_some + 1])

    def _take_finite(self, parts: "_Parts", x: npt.NDArray[Any], value: Doubles, seq: Integers) -> None:
        touched, starts, ends = parts
        self._finite[touched] += ends - starts
        self._minimum[touched] = np.minimum(self._minimum[touched], np.minimum.reduceat(value, starts))
        self._maximum[touched] = np.maximum(self._maximum[touched], np.maximum.reduceat(value, starts))
        last_x, last_seq = x[ends - 1], seq[ends - 1]
        known_x, known_seq = self._last_x[touched], self._last_seq[touched]
        is_later = (last_x > known_x) | ((last_x == known_x) & (last_seq > known_seq))
        touched, last = touched[is_later], (ends - 1)[is_later]
        self._last[touched], self._last_x[touched], self._last_seq[touched] = value[last], x[last], seq[last]


class _Parts(NamedTuple):
    """The slices in which some points lie that are in order, and where those of each begin and end."""

    touched: Places
    starts: Places
    ends: Places


def _edges(first: float, last: float, count: int) -> npt.NDArray[Any]:
    if isinstance(first, int) and isinstance(last, int):
        # Python's integers: the distance of two of 64 bits need not be one.
        return np.array([first - (first - last) * n // count for n in range(count)], np.int64)
    return np.asarray(first + (last / count - first / count) * np.arange(count))


def _where(shown: npt.NDArray[np.bool_], numbers: Doubles) -> list[float | None]:
    return [number if is_shown else None for number, is_shown in zip(numbers.tolist(), shown.tolist(), strict=True)]
