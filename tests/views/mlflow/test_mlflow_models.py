"""Models that MLflow's client logs, autologs, registers and loads."""

import json
from itertools import count
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import LoggedModelStatus, Metric
from mlflow.exceptions import MlflowException
from sklearn.linear_model import Ridge

from runmill import Workspace

pytestmark = [
    pytest.mark.slow,
    # MLflow speaks of pickles, of integers that may be missing and of its own type hints.
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

FEATURES = np.arange(12.0).reshape(6, 2) ** 0.5
TARGET = FEATURES @ [1.0, 2.0]

_names = count()


@pytest.fixture
def ridge() -> Ridge:
    return Ridge().fit(FEATURES, TARGET)


@pytest.fixture
def log(fluent, ridge):
    """Log the model as MLflow does by default, but for the search for its requirements, which starts a process."""
    import mlflow.sklearn

    def log(**settings):
        return mlflow.sklearn.log_model(ridge, pip_requirements=["scikit-learn"], **settings)

    return log


@pytest.fixture
def loads(ridge):
    """Load a model, and hold it to being the one that was logged."""
    import mlflow.sklearn

    def loads(uri: str) -> bool:
        return bool((mlflow.sklearn.load_model(uri).predict(FEATURES) == ridge.predict(FEATURES)).all())

    return loads


@pytest.fixture
def name() -> str:
    """A registered model's name of the test's own."""
    return f"best {next(_names)}"


@pytest.fixture
def autologging():
    import mlflow.sklearn

    mlflow.sklearn.autolog()
    yield
    mlflow.sklearn.autolog(disable=True)


def test_autologging_logs_parameters_metrics_and_model(fluent, client, experiment_id, autologging):
    """With its defaults: the training's metrics are the run's, once, and the model's, which can be loaded."""
    with mlflow.start_run() as run:
        fitted = Ridge(alpha=0.5).fit(FEATURES, TARGET)
        score = fitted.score(FEATURES, TARGET)
    run_id = run.info.run_id
    found = client.get_run(run_id)
    training = {key: value for key, value in found.data.metrics.items() if key.startswith("training_")}
    assert training.keys() == {
        "training_mean_squared_error",
        "training_mean_absolute_error",
        "training_r2_score",
        "training_root_mean_squared_error",
        "training_score",
    }
    assert (found.data.params["alpha"], training["training_score"]) == ("0.5", score)
    assert {len(client.get_metric_history(run_id, key)) for key in training} == {1}
    [model] = client.search_logged_models([experiment_id])
    assert {metric.key: metric.value for metric in model.metrics}.items() >= training.items()
    assert [each.model_id for each in found.outputs.model_outputs] == [model.model_id]
    loaded = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
    assert (loaded.predict(FEATURES) == fitted.predict(FEATURES)).all()


def test_a_logged_model_is_loaded_and_its_files_are_the_run_s(log, loads, client, server):
    """By its id and by run and name; each file is among those of the run."""
    with mlflow.start_run() as run:
        mlflow.log_params({"alpha": 1.0})
        mlflow.log_metric("loss", 0.25)
        info = log(name="ridge", tags={"stage": "first"}, params={"depth": 3})
    run_id = run.info.run_id
    assert (loads(info.model_uri), loads(f"runs:/{run_id}/ridge")) == (True, True)
    model = client.get_logged_model(info.model_id)
    assert (model.name, model.status, model.source_run_id) == ("ridge", LoggedModelStatus.READY, run_id)
    assert (model.params, model.tags["stage"]) == ({"alpha": "1.0", "depth": "3"}, "first")
    assert [(each.key, each.value, each.step, each.model_id) for each in model.metrics] == [
        ("loss", 0.25, 0, info.model_id)
    ]
    assert len(client.get_metric_history(run_id, "loss")) == 1
    files = {file["path"] for file in server.get(f"/api/v1/runs/{run_id}/files").json()["files"]}
    assert {"models/ridge/MLmodel", "models/ridge/model.skops"} <= files
    assert {each.path for each in client.list_artifacts(run_id, "ridge")} >= {"ridge/MLmodel", "ridge/model.skops"}


def test_models_of_one_name_stand_side_by_side(log, loads, client):
    """A run logs a checkpoint again and again: each keeps its files, and says its step."""
    with mlflow.start_run() as run:
        infos = [log(name="checkpoint", step=step) for step in (1, 2)]
    assert [loads(info.model_uri) for info in infos] == [True, True]
    uris = [client.get_logged_model(info.model_id).artifact_location for info in infos]
    assert [uri.partition(run.info.run_id)[2] for uri in uris] == ["/models/checkpoint", "/models/checkpoint.2"]
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert [(each.model_id, each.step) for each in outputs] == [
        (infos[0].model_id, 1),
        (infos[1].model_id, 2),
    ]


def test_a_model_without_a_run_gets_one(log, loads, client, stored, name):
    """It keeps the files, and is over when the model is complete."""
    info = log(name="alone", registered_model_name=name)
    assert (loads(info.model_uri), loads(f"models:/{name}/1")) == (True, True)
    run = stored(client.get_logged_model(info.model_id).source_run_id)
    assert (run["display_name"], run["type"], run["status"]) == ("alone", "mlflow.model", "Completed")


def test_any_python_is_a_model(fluent):
    """`mlflow.pyfunc` keeps a class of one's own, and gives it back."""
    import mlflow.pyfunc

    class Doubled(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input: list[int]) -> list[int]:
            return [2 * each for each in model_input]

    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="doubled", python_model=Doubled(), pip_requirements=["mlflow"])
    assert mlflow.pyfunc.load_model(info.model_uri).predict([1, 2]) == [2, 4]


