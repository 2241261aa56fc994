"""Logged images: each name with its history, found among the run's files by their paths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runmill.model import MetricPoint, MetricSummary, RunId
from runmill.store.interface import Store
from runmill.store.query import PointQuery

__all__ = ["Frame", "ImageSeries", "images_of"]

_FRAMES = 200
"""Of a name: the newest so many."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image."""

    path: str
    place: int
    """Its step, or where it has none its place among the images of its name."""
    time_unix_nano: int


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """All images of one name, oldest first."""

    metric: str
    description: str
    frames: tuple[Frame, ...]
    by_step: bool
    count: int
    """Also of those before the first frame."""

    @property
    def newest(self) -> Frame:
        """The last frame."""
        return self.frames[-1]


def images_of(store: Store, run_id: RunId, metrics: Sequence[MetricSummary]) -> list[ImageSeries]:
    """Read the images that *metrics* name."""
    named = [metric for metric in metrics if metric.kind == "image"]
    series = (_series(store, run_id, metric) for metric in named)
    return [each for each in series if each.frames]


def _series(store: Store, run_id: RunId, metric: MetricSummary) -> ImageSeries:
    found = store.points(PointQuery((run_id,), metric.metric))
    points = [point for each in found for point in each.points() if _path(point)]
    by_step = all(point.step is not None for point in points)
    frames = tuple(_frame(point, place, by_step=by_step) for place, point in enumerate(points))
    return ImageSeries(metric.metric, metric.description, frames[-_FRAMES:], by_step, len(frames))


def _frame(point: MetricPoint, place: int, *, by_step: bool) -> Frame:
    shown = point.step if by_step and point.step is not None else place
    return Frame(_path(point), shown, point.time_unix_nano)


def _path(point: MetricPoint) -> str:
    return str(point.value.get("path", "")) if isinstance(point.value, Mapping) else ""
