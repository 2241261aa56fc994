"""What a store removes by itself, from a thread of its own."""

import hashlib
import logging
import threading
from contextlib import closing

from lake_servers import wait_for
from store_columns import NOW, SECOND, artifact, delivery, event, log, point

from runmill import store as stores
from runmill.store.interface import StoreFacts
from runmill.store.pruner import Retention
from runmill.store.query import PruneQuery, RunQuery

HOUR = 3600 * SECOND
SAID = "the run store removed what has had its time:"
FILE = hashlib.sha256(b"file").hexdigest()


def fill(store, *run_ids):
    """Store runs that ended, all of one age, and one that goes on."""
    store.put_artifact_bytes(FILE, [b"file"])
    for run_id in run_ids:
        started, ended = event("run.started", run_id=run_id), event("run.ended", {"status": "Completed"}, run_id=run_id)
        rows = {"logs": [log(run_id=run_id)], "points": [point(1.0, run_id=run_id)]}
        store.append([delivery(events=[started, ended], artifacts=[artifact(run_id=run_id, sha256=FILE)], **rows)])
    store.append([delivery(events=[event("run.started", run_id="goes-on-1", time_unix_nano=NOW + 2 * HOUR)])])


def left(store):
    return [run.run_id for run in store.runs(RunQuery())]


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_what_has_had_its_time_goes_by_itself(tmp_path, clock, caplog):
    """Soon after it has, with a word in the log; what goes on stays, and the store says what it does and has done."""
    retention = Retention(max_age_seconds=3600, check_interval_seconds=0.01)
    with closing(stores.open(tmp_path / "store", clock=clock, retention=retention)) as store:
        fill(store, "old-run-1", "old-run-2")
        assert left(store) == ["goes-on-1", "old-run-1", "old-run-2"]
        clock.now = NOW + 2 * HOUR
        wait_for(lambda: warnings(caplog), "the word in the log")
        assert warnings(caplog) == [f"{SAID} 2 runs (old-run-1, old-run-2), 2 log records, 2 metric points, 1 files"]
        assert (left(store), store.has_artifact_bytes(FILE)) == (["goes-on-1"], False)
        facts = store.facts()
        assert (facts.retention, removed(facts)) == (retention, (2, 2, 2))
    with closing(stores.open(tmp_path / "store", clock=clock)) as again:
        assert (again.facts().retention, removed(again.facts())) == (Retention(), (2, 2, 2))


def removed(facts: StoreFacts) -> tuple[int, int, int]:
    return facts.pruned_run_count, facts.pruned_log_count, facts.pruned_point_count


def test_many_names_are_cut(tmp_path, clock, caplog):
    """Ten are named, however many went."""
    names = [f"old-run-{number:02d}" for number in range(12)]
    with closing(stores.open(tmp_path / "store", clock=clock)) as store:
        fill(store, *names)
    clock.now = NOW + 2 * HOUR
    with closing(stores.open(tmp_path / "store", clock=clock, retention=Retention(max_size_bytes=1))) as store:
        wait_for(lambda: warnings(caplog), "the word in the log")
        assert left(store) == ["goes-on-1"]
    assert f"12 runs ({', '.join(names[:10])}, ...), 12 log records" in warnings(caplog)[0]


def test_nothing_goes_unless_asked(tmp_path, clock):
    """By default there is not even a thread for it."""
    with closing(stores.open(tmp_path / "store", clock=clock)):
        assert not [thread for thread in threading.enumerate() if "pruner" in thread.name]


def test_a_look_that_finds_nothing_leaves_no_trace(store, clock):
    """A store that prunes every hour does not grow by it, nor does it make others read anew."""
    fill(store, "young-run")
    store.prune(PruneQuery(older_than_unix_nano=NOW - HOUR, max_size_bytes=2**40))
    assert store.sql("select * from prunings").read_all().num_rows == 0
    clock.now = NOW + 2 * HOUR
    store.prune(PruneQuery(older_than_unix_nano=NOW + HOUR))
    assert store.sql("select run_count from prunings").read_all().to_pylist() == [{"run_count": 1}]


def test_no_more_goes_for_what_went_already(store, clock):
    """Rows that were taken out may still take space in the files; they are not counted, so the next look is content."""
    names = [f"run-{n:02d}-of-20" for n in range(20)]
    rows = [log(run_id=names[n % 20], body=f"{n:07d}", time_unix_nano=NOW + n) for n in range(60_000)]
    ended = [event("run.ended", {"status": "Completed"}, run_id=name, time_unix_nano=NOW + n)
             for n, name in enumerate(names)]  # fmt: skip
    store.append([delivery(logs=rows, events=ended)])
    clock.now = NOW + HOUR
    store.compact()
    query = PruneQuery(max_size_bytes=round(store.facts().size_bytes * 0.83))
    assert 0 < len(store.prune(query).run_ids) < 10
    assert store.prune(query).run_ids == ()


def test_owners_of_a_lake_prune_it_together(lake_url, clock):
    """Any number of them may be set to: each run goes once, and all of them notice."""
    retention = Retention(max_age_seconds=3600, check_interval_seconds=0.1)
    owners = [stores.open(lake_url, clock=clock, retention=retention) for _ in range(2)]
    fill(owners[0], "old-run-1", "old-run-2")
    clock.now = NOW + 2 * HOUR
    for owner in owners:
        wait_for(lambda owner=owner: left(owner) == ["goes-on-1"], "the end of old runs")
        assert removed(owner.facts()) == (2, 2, 2)
        owner.close()
