"""Submitted scripts that log with MLflow's client."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_mlflow_around(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_mlflow_in_a_script_logs_to_its_run(submit, experiment):
    """With no word about either; a nested run is a child in its experiment, and the script's end is the run's."""
    run = submit(
        """
        import mlflow
        with mlflow.start_run():
            mlflow.log_metric("loss", 0.5, step=3)
            with mlflow.start_run(nested=True):
                mlflow.log_param("alpha", 1)
        raise SystemExit(3)
        """
    )
    run.wait_for_completion(raise_on_error=False)
    [child] = run.get_children()
    assert (run.get_metrics(), run.get_status()) == ({"loss": 0.5}, "Failed")
    assert (child.experiment.name, child.get_status(), child.get_properties()["alpha"]) == (
        experiment.name,
        "Completed",
        "1",
    )


def test_a_script_that_was_launched_launches_another(submit, lines, server, monkeypatch):
    """What it found of MLflow's is not what its own scripts find: each logs to its own run."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.endpoint)
    monkeypatch.setenv("MLFLOW_RUN_ID", "the-run-around-it")
    run = submit("import os\nprint(os.environ['MLFLOW_RUN_ID'], 'MLFLOW_TRACKING_TOKEN' in os.environ)")
    run.wait_for_completion()
    assert lines(run) == [("stdout", f"{run.id} False")]


def test_a_tracking_server_of_ones_own_is_kept(submit, lines, monkeypatch):
    """Where the user named one, nothing of MLflow's is set."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    run = submit("import os\nprint({name: os.environ[name] for name in os.environ if name.startswith('MLFLOW')})")
    run.wait_for_completion()
    assert lines(run) == [("stdout", "{'MLFLOW_TRACKING_URI': 'http://elsewhere'}")]
