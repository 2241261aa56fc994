"""MLflow's REST API, as much of it as tracking needs: what stands under ``/api/2.0``."""

from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from runmill.errors import RunmillError
from runmill.store.interface import Store
from runmill.views.mlflow.arrival import Arrivals
from runmill.views.mlflow.artifacts import artifact_listing_routes, proxied_artifact_routes
from runmill.views.mlflow.backend import Backend, Tell
from runmill.views.mlflow.datasets import dataset_routes
from runmill.views.mlflow.experiments import experiment_routes
from runmill.views.mlflow.logged_model_routes import logged_model_routes
from runmill.views.mlflow.logged_model_search import logged_model_search_routes
from runmill.views.mlflow.metrics import metric_routes
from runmill.views.mlflow.model_versions import model_version_routes
from runmill.views.mlflow.problems import answer_mlflow_problem
from runmill.views.mlflow.registered_models import refused_registry_routes, registered_model_routes
from runmill.views.mlflow.run_models import run_model_routes
from runmill.views.mlflow.runs import run_routes
from runmill.views.mlflow.search import search_routes
from runmill.views.mlflow.values import value_routes

__all__ = ["Tell", "create_mlflow"]

_PARTS: Final = (
    experiment_routes,
    run_routes,
    value_routes,
    dataset_routes,
    search_routes,
    metric_routes,
    artifact_listing_routes,
    logged_model_routes,
    logged_model_search_routes,
    run_model_routes,
    registered_model_routes,
    model_version_routes,
    refused_registry_routes,
)


def create_mlflow(store: Store, tell: Tell | None) -> FastAPI:
    """Give the application; what clients log goes to *tell*, and without it they can only read."""
    api = FastAPI(title="MLflow tracking", openapi_url=None, docs_url=None, redoc_url=None)
    for kind in (RunmillError, RequestValidationError, HTTPException, Exception):
        api.add_exception_handler(kind, answer_mlflow_problem)
    backend = Backend(store, tell, Arrivals(store))
    tracking = APIRouter(prefix="/mlflow")
    for part in _PARTS:
        tracking.include_router(part(backend))
    api.include_router(tracking)
    api.include_router(proxied_artifact_routes(backend))
    return api
