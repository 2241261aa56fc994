"""Versions of models, and labels of experiments, from the events that are stored."""

from store_columns import NOW, SECOND, delivery, event

from runmill.model import Artifact, Experiment, ModelVersion, RunId

FILE = {"path": "out/a.pkl", "size_bytes": 3, "media_type": "application/octet-stream", "sha256": "a" * 64}
BODY = {"name": "ridge", "path": "out", "files": [FILE]}


def registered(run_id: str, time: int, **said) -> dict:
    return event("run.model", {**BODY, **said}, run_id=run_id, time_unix_nano=time)


def test_versions_count_in_the_order_of_commits(store, reopen):
    """Not of their times, which another commit could still get between; also after the store was opened again."""
    store.append([delivery(events=[registered("run-000001", NOW + SECOND, tags={"a": None})])])
    store.append([delivery(events=[registered("run-000002", NOW, name="lasso"), registered("run-000002", NOW)])])
    known = [(each.name, each.version, each.run_id) for each in store.models()]
    assert known == [("ridge", 1, "run-000001"), ("lasso", 1, "run-000002"), ("ridge", 2, "run-000002")]
    assert reopen().models()[0] == ModelVersion(
        name="ridge",
        version=1,
        run_id=RunId("run-000001"),
        path="out",
        files=(Artifact(run_id=RunId("run-000001"), time_unix_nano=NOW + SECOND, **FILE),),
        time_unix_nano=NOW + SECOND,
        tags={"a": None},
    )


def test_a_model_changes_nothing_of_its_run(store):
    """Its name, tags and description are the model's."""
    store.append([delivery(events=[event("run.started", {"name": "first", "experiment": "e"})])])
    before = store.run(RunId("run-000001"))
    store.append([delivery(events=[registered("run-000001", NOW, tags={"a": "1"}, description="best")])])
    assert store.run(RunId("run-000001")) == before


def test_an_experiment_that_is_only_named_is_there(store, reopen):
    """It has no run and no time, and comes after those that have."""
    store.append([delivery(events=[event("experiment.updated", {"experiment": "a", "tags": {"b": "1"}}, run_id=None)])])
    store.append([delivery(events=[event("run.started", {"experiment": "e"})])])
    known = [Experiment("e", 1, 1, NOW), Experiment("a", 0, 0, 0, tags={"b": "1"})]
    assert store.experiments() == known
    assert reopen().experiments() == known


def test_an_experiment_has_the_labels_of_its_events(store, reopen):
    """Tags merge; the newest word on archiving counts. None of it makes a run."""

    def changed(time: int, **what):
        return event("experiment.updated", {"experiment": "e", **what}, run_id=None, time_unix_nano=time)

    store.append([delivery(events=[event("run.started", {"experiment": "e"})])])
    store.append([delivery(events=[changed(NOW + 2, archived=True), changed(NOW + 1, tags={"a": "1", "b": None})])])
    store.append([delivery(events=[changed(NOW + 3, removed_tags=["b"], tags={"c": "2"})])])
    state = Experiment("e", 1, 1, NOW, tags={"a": "1", "c": "2"}, archived_time_unix_nano=NOW + 2)
    assert (store.experiments(), store.facts().run_count) == ([state], 1)
    store = reopen()
    assert (store.experiments(), store.facts().run_count) == ([state], 1)
    store.append([delivery(events=[changed(NOW + 4, archived=False)])])
    assert store.experiments()[0].archived_time_unix_nano is None
