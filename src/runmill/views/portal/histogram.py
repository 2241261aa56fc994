"""How many lines when, by level: bars over time, each a link to its slice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from runmill.store.query import LogCount

__all__ = ["Bar", "Histogram", "Piece", "histogram_of"]

WIDTH: Final = 1200
HEIGHT: Final = 48
_LEVELS: Final[Mapping[int, str]] = {
    21: "fatal", 17: "error", 13: "warn", 9: "info", 5: "debug", 1: "trace", 0: "info",
}  # fmt: skip
_WORRYING: Final = 13
_SEEN: Final = 2.0
"""So high at least is a warning among thousands."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines of one level in one slice, as a box; y grows downwards."""

    level: str
    y: float
    height: float
    count: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One slice of time."""

    x: float
    width: float
    start_unix_nano: int
    end_unix_nano: int
    pieces: tuple[Piece, ...]

    @property
    def count(self) -> int:
        """All its lines."""
        return sum(piece.count for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars in a box of WIDTH by HEIGHT, over the time that the lines span."""

    start_unix_nano: int
    end_unix_nano: int
    bars: tuple[Bar, ...]
    counts: Mapping[str, int]
    """Of each level that there is, the worst first."""
    width: int = WIDTH
    height: int = HEIGHT


def histogram_of(counts: Sequence[LogCount], *, slices: int) -> Histogram | None:
    """Draw what a store counted in *slices* parts; None where all lines have one time: there is no course to show."""
    if not counts or counts[0].start_unix_nano == counts[-1].start_unix_nano:
        return None
    start = counts[0].start_unix_nano
    # The store cuts the time from the first line to the last into equal parts, so the last slice has lines.
    step = max(1, -(-(counts[-1].start_unix_nano - start) // (slices - 1)))
    by_start = {key: sorted(group, key=_worst_first) for key, group in groupby(counts, key=_start)}
    highest = max(sum(each.count for each in group) for group in by_start.values())
    width = WIDTH / slices
    bars = (
        Bar((at - start) // step * width, width - 1, at, at + step, _pieces(group, highest))
        for at, group in by_start.items()
    )
    return Histogram(start, start + step * slices, tuple(bars), _totals(counts))


def _start(count: LogCount) -> int:
    return count.start_unix_nano


def _worst_first(count: LogCount) -> int:
    return -count.severity_number


def _pieces(group: Iterable[LogCount], highest: int) -> tuple[Piece, ...]:
    """Stack them from the ground, the worst at the bottom: there it is compared with its like in other slices."""
    ground, pieces = float(HEIGHT), []
    for each in group:
        least = _SEEN if each.severity_number >= _WORRYING else 0.5
        height = min(max(least, each.count / highest * HEIGHT), ground)
        ground -= height
        pieces.append(Piece(_LEVELS.get(each.severity_number, "info"), round(ground, 2), round(height, 2), each.count))
    return tuple(pieces)


def _totals(counts: Iterable[LogCount]) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for each in sorted(counts, key=_worst_first):
        level = _LEVELS.get(each.severity_number, "info")
        totals[level] = totals.get(level, 0) + each.count
    return totals