def test_a_version_is_what_was_registered(log, loads, client, name):
    """Versions count; each keeps its files whatever the run uploads since, and is in runmill's registry."""
    with mlflow.start_run() as run:
        log(name="ridge", registered_model_name=name, tags={"team": "a"})
        second = mlflow.register_model(f"runs:/{run.info.run_id}/ridge", name)
    client.log_text(run.info.run_id, "no model", "models/ridge/model.skops")
    assert [loads(f"models:/{name}/{version}") for version in ("1", "2", "latest")] == [True, True, True]
    assert (second.version, second.run_id, second.status) == ("2", run.info.run_id, "READY")
    assert client.get_model_version(name, "1").tags == {"team": "a"}


def test_both_registries_are_one(log, loads, server, name, tmp_path):
    """What MLflow registers is a model of the workspace's, and what a run registers is loaded by MLflow."""
    workspace = Workspace(home=server.home, endpoint=server.endpoint)
    with mlflow.start_run() as run:
        log(name="ridge", registered_model_name=name)
    model = workspace.models[name]
    assert (model.id, model.run_id, model.path) == (f"{name}:1", run.info.run_id, "models/ridge")
    assert (Path(model.download(str(tmp_path))) / "MLmodel").is_file()
    workspace.get_run(run.info.run_id).register_model(name, "models/ridge")
    assert model.experiment_name in workspace.experiments
    assert loads(f"models:/{name}/2")


def test_a_registered_model_is_found(fluent, client, run_id, name):
    """By name, by run, with its newest version; a version of another name may be made of it."""
    client.log_text(run_id, "weights", "kept/model.bin")
    assert client.create_registered_model(name).name == name
    for number in (1, 2):
        made = client.create_model_version(name, f"runs:/{run_id}/kept", run_id, description=f"number {number}")
        assert (made.version, made.description) == (str(number), f"number {number}")
    assert [each.version for each in client.search_model_versions(f"name = '{name}'")] == ["2", "1"]
    assert [each.name for each in client.search_model_versions(f"run_id = '{run_id}'")] == [name, name]
    [found] = client.search_registered_models(f"name = '{name}'")
    assert (found.name, found.latest_versions[0].version) == (name, "2")
    assert client.get_registered_model(name).latest_versions[0].description == "number 2"
    copy = client.copy_model_version(f"models:/{name}/1", f"copy of {name}")
    downloaded = mlflow.artifacts.download_artifacts(f"models:/{copy.name}/{copy.version}")
    assert (Path(downloaded) / "model.bin").read_text() == "weights"


def test_a_model_is_filled_by_hand(client, experiment_id):
    """Parameters keep their first value, labels come and go, measurements are the run's, too."""
    run_id = client.create_run(experiment_id).info.run_id
    model = client.create_logged_model(experiment_id, source_run_id=run_id, params={"a": "1"}, model_type="agent")
    client.log_model_params(model.model_id, {"a": "2", "b": "3"})
    client.set_logged_model_tags(model.model_id, {"kept": "yes", "gone/away": "no"})
    client.delete_logged_model_tag(model.model_id, "gone/away")
    client.log_batch(run_id, metrics=[Metric("odd", float("nan"), 1_700_000_000_000, 2, model_id=model.model_id)])
    client.log_batch(run_id, metrics=[Metric("odd", float("nan"), 1_700_000_000_000, 2, model_id=model.model_id)])
    client.finalize_logged_model(model.model_id, "FAILED")
    found = client.get_logged_model(model.model_id)
    assert (found.name, found.model_type, found.status) == ("model", "agent", LoggedModelStatus.FAILED)
    assert (found.params, found.tags) == ({"a": "1", "b": "3"}, {"kept": "yes"})
    assert {(each.key, str(each.value), each.timestamp, each.step) for each in found.metrics} == {
        ("odd", "nan", 1_700_000_000_000, 2)
    }
    assert [str(each.value) for each in client.get_metric_history(run_id, "odd")] == ["nan"]
    assert (client.get_run(run_id).info.status, client.get_run(run_id).data.tags.keys()) == (
        "RUNNING",
        {"mlflow.runName"},
    )


