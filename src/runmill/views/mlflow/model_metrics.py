"""Metrics that a logged model has, too.

MLflow's client sends what a run measured once more, with the model's id, when the model is logged: such a value is the
model's from then on, and stays one value of the run.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final, TypeAlias

from runmill.model import Run
from runmill.store.interface import Store
from runmill.store.query import PointQuery
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Metric
from runmill.views.mlflow.logged_models import find_model, say_of_model

__all__ = ["say_model_metrics", "without_known"]

_MILLI: Final = 1_000_000

_Known: TypeAlias = tuple[str, int, int, str]
"""Key, milliseconds, step, value as text: one NaN is like another."""


def without_known(store: Store, run: Run, metrics: Sequence[Metric]) -> list[Metric]:
    """Give *metrics* without those of a model that the run has already."""
    keys = {metric.key for metric in metrics if metric.model_id}
    known = {each for key in keys for each in _values(store, run, key)}
    return [metric for metric in metrics if not (metric.model_id and _known(metric) in known)]


def say_model_metrics(backend: Backend, metrics: Iterable[Metric]) -> None:
    """Say of each model named what was measured of it. Raises NotFound for a model that is not there."""
    by_model: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for metric in metrics:
        if metric.model_id:
            by_model[metric.model_id].append(metric.model_dump(exclude={"model_id"}))
    for model_id, said in by_model.items():
        say_of_model(backend, find_model(backend, model_id), {"metrics": said})


def _known(metric: Metric) -> _Known:
    return metric.key, metric.timestamp, metric.step, str(float(metric.value))


def _values(store: Store, run: Run, key: str) -> Iterable[_Known]:
    for points in store.points(PointQuery((run.run_id,), key, frozenset({"step", "time_unix_nano"}))):
        assert points.time_unix_nano is not None, "asked for"
        steps = points.step or repeat(None, points.count)
        for time_unix_nano, step, value in zip(points.time_unix_nano, steps, points.value, strict=False):
            if isinstance(value, int | float):
                yield key, time_unix_nano // _MILLI, step or 0, str(float(value))
