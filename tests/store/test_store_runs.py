"""Listing and finding runs, on every engine."""

import pytest
from store_columns import NOW, SECOND, artifact, delivery, event, log, point, resource

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Experiment, RunEvent
from runmill.store.query import PointQuery, RunQuery


def start(run_id, seconds=0, **body):
    return event("run.started", body, run_id=run_id, time_unix_nano=NOW + seconds * SECOND)


def listed(store, **query):
    return [run.run_id for run in store.runs(RunQuery(**query))]


@pytest.mark.parametrize(
    "rows",
    [
        {"logs": [log(run_id="run-000001")]},
        {"points": [point(1.0)]},
        {"events": [event("run.heartbeat")]},
        {"artifacts": [artifact()]},
    ],
)
def test_a_run_exists_as_soon_as_anything_of_it_does(reopen, rows):
    """Its first event may come late or never: what is stored of it can be found, also after reopening."""
    store = reopen()
    store.append([delivery(**rows, resources=[resource(run__experiment="mnist")])])
    run = store.run("run-000001")
    assert (run.status, run.start_time_unix_nano, run.number) == ("Running", NOW, 1)
    assert reopen().run("run-000001") == run


def test_what_the_resource_says_fills_what_events_leave_open(store):
    """The first resource that knows a fact gives it."""
    store.append(
        [
            delivery(
                logs=[log(run_id="run-000001", resource_id="r1"), log(run_id="run-000001", resource_id="r2")],
                resources=[
                    resource("r1", service__name="svc"),
                    resource("r2", service__name="other", run__experiment="mnist", run__parent_id="p", host__name="h"),
                ],
            )
        ]
    )
    run = store.run("run-000001")
    assert (run.service, run.experiment, run.parent_id, run.host) == ("svc", "mnist", "p", "h")


def test_state_follows_commits(store, clock):
    """Each commit of events is seen at once, and heartbeats keep a run from looking dead."""
    store.append([delivery(events=[start("run-000001")])])
    clock.now = NOW + 121 * SECOND
    assert store.run("run-000001").status == "NotResponding"
    store.append([delivery(events=[event("run.heartbeat", time_unix_nano=clock.now)])])
    run = store.run("run-000001")
    assert (run.status, run.last_seen_unix_nano) == ("Running", clock.now)
    store.append([delivery(events=[event("run.ended", {"status": "Failed"}, time_unix_nano=clock.now)])])
    assert store.run("run-000001").status == "Failed"


def test_runs_are_numbered_by_start_in_their_experiment(store):
    """A run that arrives late takes the number its start gives it."""
    store.append([delivery(events=[start("run-b", 2, experiment="x"), start("other", 1, experiment="y")])])
    assert store.run("run-b").number == 1
    store.append([delivery(events=[start("run-a", 1, experiment="x")])])
    assert {run.run_id: run.number for run in store.runs(RunQuery())} == {"run-a": 1, "run-b": 2, "other": 1}


def test_a_unique_prefix_names_a_run(store):
    """Six characters are enough where no other run's id begins so; a full id always is."""
    store.append(
        [
            delivery(
                events=[start("abcdef-1"), start("abcdef-12"), start("ghijkl-1")],
                logs=[log(run_id="ghijkl-1")],
                points=[point(1.0, run_id="ghijkl-1")],
            )
        ]
    )
    assert store.run("ghijkl").run_id == "ghijkl-1"
    assert store.run("abcdef-1").run_id == "abcdef-1"
    assert [s.count for s in store.metrics(["ghijkl"])["ghijkl"]] == [1]
    assert [each.count for each in store.points(PointQuery(("ghijkl",)))] == [1]
    assert store.loggers("ghijkl") == [("train", 1)]
    for unclear in ("abcdef", "ghijk", "nobody"):
        with pytest.raises(NotFound, match=unclear):
            store.run(unclear)


