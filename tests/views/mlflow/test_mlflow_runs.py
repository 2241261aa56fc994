"""What MLflow's client logs becomes a run like any other."""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import mlflow
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from portal_server import serving

from stored_run import RUN_ID, post, post_run, run_event

pytestmark = pytest.mark.slow

UNKNOWN = "0" * 32


@pytest.fixture(scope="session")
def native_run(server) -> str:
    """A run that no MLflow client began."""
    post_run(server.endpoint)
    return RUN_ID


def test_a_fluent_run_is_a_run(fluent, stored, experiment_id):
    """Its name, note, tags, parameters, user and end are what every run has."""
    with mlflow.start_run(run_name="first", description="a note", tags={"phase": "eval"}) as run:
        mlflow.log_param("alpha", 0.1)
        mlflow.log_params({"solver": "svd", "depth": 3})
        mlflow.set_tag("best", "yes")
        began = stored(run.info.run_id)
    ended = stored(run.info.run_id)
    assert {key: ended[key] for key in ("experiment", "display_name", "description", "type", "status", "tags")} == {
        "experiment": experiment_id,
        "display_name": "first",
        "description": "a note",
        "type": "mlflow",
        "status": "Completed",
        "tags": {"phase": "eval", "best": "yes"},
    }
    params = {"alpha": "0.1", "solver": "svd", "depth": "3"}
    assert {key: value for key, value in ended["properties"].items() if not key.startswith("mlflow.")} == params
    assert (began["status"], ended["user"]) == ("Running", run.data.tags["mlflow.user"])


def test_a_run_reads_back_as_it_was_logged(client, run_id):
    """MLflow's client sees its metrics, parameters, tags and facts again."""
    metrics = [Metric("loss", 0.5, 1_700_000_000_000, 1), Metric("loss", 0.25, 1_700_000_000_001, 2)]
    client.log_batch(run_id, metrics=metrics, params=[Param("a", "1")], tags=[RunTag("mlflow.note.content", "a note")])
    run = client.get_run(run_id)
    assert (run.data.metrics, run.data.params) == ({"loss": 0.25}, {"a": "1"})
    assert run.data.tags == {"mlflow.note.content": "a note", "mlflow.runName": run_id}
    assert (run.info.status, run.info.end_time, run.info.lifecycle_stage) == ("RUNNING", None, "active")
    assert [vars(each) for each in client.get_metric_history(run_id, "loss")] == [vars(each) for each in metrics]


def test_numbers_keep_their_kind(client, run_id, server):
    """NaN and infinities are values; an integer stays one; 64-bit integers may come as text, as protobuf has them."""
    for step, value in enumerate((math.nan, math.inf, -math.inf)):
        client.log_metric(run_id, "odd", value, step=step)
    assert [str(each.value) for each in client.get_metric_history(run_id, "odd")] == ["nan", "inf", "-inf"]
    body = {"run_id": run_id, "key": "count", "value": 3, "timestamp": "1700000000000", "step": "-9007199254740993"}
    httpx.post(f"{server.endpoint}/api/2.0/mlflow/runs/log-metric", json=body, trust_env=False).raise_for_status()
    [points] = server.get(f"/api/v1/runs/{run_id}/points", metric="count").json()["points"]
    assert (points["kind"], points["value"], points["step"]) == ("scalar", [3], [-9007199254740993])
    assert points["time_unix_nano"] == [1_700_000_000_000_000_000]


def test_a_metric_without_steps_is_drawn_over_time(client, run_id, server):
    """MLflow says step 0 where none was given; a chart of many values at one place would show nothing."""
    for timestamp in (1_700_000_000_000, 1_700_000_001_000):
        client.log_metric(run_id, "loss", 0.5, timestamp=timestamp)
    assert server.get(f"/api/v1/runs/{run_id}/series", metric="loss").json()["x"] == "time"


@pytest.mark.parametrize(("theirs", "ours"), [("FINISHED", "Completed"), ("FAILED", "Failed"), ("KILLED", "Canceled")])
def test_a_run_ends_as_its_client_says(client, run_id, stored, theirs, ours):
    """Each end has its word, and its time is the client's."""
    end = int(time.time() * 1000) + 60_000
    client.set_terminated(run_id, theirs, end_time=end)
    assert client.get_run(run_id).info.status == theirs
    assert (stored(run_id)["status"], stored(run_id)["end_time_unix_nano"]) == (ours, end * 1_000_000)


def test_an_end_before_the_start_is_an_end(client, experiment_id):
    """The clock of a client may be behind: its run is over all the same."""
    run = client.create_run(experiment_id)
    client.set_terminated(run.info.run_id, "FAILED", end_time=run.info.start_time - 5_000)
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_a_run_is_resumed(fluent, client, run_id):
    """It runs again under its id, and ends again."""
    client.set_terminated(run_id)
    mlflow.start_run(run_id=run_id)
    status = client.get_run(run_id).info.status
    mlflow.end_run("FAILED")
    assert (status, client.get_run(run_id).info.status) == ("RUNNING", "FAILED")


def test_nested_runs_are_children(fluent, server):
    """The run around it is the parent."""
    with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
        pass
    [found] = server.get("/api/v1/runs", parent_id=parent.info.run_id).json()["runs"]
    assert found["run_id"] == child.info.run_id


def test_a_parameter_never_changes(client, run_id):
    """The same value again is fine; another one is refused with both values, alone or within a batch."""
    client.log_param(run_id, "alpha", "0.1")
    client.log_param(run_id, "alpha", "0.1")
    with pytest.raises(MlflowException, match=r"'alpha' .* is '0.1' and cannot become '0.2'") as refused:
        client.log_param(run_id, "alpha", "0.2")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException, match=r"is '1' and cannot become '2'"):
        client.log_batch(run_id, params=[Param("b", "1"), Param("b", "2")])
    assert client.get_run(run_id).data.params == {"alpha": "0.1"}


