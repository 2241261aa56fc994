"""What a run logs: metrics, parameters and tags, one at a time or many at once."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from runmill.errors import NotFound
from runmill.model import MetricPoint
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.bodies import Metric, Tag
from runmill.views.mlflow.model_metrics import say_model_metrics, without_known
from runmill.views.mlflow.words import changed_by_params, changed_by_tags, removed_by_tag

__all__ = ["value_routes"]


class _OfRun(BaseModel):
    run_id: str


class _LogMetric(_OfRun, Metric):
    pass


class _LogTag(_OfRun, Tag):
    pass


class _DeleteTag(_OfRun):
    key: str


class _Batch(_OfRun):
    metrics: list[Metric] = []
    params: list[Tag] = []
    tags: list[Tag] = []


def value_routes(backend: Backend) -> APIRouter:
    """Give the routes that take values in; each answers when they are stored."""
    routes = APIRouter(prefix="/runs")

    @routes.post("/log-batch")
    def log_batch(body: _Batch) -> Response:
        """Many values."""
        return _log(backend, body)

    @routes.post("/log-metric")
    def log_metric(body: _LogMetric) -> Response:
        """One number."""
        return _log(backend, _Batch(run_id=body.run_id, metrics=[body]))

    @routes.post("/log-parameter")
    def log_parameter(body: _LogTag) -> Response:
        """One parameter."""
        return _log(backend, _Batch(run_id=body.run_id, params=[body]))

    @routes.post("/set-tag")
    def set_tag(body: _LogTag) -> Response:
        """One tag."""
        return _log(backend, _Batch(run_id=body.run_id, tags=[body]))

    @routes.post("/delete-tag")
    def delete_tag(body: _DeleteTag) -> Response:
        """Take a tag away."""
        run = backend.run(body.run_id)
        changed = removed_by_tag(run, body.key)
        if changed is None:
            raise NotFound(f"tag {body.key!r}: run {run.run_id} has no such tag that can be taken away.")
        backend.say(run, "run.updated", changed)
        return JsonResponse({})

    return routes


def _log(backend: Backend, batch: _Batch) -> Response:
    run = backend.run(batch.run_id)
    changed = changed_by_params(run, ((param.key, param.value) for param in batch.params))
    changed |= changed_by_tags((tag.key, tag.value) for tag in batch.tags)
    new = without_known(backend.store, run, batch.metrics)
    backend.say_values(run, [_point(metric) for metric in new], changed)
    say_model_metrics(backend, batch.metrics)
    return JsonResponse({})


def _point(metric: Metric) -> MetricPoint:
    return MetricPoint(
        metric=metric.key,
        kind="scalar",
        column=None,
        index=None,
        step=metric.step,
        time_unix_nano=metric.timestamp * 1_000_000,
        value=metric.value,
        attributes={},
        rank=None,
    )
