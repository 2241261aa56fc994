"""MLflow's own client, before a server that is runmill's."""

import os
from collections.abc import Callable, Iterator
from itertools import count

import mlflow
import pytest
from mlflow import MlflowClient

from processes import RunningServer, running

_names = count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(autouse=True)
def plain_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reports to nobody, and an error of the server is one at once."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


@pytest.fixture
def client(server: RunningServer) -> MlflowClient:
    return MlflowClient(server.endpoint)


@pytest.fixture
def experiment_id(client: MlflowClient) -> str:
    """An experiment of the test's own."""
    return client.create_experiment(f"experiment {next(_names)}")


@pytest.fixture
def fluent(server: RunningServer, experiment_id: str) -> Iterator[None]:
    """`mlflow.start_run()` begins a run of the test's experiment on the server."""
    mlflow.set_tracking_uri(server.endpoint)
    mlflow.set_experiment(experiment_id=experiment_id)
    yield
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)
    # It writes what it is told into the environment, too, where the next test's scripts would find it.
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"):
        os.environ.pop(name, None)


@pytest.fixture
def run_id(client: MlflowClient, experiment_id: str) -> str:
    return client.create_run(experiment_id).info.run_id


@pytest.fixture
def stored(server: RunningServer) -> Callable[[str], dict]:
    """Give a run's state as runmill says it."""
    return lambda run_id: server.get(f"/api/v1/runs/{run_id}").json()
