"""One store into another, through the protocol: what comes out is the same, once, also when it was broken off."""

import hashlib
from contextlib import closing

import pytest
from store_columns import NOW, artifact, delivery, event, log, point, resource

from runmill import store as stores
from runmill.errors import Conflict, InvalidArgument
from runmill.store.copying import Copied, copy
from runmill.store.query import LogQuery, PointQuery, RunQuery

CONTENT = b"a model"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def other(tmp_path, clock):
    """A store in a file, with two runs of all kinds of rows."""
    opened = stores.open(tmp_path / "other", clock=clock)
    opened.append(
        [
            delivery(
                logs=[log(body=f"{n}", run_id="run-000001", time_unix_nano=NOW + n) for n in range(50)] + [log()],
                points=[point(n * 0.5, index=n, time_unix_nano=NOW + n) for n in range(50)]
                + [point("text", metric="m")],
                events=[event("run.started", {"experiment": "e"}), event("run.ended", {}, run_id="run-000002")],
                artifacts=[artifact(sha256=SHA256)],
                resources=[resource(service__name="svc")],
            )
        ]
    )
    opened.put_artifact_bytes(SHA256, [CONTENT])
    yield opened
    opened.close()


def everything(store):
    return (
        store.runs(RunQuery()),
        store.logs(LogQuery(limit=1000)),
        store.points(PointQuery(("run-000001",))),
        store.metrics(["run-000001"]),
        store.run_events("run-000001"),
        store.artifacts("run-000001"),
        b"".join(store.artifact_bytes(SHA256)),
        store.resource("resource-1"),
        store.loggers(None),
        store.services(),
    )


def test_a_copy_is_the_same_and_a_second_one_adds_nothing(other, store):
    """Every answer is the same, files and cursors included; copying again finds all of it there."""
    copied = Copied(run_count=2, log_count=51, point_count=51, file_count=1)
    for _ in range(2):
        assert copy(other, store) == copied
        assert everything(store) == everything(other)


def test_what_was_copied_out_comes_back_into_a_folder(other, store, tmp_path, clock):
    """From any engine, packed, into a folder: every answer is what it was before it left."""
    copy(other, store)
    store.compact()
    with closing(stores.open(tmp_path / "back", clock=clock)) as back:
        assert copy(store, back) == Copied(run_count=2, log_count=51, point_count=51, file_count=1)
        assert everything(back) == everything(other)


def test_a_copy_that_was_broken_off_goes_on(other, store, monkeypatch):
    """What was copied before stays, and nothing comes twice."""
    monkeypatch.setattr("runmill.store.copying._BATCH_ROWS", 20)

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(other, store, tell=stop)
    assert 0 < store.facts().log_count < 51
    copy(other, store)
    assert everything(store) == everything(other)


def test_a_source_that_grew_is_not_copied_on_top(other, store):
    """Else its rows could be there twice; the text says what to do."""
    copy(other, store)
    other.append([delivery(logs=[log()])])
    with pytest.raises(Conflict, match="Copy it into a store without it"):
        copy(other, store)


def test_a_store_is_not_copied_into_itself(other):
    """It would never end."""
    with pytest.raises(InvalidArgument, match="Name two stores"):
        copy(other, other)
