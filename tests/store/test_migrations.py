"""Stores that older versions wrote, as they wrote them: `tests/golden/store` has one of each version."""

import gzip
from pathlib import Path

import pytest
from store_columns import NOW, SECOND, delivery, event, log

from runmill import store as stores
from runmill.model import Artifact
from runmill.store.duckdb.schema import VERSION
from runmill.store.query import LogQuery, PointQuery

OLD = Path(__file__).parent.parent / "golden" / "store"


def test_every_old_version_has_its_file():
    """Whoever makes a new version keeps a store of the one before."""
    assert sorted(file.name for file in OLD.iterdir()) == [f"version-{n}.duckdb.gz" for n in range(1, VERSION)]


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_store_of_an_old_version_is_brought_up_to_this_one(tmp_path, version):
    """Everything in it is there, repeats are still known, and it takes new batches; then it is one of this version."""
    (tmp_path / "runs.duckdb").write_bytes(gzip.decompress((OLD / f"version-{version}.duckdb.gz").read_bytes()))
    store = stores.open(tmp_path)
    assert store.facts().schema_version == VERSION
    _check(store)
    known = [delivery("writer", n, logs=[log(body="repeat")]) for n in (0, 1, 2, 3, 6, 7)]
    assert store.append([*known, delivery("other", 5, logs=[log(body="repeat")])]) == 7
    assert store.append([delivery("writer", n, logs=[log(body="new")]) for n in (4, 5, 8)]) == 0
    labelled = event("experiment.updated", {"experiment": "old", "tags": {"b": "2"}}, run_id=None)
    store.append([delivery(events=[labelled])])
    assert store.experiments()[0].tags == {"b": "2"}
    store.close()
    store = stores.open(tmp_path)
    _check(store)
    assert store.append(known) == len(known)
    store.close()


def _check(store):
    run = store.run("run-000001")
    assert (run.experiment, run.status, run.tags, run.service) == ("old", "Completed", {"a": "1"}, "svc")
    assert [record.body for record in store.logs(LogQuery(run_id="run-000001")).records] == [
        f"line {n}" for n in range(6)
    ]
    [points] = store.points(PointQuery(("run-000001",)))
    assert (points.value, points.step) == ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0, 10, 20, 30, 40, 50])
    [summary] = store.metrics(["run-000001"])["run-000001"]
    assert (summary.count, summary.minimum, summary.maximum, summary.last_step) == (6, 0.0, 5.0, 50)
    assert store.artifacts("run-000001") == [
        Artifact("run-000001", "model.pkl", 3, "application/octet-stream", "a" * 64, NOW)
    ]
    assert run.end_time_unix_nano == NOW + SECOND
    assert store.services()[0][0] == "api"