def test_a_run_says_what_it_read(client, run_id):
    """A dataset that is logged as an input comes back whole, once however often it was logged."""
    dataset = Dataset("diabetes", "d1", "local", "{}", schema='{"mlflow_colspec": []}')
    for _ in range(2):
        client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])
    [found] = client.get_run(run_id).inputs.dataset_inputs
    assert (found.dataset.to_dictionary(), found.tags[0].value) == (dataset.to_dictionary(), "train")
    assert client.get_run(run_id).data.params == {}


def test_tags_change_and_go(client, run_id):
    """A tag that is not there cannot be taken away; a note and a name are facts of the run."""
    client.set_tag(run_id, "phase", "train")
    client.set_tag(run_id, "phase", "eval")
    client.set_tag(run_id, "mlflow.note.content", "a note")
    client.update_run(run_id, name="second")
    assert client.get_run(run_id).data.tags == {
        "phase": "eval",
        "mlflow.note.content": "a note",
        "mlflow.runName": "second",
    }
    client.delete_tag(run_id, "phase")
    client.delete_tag(run_id, "mlflow.note.content")
    assert client.get_run(run_id).data.tags == {"mlflow.runName": "second"}
    with pytest.raises(MlflowException, match="tag 'phase'"):
        client.delete_tag(run_id, "phase")


def test_who_began_a_run_ends_it(client, native_run, stored):
    """A client logs to a run that it did not begin, and its end is not the run's."""
    before = stored(native_run)
    client.log_metric(native_run, "from mlflow", 1.0)
    client.log_param(native_run, "alpha", "1")
    client.set_terminated(native_run, "FAILED")
    client.update_run(native_run, status="RUNNING")
    after = stored(native_run)
    assert (after["status"], after["end_time_unix_nano"]) == ("Completed", before["end_time_unix_nano"])
    run = client.get_run(native_run)
    assert (run.data.metrics["from mlflow"], run.data.params, run.data.tags["data"]) == (1.0, {"alpha": "1"}, "small")


def test_a_run_that_is_named_before_it_is_known_is_waited_for(client, server):
    """A script may be faster than the word that its run began."""
    began = run_event("run.started", 0, status="Running", experiment="diabetes")
    began.resource_logs[0].resource.attributes[0].value.string_value = "named-in-the-environment"
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(client.get_run, "named-in-the-environment")
        post(server.endpoint, "logs", began)
    assert asked.result().info.run_id == "named-in-the-environment"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_run(UNKNOWN),
        lambda client: client.get_run(RUN_ID[:8]),
        lambda client: client.log_metric(UNKNOWN, "loss", 1.0),
        lambda client: client.set_terminated(UNKNOWN),
        lambda client: client.get_metric_history(UNKNOWN, "loss"),
        lambda client: client.create_run("nothing of that name"),
        lambda client: client.get_experiment("nothing of that name"),
    ],
    ids=["get", "beginning-of-an-id", "log", "end", "history", "create", "experiment"],
)
def test_what_is_not_there_is_said_so(client, native_run, call):
    """The client raises its own error, with the code that programs look for."""
    with pytest.raises(MlflowException) as error:
        call(client)
    assert error.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    ("route", "body", "status", "code"),
    [
        ("log-metric", {"run_id": UNKNOWN, "key": "a"}, 400, "INVALID_PARAMETER_VALUE"),
        ("log-metric", {"run_id": UNKNOWN, "key": "", "value": 1, "timestamp": 1}, 400, "INVALID_PARAMETER_VALUE"),
        ("log-metric", {"run_id": UNKNOWN, "key": "a", "value": 1, "timestamp": 1e300}, 400, "INVALID_PARAMETER_VALUE"),
        ("update", {"run_id": UNKNOWN, "status": "LOST"}, 400, "INVALID_PARAMETER_VALUE"),
        ("delete", {"run_id": UNKNOWN}, 404, "ENDPOINT_NOT_FOUND"),
    ],
    ids=["no-value", "no-key", "no-time", "no-status", "no-route"],
)
def test_a_mistake_is_answered_once(server, route, body, status, code):
    """With a status that clients do not try again."""
    answer = httpx.post(f"{server.endpoint}/api/2.0/mlflow/runs/{route}", json=body, trust_env=False)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_a_token_is_wanted_and_a_reader_only_reads(native_run, server, tmp_path, monkeypatch):
    """A server that asks for its token takes MLflow's; one without a collector says where to log."""
    from mlflow import MlflowClient

    from runmill import store as stores

    store = stores.open(tmp_path / "store")
    with serving(store, token="secret") as address:
        with pytest.raises(MlflowException, match="This server wants its token"):
            MlflowClient(address).search_experiments()
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
        assert [each.name for each in MlflowClient(address).search_experiments()] == ["default"]
        with pytest.raises(MlflowException, match=r"only shows what is stored. Log to one that runs `runmill up`"):
            MlflowClient(address).create_run("0")
    store.close()


def test_parameters_stand_in_a_run_s_head(client, run_id, server):
    """What was chosen is seen at once, and nothing that a library noted."""
    client.log_batch(run_id, params=[Param("alpha", "0.1")], tags=[RunTag("phase", "eval")])
    page = server.get(f"/runs/{run_id}").text
    assert "<dt>alpha</dt><dd>0.1</dd>" in page.partition("<details")[0]