@pytest.fixture(scope="module")
def searched(server) -> tuple[str, dict[str, str]]:
    """An experiment of three models, each of a run of its own: its id, and the models' ids by name."""
    client = mlflow.MlflowClient(server.endpoint)
    experiment_id = client.create_experiment("searched for models")
    ids = {}
    for number, name in enumerate("abc"):
        run_id = client.create_run(experiment_id).info.run_id
        model = client.create_logged_model(experiment_id, name, run_id, params={"depth": str(number)})
        client.log_metric(run_id, "loss", number / 10, model_id=model.model_id)
        ids[name] = model.model_id
    client.finalize_logged_model(ids["b"], "READY")
    return experiment_id, ids


@pytest.mark.parametrize(
    ("text", "order", "names"),
    [
        ("", [], "cba"),
        ("name = 'b'", [], "b"),
        ("metrics.loss < 0.15", [], "ba"),
        ("params.depth = '2'", [], "c"),
        ("status = 'READY'", [], "b"),
        ("", [{"field_name": "metrics.loss", "ascending": True}], "abc"),
    ],
)
def test_models_are_searched(client, searched, text, order, names):
    """Newest first where nothing else is asked; with pages."""
    experiment_id, _ = searched
    found = client.search_logged_models([experiment_id], text, order_by=order)
    assert "".join(model.name for model in found) == names
    page = client.search_logged_models([experiment_id], max_results=2)
    rest = client.search_logged_models([experiment_id], max_results=2, page_token=page.token)
    assert ([model.name for model in page], [model.name for model in rest], rest.token) == (["c", "b"], ["a"], None)


@pytest.fixture(scope="module")
def registered(server) -> str:
    """A registered model of one version."""
    client = mlflow.MlflowClient(server.endpoint)
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "weights", "model.bin")
    return client.create_model_version("registered", f"runs:/{run_id}/model.bin").name


@pytest.mark.parametrize(
    ("call", "code", "reason"),
    [
        (lambda client: client.get_logged_model("m-0-1"), "RESOURCE_DOES_NOT_EXIST", "'m-0-1'"),
        (lambda client: client.get_registered_model("x"), "RESOURCE_DOES_NOT_EXIST", "there with its first version"),
        (
            lambda client: client.create_registered_model("x", description="d"),
            "INVALID_PARAMETER_VALUE",
            "its versions",
        ),
        (lambda client: client.create_model_version("x", "s3://b/k"), "INVALID_PARAMETER_VALUE", "only files that are"),
        (lambda client: client.create_model_version("x", "models:/m-0"), "RESOURCE_DOES_NOT_EXIST", "'m-0'"),
        (
            lambda client: client.set_registered_model_alias("registered", "a", "1"),
            "INVALID_PARAMETER_VALUE",
            "aliases are not",
        ),
        (
            lambda client: client.get_model_version_by_alias("registered", "a"),
            "INVALID_PARAMETER_VALUE",
            "aliases are not",
        ),
        (
            lambda client: client.get_latest_versions("registered", ["Staging"]),
            "INVALID_PARAMETER_VALUE",
            "stages are not kept",
        ),
        (
            lambda client: client.set_model_version_tag("registered", "1", "a", "b"),
            "INVALID_PARAMETER_VALUE",
            "never changes",
        ),
        (
            lambda client: client.delete_registered_model("registered"),
            "INVALID_PARAMETER_VALUE",
            "and its versions stay",
        ),
    ],
    ids=["model", "name", "text", "elsewhere", "source", "alias", "by-alias", "stage", "tag", "delete"],
)
def test_what_cannot_be_is_said_so(client, registered, call, code, reason):
    """With a code that programs look for, and with what to do."""
    with pytest.raises(MlflowException, match=reason) as error:
        call(client)
    assert error.value.error_code == code


def test_a_model_s_name_stays_in_its_folder(server, experiment_id):
    """A client that does not look itself is told."""
    import httpx

    body = {"experiment_id": experiment_id, "name": "../up"}
    answer = httpx.post(f"{server.endpoint}/api/2.0/mlflow/logged-models", json=body, trust_env=False)
    assert (answer.status_code, json.loads(answer.text)["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
