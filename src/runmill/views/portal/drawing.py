"""Lines as SVG: what a page shows of a series before, or without, any script."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Drawing", "draw"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Path data of one line a series inside a box of *width* by *height*; y grows downwards, as in SVG."""

    width: int
    height: int
    paths: tuple[str, ...]
    low: float
    high: float


def draw(lines: Iterable[Sequence[tuple[float, float | None]]], *, width: int, height: int) -> Drawing | None:
    """Fit (x, y) lines into one box; a y that is None or not finite breaks its line. None: there is nothing to draw."""
    kept = [[(x, y if y is not None and math.isfinite(y) else None) for x, y in line] for line in lines]
    xs = [x for line in kept for x, _ in line]
    ys = [y for line in kept for _, y in line if y is not None]
    if not ys:
        return None
    across = _scale(min(xs), max(xs), 0, width)
    down = _scale(max(ys), min(ys), 2, height - 4)
    paths = tuple(_path([(across(x), None if y is None else down(y)) for x, y in line]) for line in kept)
    return Drawing(width, height, paths, min(ys), max(ys))


def _scale(low: float, high: float, start: float, length: float) -> Callable[[float], float]:
    span = high - low
    # A span can be 0 (one value), overflow (both ends of the float range) or be too small to divide by: then all lie
    # in the middle.
    factor = length / span if span and math.isfinite(span) and math.isfinite(length / span) else 0.0
    offset = start if factor else start + length / 2

    def place(value: float) -> float:
        return offset + (value - low) * factor if factor else offset

    return place


def _path(points: Iterable[tuple[float, float | None]]) -> str:
    parts: list[str] = []
    pen = "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)
