"""Searching runs and experiments: filter, order, page."""

from collections.abc import Sequence
from typing import Final, Literal

from fastapi import APIRouter
from starlette.responses import Response

from runmill.model import Experiment, Run
from runmill.store.interface import Store
from runmill.views.answers import JsonResponse
from runmill.views.chosen import chosen_properties
from runmill.views.mlflow.backend import Backend
from runmill.views.mlflow.experiments import all_experiments
from runmill.views.mlflow.filters import Entity, Names, Value
from runmill.views.mlflow.forms import experiment_form, experiment_name, is_metric, run_form, run_info
from runmill.views.mlflow.searching import Search, ValueOf, found_page
from runmill.views.mlflow.words import tags_of

__all__ = ["search_routes"]

_RUN_NAMES: Final[Names] = {
    "attribute": {
        **dict.fromkeys(("run_id", "run_name", "status", "user_id", "artifact_uri"), str),
        **dict.fromkeys(("start_time", "end_time"), float),
    },
    "metric": float,
    "param": str,
    "tag": str,
}
_EXPERIMENT_NAMES: Final[Names] = {
    "attribute": {"name": str, "experiment_id": str, "last_update_time": float},
    "tag": str,
}


class _RunSearch(Search):
    experiment_ids: tuple[str, ...] = ()
    run_view_type: Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"] = "ACTIVE_ONLY"


class _ExperimentSearch(Search):
    view_type: Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"] = "ACTIVE_ONLY"


def search_routes(backend: Backend) -> APIRouter:
    """Give the routes that search."""
    routes = APIRouter()

    @routes.post("/runs/search")
    def search_runs(body: _RunSearch) -> Response:
        """Runs of some experiments, newest start first where nothing else is asked."""
        runs = _runs_of(backend, body)
        page, onward = found_page(body, runs, _run_values(backend.store, runs), _RUN_NAMES)
        metrics = backend.store.metrics([run.run_id for run in page])
        return JsonResponse({"runs": [run_form(run, metrics.get(run.run_id, ())) for run in page], **onward})

    @routes.post("/experiments/search")
    def search_experiments(body: _ExperimentSearch) -> Response:
        """Experiments, those in use where nothing else is asked."""
        experiments = [each for each in all_experiments(backend.store).values() if _is_viewed(each, body.view_type)]
        page, onward = found_page(body, experiments, _experiment_value, _EXPERIMENT_NAMES)
        return JsonResponse({"experiments": [experiment_form(each) for each in page], **onward})

    return routes


def _runs_of(backend: Backend, asked: _RunSearch) -> list[Run]:
    if asked.run_view_type == "DELETED_ONLY":
        return []  # a run is never deleted here, only pruned, and then it is gone
    names = {experiment_name(identity) for identity in asked.experiment_ids}
    runs = [run for name in names for run in backend.runs(name)]
    return sorted(runs, key=lambda run: -run.start_time_unix_nano)


def _run_values(store: Store, runs: Sequence[Run]) -> ValueOf[Run]:
    """Give what reads the values of *runs*; their metrics are read when first asked for, all at once."""
    latest: dict[str, dict[str, float | None]] = {}

    def metrics_of(run: Run) -> dict[str, float | None]:
        if not latest:
            read = store.metrics([run.run_id for run in runs])
            latest.update(
                (run_id, {each.metric: each.last for each in found if is_metric(each)})
                for run_id, found in read.items()
            )
        return latest.get(run.run_id, {})

    def value_of(run: Run, entity: Entity, key: str) -> Value:
        match entity:
            case "metric":
                return metrics_of(run).get(key)
            case "param":
                return chosen_properties(run).get(key)
            case "tag":
                return tags_of(run).get(key)
            case "attribute":
                value: Value = run_info(run).get(key)
                return value

    return value_of


def _experiment_value(experiment: Experiment, entity: Entity, key: str) -> Value:
    if entity == "tag":
        return experiment.tags.get(key)
    value: Value = experiment_form(experiment)[key]
    return value


def _is_viewed(experiment: Experiment, view_type: str) -> bool:
    is_archived = experiment.archived_time_unix_nano is not None
    return view_type == "ALL" or is_archived == (view_type == "DELETED_ONLY")