def test_filters_keep_what_fits(store):
    """Runs come newest first, top level unless asked otherwise."""
    store.append(
        [
            delivery(
                events=[
                    start("parent", 0, experiment="x", tags={"gpu": "a100", "best": None}),
                    start("child1", 1, experiment="x", parent_id="parent"),
                    start("single", 2, experiment="y", display_name="Brave Fox", tags={"gpu": "h100"}),
                    event("run.ended", {"status": "Completed"}, run_id="single", time_unix_nano=NOW + 3 * SECOND),
                ]
            )
        ]
    )
    assert listed(store) == ["single", "parent"]
    assert listed(store, include_children=True) == ["single", "child1", "parent"]
    assert listed(store, parent_id="parent") == ["child1"]
    assert listed(store, experiment="x") == ["parent"]
    assert listed(store, status=frozenset({"Completed"})) == ["single"]
    assert listed(store, tags=(("gpu", None),)) == ["single", "parent"]
    assert listed(store, tags=(("gpu", "a100"), ("best", None))) == ["parent"]
    assert listed(store, text="brave FOX") == ["single"]
    assert listed(store, text="h100") == ["single"]
    assert listed(store, limit=1, offset=1) == ["parent"]


def test_all_runs_below_a_run_are_found(store):
    """Children, theirs and so on, each once; a run that says it is below itself is no trouble."""
    parents = {
        "sweep": None,
        "trial1": "sweep",
        "trial2": "sweep",
        "fold11": "trial1",
        "other1": None,
        "loop01": "loop01",
    }
    store.append([delivery(events=[start(run_id, parent_id=parent) for run_id, parent in parents.items()])])
    assert sorted(listed(store, ancestor_id="sweep")) == ["fold11", "trial1", "trial2"]
    assert listed(store, ancestor_id="trial1") == ["fold11"]
    assert listed(store, ancestor_id="loop01") == []
    assert sorted(listed(store, ancestor_id="sweep", parent_id="sweep")) == ["trial1", "trial2"]


@pytest.mark.parametrize("query", [RunQuery(limit=0), RunQuery(limit=10_001), RunQuery(offset=-1)])
def test_a_listing_that_makes_no_sense_is_refused(store, query):
    """Limit and offset have ranges."""
    with pytest.raises(InvalidArgument, match=r"limit|offset"):
        store.runs(query)


def test_experiments_count_their_runs(store):
    """The one with the newest run comes first."""
    store.append(
        [
            delivery(
                events=[start("r1", 0, experiment="x"), start("r2", 2, experiment="x"), start("r3", 1, experiment="y")]
            )
        ]
    )
    store.append([delivery(events=[event("run.ended", {}, run_id="r1", time_unix_nano=NOW + SECOND)])])
    assert store.experiments() == [
        Experiment("x", run_count=2, running_count=1, last_start_time_unix_nano=NOW + 2 * SECOND),
        Experiment("y", run_count=1, running_count=1, last_start_time_unix_nano=NOW + SECOND),
    ]


def test_the_history_of_a_run_is_its_events_in_time_order(store):
    """Heartbeats are left out."""
    store.append(
        [
            delivery(
                events=[
                    event("run.ended", {"status": "Completed"}, time_unix_nano=NOW + 2),
                    event("run.heartbeat", time_unix_nano=NOW + 1),
                    event("run.started", {"name": "n"}, time_unix_nano=NOW, rank=0),
                ]
            )
        ]
    )
    assert store.run_events("run-000001") == [
        RunEvent("run-000001", NOW, "run.started", {"name": "n"}, 0),
        RunEvent("run-000001", NOW + 2, "run.ended", {"status": "Completed"}),
    ]
    with pytest.raises(NotFound, match="run 'nobody'"):
        store.run_events("nobody")


def test_an_unknown_resource_is_named(store):
    """It is not there when nothing came from it."""
    with pytest.raises(NotFound, match="resource 'nothing'"):
        store.resource("nothing")
