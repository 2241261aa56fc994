"""What the store does for itself: it folds what grows by commits, and rests when nothing comes."""

import threading

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, delivery, log, point, resource

from runmill import store as stores
from runmill.errors import Unavailable
from runmill.store.duckdb.upkeep import Chores, Upkeep
from runmill.store.query import LogQuery, RunQuery, SeriesQuery

DEADLINE_SECONDS = 10


def answers(store):
    return (
        store.runs(RunQuery()),
        store.loggers(None),
        store.services(),
        store.metrics(["run-000001", "run-000002"]),
        store.series(SeriesQuery("run-000001", "loss")),
        store.logs(LogQuery()),
        store.facts().log_count,
        store.facts().point_count,
    )


def test_compaction_changes_no_answer(tmp_path):
    """Fewer rows say the same, before and after reopening; repeats are still known, gaps still open."""
    store = stores.open(tmp_path)
    numbers = [n for n in range(30) if n not in (7, 20)]
    for n in numbers:
        store.append(
            [
                delivery(
                    "writer",
                    n,
                    logs=[log(run_id=f"run-00000{n % 2 + 1}", body=str(n)), log(service="api", time_unix_nano=NOW + n)],
                    points=[point(n, index=n, time_unix_nano=NOW + n, unit="s"), point("text", metric="name", index=n)],
                    resources=[resource(service__name="svc")],
                )
            ]
        )
    before = answers(store)
    rows = store.compact()
    assert (rows.before, rows.after) == (len(numbers) * 5, 3 + 2 + 3)
    assert answers(store) == before
    store.close()
    store = stores.open(tmp_path)
    assert answers(store) == before
    assert store.append([delivery("writer", n, logs=[log()]) for n in numbers]) == len(numbers)
    assert store.append([delivery("writer", n, logs=[log()]) for n in (7, 20)]) == 0
    store.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.sampled_from("pq"), st.integers(0, 12)), min_size=1, max_size=5), max_size=6))
def test_what_was_delivered_is_known_however_it_was_folded(tmp_path_factory, commits):
    """Batches that came in any order, folded after each commit, are repeats; all others are not."""
    store = stores.open(tmp_path_factory.mktemp("folded"))
    seen = set()
    for commit in commits:
        store.append([delivery(producer, n, logs=[log()]) for producer, n in commit])
        seen.update(commit)
        store.compact()
    for producer in "pq":
        for n in range(14):
            assert store.append([delivery(producer, n)]) == ((producer, n) in seen)
    store.close()


def test_compaction_gives_way_to_a_closed_store(tmp_path):
    """It is an error, not a crash."""
    store = stores.open(tmp_path)
    store.close()
    with pytest.raises(Unavailable, match="was closed"):
        store.compact()


class Recorded:
    """Chores that only say that they were done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.happened = threading.Semaphore(0)

    def chore(self, name):
        def do():
            self.done.append(name)
            self.happened.release()

        return do

    def wait(self):
        assert self.happened.acquire(timeout=DEADLINE_SECONDS)


def test_a_store_rests_once_after_its_last_commit():
    """Each burst of commits is followed by one rest; a store nothing is written to does nothing."""
    recorded = Recorded()
    upkeep = Upkeep(Chores(recorded.chore("fold"), recorded.chore("rest")), fold_commits=2_000, rest_seconds=0.01)
    for _ in range(2):
        upkeep.committed()
        recorded.wait()
    upkeep.close()
    assert recorded.done == ["rest", "rest"]


def test_many_commits_are_folded_while_they_come():
    """Nobody has to wait for a rest, which may never come; a chore that fails does not end the upkeep."""
    recorded = Recorded()

    def fail():
        recorded.chore("fold")()
        raise duckdb.Error("disk gone")

    upkeep = Upkeep(Chores(fail, recorded.chore("rest")), fold_commits=3, rest_seconds=DEADLINE_SECONDS)
    for _ in range(2):
        for _ in range(3):
            upkeep.committed()
        recorded.wait()
    upkeep.close()
    assert recorded.done == ["fold", "fold"]


def test_an_upkeep_that_never_began_closes():
    """Twice, too."""
    upkeep = Upkeep(Chores(fold=lambda: None, rest=lambda: None), fold_commits=2_000)
    upkeep.close()
    upkeep.close()
