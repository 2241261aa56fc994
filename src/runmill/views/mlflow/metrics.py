"""Every value of a metric, as it was logged."""

from itertools import repeat
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from runmill.model import MetricPoints
from runmill.store.query import PointColumn, PointQuery
from runmill.views.answers import JsonResponse
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.forms import metric_form
from runmill.views.mlflow.paging import page_of

__all__ = ["metric_routes"]

_COLUMNS: frozenset[PointColumn] = frozenset({"step", "time_unix_nano"})


def metric_routes(backend: Backend) -> APIRouter:
    """Give the route that reads a metric's history."""
    routes = APIRouter(prefix="/metrics")

    @routes.get("/get-history")
    def get_history(
        run_id: str,
        metric_key: str,
        max_results: Annotated[int, Query(ge=1)] = 25_000,
        page_token: str = "",
    ) -> Response:
        """The values in the order they were logged; none for a metric that is not there."""
        run = backend.run(run_id)
        found = backend.store.points(PointQuery((run.run_id,), metric_key, _COLUMNS))
        values = [value for points in found for value in _numbers(points)]
        page, onward = page_of(values, token=page_token, max_results=max_results)
        return JsonResponse({"metrics": page, **onward})

    return routes


def _numbers(points: MetricPoints) -> list[dict[str, Any]]:
    """Give the numbers that were logged one by one or as a list: MLflow has no rows, texts or documents."""
    if points.column is not None or points.kind not in ("scalar", "list"):
        return []
    steps = points.step or repeat(None, points.count)
    assert points.time_unix_nano is not None, "asked for"
    return [
        metric_form(points.metric, value, time_unix_nano=time_unix_nano, step=step)
        for value, time_unix_nano, step in zip(points.value, points.time_unix_nano, steps, strict=True)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
