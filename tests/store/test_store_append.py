"""What an append promises, on every engine."""

import threading

import pytest
from store_columns import NOW, artifact, delivery, event, log, point, resource

from runmill.errors import Rejected, Unavailable
from runmill.model import Artifact, RunEvent
from runmill.store.query import LogQuery, PointQuery, RunQuery


def bodies(store) -> list[str]:
    return [record.body for record in store.logs(LogQuery(limit=1000)).records]


def test_a_repeat_is_left_out(store):
    """A batch of one producer and sequence is stored once, however often it is delivered."""
    first = delivery("p", 1, logs=[log(body="one")])
    assert store.append([first, first]) == 1
    assert store.append([first, delivery("p", 2, logs=[log(body="two")])]) == 1
    assert bodies(store) == ["one", "two"]


def test_the_same_sequence_of_another_producer_is_another_batch(store):
    """Sequences count per producer."""
    assert store.append([delivery(name, 1, logs=[log(body=name)]) for name in ("p", "q")]) == 0
    assert bodies(store) == ["p", "q"]


def test_without_a_producer_nothing_is_a_repeat(store):
    """Foreign senders cannot be recognised, so all they send is stored."""
    anonymous = delivery(logs=[log(body="same")])
    assert store.append([anonymous, anonymous]) == 0
    assert bodies(store) == ["same", "same"]


def test_a_repeat_is_known_after_reopening(reopen):
    """What was committed is remembered with the rows."""
    batch = delivery("p", 1, logs=[log(body="one")])
    reopen().append([batch])
    store = reopen()
    assert store.append([batch]) == 1
    assert bodies(store) == ["one"]


def test_a_batch_that_comes_late_is_no_repeat(reopen):
    """Above a number there may be others already; only what is stored is left out, also after reopening."""
    batches = [delivery("p", number, logs=[log(body=str(number))]) for number in range(5)]
    reopen().append([batches[0], batches[4]])
    store = reopen()
    assert [store.append([batches[number]]) for number in (2, 4, 3, 2)] == [0, 1, 0, 1]
    store.compact()
    assert store.append(batches) == 4
    assert bodies(store) == ["0", "4", "2", "3", "1"]


def test_a_batch_that_was_rejected_is_no_repeat(store):
    """What did not come to a commit is not taken for stored."""
    with pytest.raises(Rejected):
        store.append([delivery("p", 1, logs=[log(body="bad", resource_id=None)])])
    assert store.append([delivery("p", 1, logs=[log(body="good")])]) == 0
    assert bodies(store) == ["good"]


def test_everything_is_there_after_reopening(reopen):
    """Runs, counts, summaries and cursors are as they were."""
    store = reopen()
    store.append(
        [
            delivery(
                logs=[log(run_id="run-000001"), log(service="api")],
                points=[point(1.5, step=3)],
                events=[event("run.started", {"experiment": "e"}), event("run.heartbeat", time_unix_nano=NOW + 5)],
                artifacts=[artifact(run_id="run-000002")],
                resources=[resource(service__name="svc")],
            )
        ]
    )
    before = _everything(store)
    store = reopen()
    assert _everything(store) == before
    store.append([delivery(logs=[log(body="later")])])
    cursors = [record.cursor for record in store.logs(LogQuery()).records]
    assert len(set(cursors)) == 3


def _everything(store):
    return (
        store.runs(RunQuery()),
        store.experiments(),
        store.logs(LogQuery()),
        store.loggers(None),
        store.services(),
        store.metrics(["run-000001"]),
        store.artifacts("run-000002"),
        store.resource("resource-1"),
        store.facts().log_count,
        store.facts().point_count,
    )


def test_listeners_hear_of_each_commit(store):
    """A listener gets what a commit added, decoded, without repeats, and after it can be read."""
    heard = []
    found = []

    def listen(committed):
        heard.append(committed)
        found.append(store.logs(LogQuery()).records)

    unsubscribe = store.subscribe(listen)
    first = delivery(
        "p",
        1,
        logs=[log(body="one", run_id="run-000001")],
        points=[point(2, metric="m"), point(3.0, run_id=None)],
        events=[event("run.ended", {"status": "Completed"})],
        artifacts=[artifact()],
    )
    store.append([first])
    store.append([first])
    unsubscribe()
    store.append([delivery(logs=[log()])])
    assert tuple(heard[0].logs) == found[0]
    [columns] = store.points(PointQuery(("run-000001",)))
    assert list(heard[0].points) == [("run-000001", point) for point in columns.points()]
    assert list(heard[0].events) == [RunEvent("run-000001", NOW, "run.ended", {"status": "Completed"})]
    assert list(heard[0].artifacts) == [
        Artifact("run-000001", "model.pkl", 3, "application/octet-stream", "a" * 64, NOW),
    ]
    assert [len(part) for part in (heard[1].logs, heard[1].points, heard[1].events, heard[1].artifacts)] == [0] * 4
    assert len(heard) == 2


def test_a_listener_that_raises_undoes_nothing(store):
    """The commit stands, others hear of it, and the faulty listener is not called again."""
    heard, calls = [], []

    def faulty(committed):
        calls.append(committed)
        raise RuntimeError("no")

    store.subscribe(faulty)
    store.subscribe(heard.append)
    for _ in range(2):
        assert store.append([delivery(logs=[log()])]) == 0
    assert (len(calls), len(heard), len(bodies(store))) == (1, 2, 2)


@pytest.mark.slow
def test_many_threads_append_and_read(store):
    """Appends of several threads are all kept, each whole, while others read."""
    threads = [
        threading.Thread(
            target=lambda name=name: [
                store.append([delivery(name, n, logs=[log(body=f"{name}-{n}", run_id=name)] * 3)]) for n in range(20)
            ]
        )
        for name in ("writer-1", "writer-2", "writer-3")
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(store.logs(LogQuery(run_id="writer-1", limit=100)).records) % 3 == 0
    for thread in threads:
        thread.join()
    assert {run.run_id: len(store.logs(LogQuery(run_id=run.run_id)).records) for run in store.runs(RunQuery())} == {
        "writer-1": 60,
        "writer-2": 60,
        "writer-3": 60,
    }


def test_a_closed_store_says_so(store):
    """After close, which may be called twice, reading and writing raise Unavailable."""
    store.close()
    store.close()
    with pytest.raises(Unavailable, match="was closed"):
        store.append([delivery(logs=[log()])])
    with pytest.raises(Unavailable, match="was closed"):
        store.logs(LogQuery())
