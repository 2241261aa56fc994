"""Files that MLflow's client logs, and scripts that log with MLflow to a run of runmill's."""

from pathlib import Path

import httpx
import mlflow
import pytest
from mlflow.artifacts import download_artifacts
from plotly.graph_objects import Figure

from runmill import Experiment, Workspace

pytestmark = pytest.mark.slow


def test_files_are_kept_and_listed(fluent, client, server, tmp_path):
    """A text, a folder and a figure become files of the run, found by folder and read back whole."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.bin").write_bytes(bytes(range(256)) * 8192)
    (tmp_path / "empty.txt").touch()
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_artifacts(tmp_path, "folder")
        mlflow.log_figure(Figure(), "plots/an empty one.html")
    run_id = run.info.run_id
    listed = {path: client.list_artifacts(run_id, path) for path in (None, "folder", "notes/a.txt")}
    assert [(each.path, each.is_dir) for each in listed[None]] == [("folder", True), ("notes", True), ("plots", True)]
    assert [(each.path, each.is_dir, each.file_size) for each in listed["folder"]] == [
        ("folder/empty.txt", False, 0),
        ("folder/sub", True, None),
    ]
    assert listed["notes/a.txt"] == []
    downloaded = Path(download_artifacts(run_id=run_id, dst_path=str(tmp_path / "back")))
    assert (downloaded / "folder/sub/a.bin").read_bytes() == (tmp_path / "sub/a.bin").read_bytes()
    files = {file["path"]: file["media_type"] for file in server.get(f"/api/v1/runs/{run_id}/files").json()["files"]}
    assert files["plots/an empty one.html"] == "text/html"


def test_a_file_logged_again_is_replaced(fluent, client, run_id):
    """The newest of a path is the file."""
    client.log_text(run_id, "one", "a.txt")
    client.log_text(run_id, "two", "a.txt")
    assert mlflow.artifacts.load_text(f"{client.get_run(run_id).info.artifact_uri}/a.txt") == "two"


@pytest.mark.parametrize("path", ["..%2Fa", "a/..%2F..%2Fb", "%2Fetc%2Fpasswd"])
def test_a_path_stays_in_its_run(server, run_id, path):
    """What points out of it is refused."""
    address = f"{server.endpoint}/api/2.0/mlflow-artifacts/artifacts/{run_id}/{path}"
    answer = httpx.put(address, content=b"x", trust_env=False)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_run_and_mlflow_log_side_by_side(server):
    """The workspace's address is MLflow's, and a run that was just begun is known there."""
    workspace = Workspace(home=server.home, endpoint=server.endpoint)
    run = Experiment(workspace, "side-by-side").start_logging(outputs=False, snapshot_directory=None)
    client = mlflow.MlflowClient(workspace.get_mlflow_tracking_uri())
    client.log_metric(run.id, "theirs", 1.5)
    run.log("ours", 2)
    client.set_terminated(run.id)
    assert (run.get_metrics(), run.get_status()) == ({"theirs": 1.5, "ours": 2}, "Running")
    run.complete()
    assert client.get_run(run.id).info.status == "FINISHED"
    assert client.get_run(run.id).data.metrics == {"theirs": 1.5, "ours": 2.0}
