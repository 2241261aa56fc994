"""What goes when a store is pruned, on every engine."""

import hashlib

import pytest
from store_columns import NOW, SECOND, artifact, delivery, event, log, point, resource

from runmill.errors import NotFound
from runmill.model import Run
from runmill.store.query import LogQuery, PointQuery, Pruned, PruneQuery, RunQuery
from runmill.store.retention import Family, families

HOUR = 3600 * SECOND


def run(run_id, last_seen, *, parent_id=None, status="Completed"):
    return Run(run_id, "e", run_id, run_id, 1, status, 0, None, parent_id=parent_id, last_seen_unix_nano=last_seen)


def test_families_stay_or_go_together():
    """A family is as old as its youngest; one with a run that is, or may be, at work or with a kept one may not go."""
    runs = [
        run("sweep", 1), run("trial", 5, parent_id="sweep"), run("fold", 9, parent_id="trial"),
        run("alone", 3), run("orphan", 4, parent_id="long gone"),
        run("busy parent", 0), run("at work", 2, parent_id="busy parent", status="Running"),
        run("of a model", 0), run("silent", 2, status="NotResponding"), run("quiet", 3 * HOUR, status="NotResponding"),
        run("loop a", 7, parent_id="loop b"), run("loop b", 8, parent_id="loop a"),
    ]  # fmt: skip
    assert families(runs, kept={"of a model"}, now_unix_nano=26 * HOUR) == [
        Family(("silent",), 2),
        Family(("alone",), 3),
        Family(("orphan",), 4),
        Family(("loop a", "loop b"), 8),
        Family(("sweep", "trial", "fold"), 9),
    ]


def fill(store, run_id, at, *, bytes_of_file=b"", rows=3, **body):
    """Store a completed run with logs, points, a file and a resource."""
    sha256 = hashlib.sha256(bytes_of_file).hexdigest()
    store.put_artifact_bytes(sha256, [bytes_of_file])
    of_run = {"run_id": run_id, "resource_id": f"of {run_id}"}
    store.append(
        [
            delivery(
                logs=[log(**of_run, time_unix_nano=at + n) for n in range(rows)],
                points=[point(n, **of_run, time_unix_nano=at + n) for n in range(rows)],
                events=[
                    event("run.started", body, **of_run, time_unix_nano=at),
                    event("run.ended", {"status": "Completed"}, **of_run, time_unix_nano=at + rows),
                ],
                artifacts=[artifact(run_id=run_id, sha256=sha256, time_unix_nano=at)],
                resources=[resource(f"of {run_id}")],
            )
        ]
    )
    return sha256


def listed(store):
    return {each.run_id for each in store.runs(RunQuery(include_children=True))}


def test_what_is_old_goes_whole(reopen, clock):
    """Nothing of an old run is left, and nothing of a young one is missing, now and after reopening."""
    store = reopen()
    shared = fill(store, "old-run-1", NOW, bytes_of_file=b"shared")
    alone = fill(store, "old-run-2", NOW + 1, bytes_of_file=b"alone")
    fill(store, "new-run-1", NOW + HOUR, bytes_of_file=b"shared")
    store.append([delivery(logs=[log(service="api", time_unix_nano=NOW + n * HOUR, body=str(n)) for n in range(2)])])
    clock.now = NOW + 2 * HOUR
    before = store.logs(LogQuery(run_id="new-run-1")), store.metrics(["new-run-1"]), store.run("new-run-1").status
    cursor = store.logs(LogQuery()).committed
    query = PruneQuery(older_than_unix_nano=NOW + HOUR // 2)
    pruned = Pruned(("old-run-1", "old-run-2"), 7, 6, 1)
    assert store.prune(PruneQuery(query.older_than_unix_nano, dry_run=True)) == pruned
    assert len(listed(store)) == 3
    assert store.prune(query) == pruned
    for _ in range(2):
        assert listed(store) == {"new-run-1"}
        assert (store.facts().log_count, store.facts().point_count) == (4, 3)
        assert store.services() == [("api", 1)]
        assert [record.body for record in store.logs(LogQuery(service="api")).records] == ["1"]
        assert (store.has_artifact_bytes(shared), store.has_artifact_bytes(alone)) == (True, False)
        with pytest.raises(NotFound):
            store.points(PointQuery(("old-run-1",)))
        with pytest.raises(NotFound):
            store.resource("of old-run-1")
        after = store.logs(LogQuery(run_id="new-run-1")), store.metrics(["new-run-1"]), store.run("new-run-1").status
        assert after == before
        store = reopen()
    assert store.prune(query) == Pruned((), 0, 0, 0)
    store.append([delivery(logs=[log(body="later")])])
    assert [record.body for record in store.logs(LogQuery(committed_after=cursor)).records] == ["later"]


def test_numbers_go_on_when_nothing_is_left(reopen, clock):
    """A reader's cursor of before the pruning still divides what it has seen from what is new."""
    store = reopen()
    fill(store, "old-run-1", NOW)
    cursor = store.logs(LogQuery()).committed
    clock.now = NOW + HOUR
    store.prune(PruneQuery(older_than_unix_nano=clock.now))
    assert (listed(store), store.facts().log_count) == (set(), 0)
    store = reopen()
    store.append([delivery(logs=[log(body="later")])])
    assert [record.body for record in store.logs(LogQuery(committed_after=cursor)).records] == ["later"]


def test_repeats_of_what_was_pruned_are_still_known(store, clock):
    """A sender that tries again brings nothing back."""
    batch = delivery("p", 1, logs=[log(run_id="old-run-1")], events=[event("run.ended", run_id="old-run-1")])
    store.append([batch])
    clock.now = NOW + HOUR
    assert store.prune(PruneQuery(older_than_unix_nano=clock.now)).run_ids == ("old-run-1",)
    assert store.append([batch]) == 1
    assert listed(store) == set()


def test_runs_at_work_and_of_models_stay(store, clock):
    """However old they are."""
    fill(store, "of-a-model", NOW)
    body = {"name": "m", "path": "model.pkl"}
    store.append(
        [
            delivery(
                events=[
                    event("run.model", body, run_id="of-a-model"),
                    event("run.started", run_id="at-work", time_unix_nano=NOW),
                ]
            )
        ]
    )
    clock.now = NOW + SECOND
    assert store.prune(PruneQuery(older_than_unix_nano=NOW + HOUR)) == Pruned((), 0, 0, 0)
    assert listed(store) == {"of-a-model", "at-work"}


def test_the_oldest_go_until_the_rest_fits(store, clock):
    """By size, the oldest runs go, and no more than have to; what fits already is left alone."""
    names = [f"run-{n}-of-8" for n in range(8)]
    for n, name in enumerate(names):
        fill(store, name, NOW + n * SECOND, rows=20_000)
    clock.now = NOW + HOUR
    assert store.prune(PruneQuery(max_size_bytes=2**40)).run_ids == ()
    store.compact()
    whole = store.facts().size_bytes
    gone = store.prune(PruneQuery(max_size_bytes=whole // 2)).run_ids
    assert gone == tuple(names[: len(gone)])
    assert 2 <= len(gone) <= 5
    assert store.facts().log_count == 20_000 * (8 - len(gone))
