"""Experiments, searching and pages, asked by MLflow's own client."""

import pytest
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(server) -> tuple[str, dict[str, str]]:
    """An experiment of three runs: its id, and the runs' ids by name."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client, ids = MlflowClient(server.endpoint), {}
    experiment_id = client.create_experiment("searched")
    for number, (name, loss) in enumerate((("a", 0.1), ("b", 0.2), ("c", None))):
        run = client.create_run(experiment_id, run_name=name, start_time=1_700_000_000_000 + number)
        ids[name] = run.info.run_id
        metrics = [] if loss is None else [Metric("loss", loss, 1_700_000_000_000, 0)]
        tags = [RunTag("a phase", "it's"), RunTag("git.branch", f"Main-{name}")]
        client.log_batch(run.info.run_id, metrics=metrics, params=[Param("model", f"ridge_{name}")], tags=tags)
    client.set_terminated(ids["b"], "FAILED")
    return experiment_id, ids


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "cba"),
        ("metrics.loss < 0.15", "a"),
        ("metrics.loss >= 1e-1 and metrics.loss != 0.2", "a"),
        ("metric.loss = 0.2", "b"),
        ("params.model = 'ridge_c'", "c"),
        ("params.model LIKE 'ridge%' AND params.model ILIKE '%_B'", "b"),
        ('tags."a phase" = "it\'s"', "cba"),
        ("tags.`git.branch` = 'Main-a'", "a"),
        ("tags.git.branch != 'Main-a'", "cb"),
        ("tags.git.branch IS NOT NULL and tags.nothing is null", "cba"),
        ("status = 'FAILED'", "b"),
        ("attributes.run_name IN ('a', 'c')", "ca"),
        ("attributes.run_name NOT IN ('a', 'c')", "b"),
        ("start_time > 1700000000000", "cb"),
        ("params.brand = 'x'", ""),
    ],
)
def test_a_filter_finds_runs(client, runs, text, names):
    """Newest first; what is not there fits nothing but `is null`."""
    experiment_id, _ = runs
    assert "".join(run.info.run_name for run in client.search_runs([experiment_id], text)) == names


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("metrics.loss < 1 or metrics.loss > 2", "not understood from 'metrics.loss < 1 or metrics.loss > 2' on"),
        ("(status = 'FAILED')", "not understood from"),
        ("metrics.loss LIKE 'a'", "can be asked with =, !=, <, <=, >, >="),
        ("metrics.loss < 'small'", "is compared with a number"),
        ("params.model > 'a'", "can be asked with =, !=, like"),
        ("params.model = ridge", "is compared with a text in quotes"),
        ("datasets.name = 'a'", "'datasets' cannot be asked for"),
        ("attributes.colour = 'red'", "attribute 'colour' cannot be asked for; run_id, run_name"),
    ],
    ids=["or", "parentheses", "like-a-number", "number", "order-of-texts", "quotes", "datasets", "attribute"],
)
def test_what_is_no_filter_is_refused(client, runs, text, reason):
    """The message names the part, and says what can be asked."""
    with pytest.raises(MlflowException) as refused:
        client.search_runs([runs[0]], text)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert reason in refused.value.message


@pytest.mark.parametrize(
    ("order_by", "names"),
    [
        (["metrics.loss DESC"], "bac"),
        (["metrics.loss"], "abc"),
        (["attributes.start_time ASC"], "abc"),
        (["status DESC", "params.model asc"], "acb"),
    ],
    ids=["metric-desc", "metric", "attribute", "two"],
)
def test_runs_come_in_the_order_asked_for(client, runs, order_by, names):
    """A run without the value comes last."""
    found = client.search_runs([runs[0]], order_by=order_by)
    assert "".join(run.info.run_name for run in found) == names


def test_runs_come_in_pages(client, runs):
    """A page's token gives the next one; the last has none, and another token is refused."""
    first = client.search_runs([runs[0]], max_results=2)
    rest = client.search_runs([runs[0]], max_results=2, page_token=first.token)
    assert ([run.info.run_name for run in (*first, *rest)], rest.token) == (["c", "b", "a"], None)
    with pytest.raises(MlflowException, match="page_token='x' is none"):
        client.search_runs([runs[0]], page_token="x")


def test_a_history_comes_in_pages(client, run_id):
    """All values are given, whatever a page holds."""
    for step in range(5):
        client.log_metric(run_id, "loss", step / 10, step=step)
    page = client._tracking_client.store.get_metric_history(run_id, "loss", max_results=2)
    steps, tokens = [], 0
    while True:
        steps += [each.step for each in page]
        if not page.token:
            break
        tokens += 1
        page = client._tracking_client.store.get_metric_history(run_id, "loss", max_results=2, page_token=page.token)
    assert (steps, tokens) == ([0, 1, 2, 3, 4], 2)


def test_no_run_is_deleted(client, runs):
    """Runs are pruned, not marked: a search for marked ones finds none."""
    assert client.search_runs([runs[0]], run_view_type=ViewType.DELETED_ONLY) == []


def test_an_experiment_is_made_and_found(client, server):
    """By id and by name, before it has a run; twice is a conflict."""
    identity = client.create_experiment("made / here", tags={"team": "a"})
    found = client.get_experiment(identity)
    assert (found.name, found.tags, found.lifecycle_stage) == ("made / here", {"team": "a"}, "active")
    assert client.get_experiment_by_name("made / here").experiment_id == identity
    assert client.get_experiment_by_name("never made") is None
    with pytest.raises(MlflowException) as refused:
        client.create_experiment("made / here")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"
    assert "made / here</td>" in server.get("/").text


def test_an_experiment_is_labelled_and_put_away(client, experiment_id):
    """Its tags come and go; deleting puts it away, restoring takes it out."""
    client.set_experiment_tag(experiment_id, "team", "a")
    client.set_experiment_tag(experiment_id, "old", "b")
    client.delete_experiment_tag(experiment_id, "old")
    client.delete_experiment(experiment_id)
    found = client.get_experiment(experiment_id)
    assert (found.tags, found.lifecycle_stage) == ({"team": "a"}, "deleted")
    assert experiment_id not in [each.experiment_id for each in client.search_experiments()]
    query = "tags.team = 'a'"
    [deleted] = client.search_experiments(ViewType.DELETED_ONLY, filter_string=query, order_by=["name"])
    client.restore_experiment(experiment_id)
    assert (deleted.name, client.get_experiment(experiment_id).lifecycle_stage) == (found.name, "active")


def test_the_first_experiment_is_there(client):
    """Runs that name none go to the default one, whose id is 0."""
    run = client.create_run("0")
    assert (client.get_experiment("0").name, run.info.experiment_id) == ("default", "0")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda client: client.rename_experiment("0", "other"), "an experiment is its name"),
        (lambda client: client.create_experiment("x", artifact_location="s3://b"), "runmill keeps the files"),
        (lambda client: client.create_experiment("0"), "that is the id of 'default'"),
    ],
    ids=["rename", "location", "name"],
)
def test_what_an_experiment_cannot_be_is_refused(client, call, reason):
    """In words that say what to do."""
    with pytest.raises(MlflowException) as refused:
        call(client)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert reason in refused.value.message
