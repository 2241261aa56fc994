"""Runs, metrics and experiments in the JSON that MLflow's clients read."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from runmill.model import Experiment, MetricSummary, Run
from runmill.views.chosen import chosen_properties
from runmill.views.mlflow.datasets import dataset_inputs
from runmill.views.mlflow.run_models import model_inputs, model_outputs
from runmill.views.mlflow.words import EXPERIMENT_OF_NONE, status_of, tags_of

__all__ = ["experiment_form", "experiment_id", "experiment_name", "is_metric", "latest", "metric_form", "pairs",
           "run_form", "run_info"]  # fmt: skip

_MILLI: Final = 1_000_000
_DEFAULT_ID: Final = "0"


def experiment_id(name: str) -> str:
    """Give MLflow's id of an experiment: its name, which is its identity here; ``0`` for the one of no name."""
    return _DEFAULT_ID if name == EXPERIMENT_OF_NONE else name


def experiment_name(identity: str) -> str:
    """Give the name of the experiment that MLflow knows as *identity*."""
    return EXPERIMENT_OF_NONE if identity == _DEFAULT_ID else identity


def experiment_form(experiment: Experiment) -> dict[str, Any]:
    """Give an experiment; one that was put away is deleted in MLflow's words."""
    is_archived = experiment.archived_time_unix_nano is not None
    return {
        "experiment_id": experiment_id(experiment.name),
        "name": experiment.name,
        "artifact_location": "mlflow-artifacts:/",
        "lifecycle_stage": "deleted" if is_archived else "active",
        "last_update_time": experiment.last_start_time_unix_nano // _MILLI,
        "tags": pairs(experiment.tags),
    }


def run_info(run: Run) -> dict[str, Any]:
    """Give what is known of a run beside what it logged."""
    info = {
        "run_id": run.run_id,
        "run_uuid": run.run_id,
        "run_name": run.display_name,
        "experiment_id": experiment_id(run.experiment),
        "user_id": run.user,
        "status": status_of(run),
        "start_time": run.start_time_unix_nano // _MILLI,
        "artifact_uri": f"mlflow-artifacts:/{run.run_id}",
        "lifecycle_stage": "active",
    }
    if run.end_time_unix_nano is not None:
        info["end_time"] = run.end_time_unix_nano // _MILLI
    return info


def run_form(run: Run, metrics: Iterable[MetricSummary]) -> dict[str, Any]:
    """Give a run with the newest value of each of its metrics."""
    data = {
        "metrics": [latest(each) for each in metrics if is_metric(each)],
        "params": pairs(chosen_properties(run)),
        "tags": pairs(tags_of(run)),
    }
    inputs = {"dataset_inputs": dataset_inputs(run), "model_inputs": model_inputs(run)}
    return {"info": run_info(run), "data": data, "inputs": inputs, "outputs": {"model_outputs": model_outputs(run)}}


def is_metric(summary: MetricSummary) -> bool:
    """Say whether MLflow has a form for it: numbers that were logged one by one or as a list."""
    return summary.kind in ("scalar", "list") and summary.numeric_count > 0


def latest(summary: MetricSummary) -> dict[str, Any]:
    """Give a metric's newest value."""
    return metric_form(summary.metric, summary.last, time_unix_nano=summary.last_time_unix_nano, step=summary.last_step)


def metric_form(key: str, value: object, *, time_unix_nano: int, step: int | None) -> dict[str, Any]:
    """Give one value of a metric; MLflow knows no value without a step."""
    return {"key": key, "value": value, "timestamp": time_unix_nano // _MILLI, "step": step or 0}


def pairs(values: Mapping[str, str | None]) -> list[dict[str, str]]:
    """Give a mapping as the list of keys with values that it is in MLflow's JSON."""
    return [{"key": key, "value": value or ""} for key, value in values.items()]
