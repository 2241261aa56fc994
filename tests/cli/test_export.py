"""`runmill store export`, through the server that has the store, and without one."""

import json
from pathlib import Path

import httpx
import pyarrow.parquet as pq

from processes import running
from runmill import store as stores


def test_tables_are_exported(call, stored_home: Path, tmp_path: Path):
    """Parquet and JSON lines hold the same rows, one file a table, those of the run alone."""
    for kind in ("parquet", "jsonl"):
        assert call("store", "export", str(tmp_path / kind), "--run", "latest", "--format", kind).status == 0
    rows = [json.loads(line) for line in (tmp_path / "jsonl" / "logs.jsonl").read_text().splitlines()]
    assert len(rows) == 30
    assert pq.read_table(tmp_path / "parquet" / "logs.parquet").to_pylist() == rows
    assert {path.stem for path in (tmp_path / "parquet").iterdir()} == {
        "runs", "logs", "points", "events", "artifacts", "resources",
    }  # fmt: skip


def test_an_export_overwrites_nothing(call, stored_home: Path, tmp_path: Path):
    """A folder with something in it, and a run that is not there, are errors that leave nothing behind."""
    (tmp_path / "mine").write_text("here first")
    assert call("store", "export", str(tmp_path)).status == 2
    assert call("store", "export", str(tmp_path / "new"), "--run", "nope").status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_exported_otlp_is_the_same_run_elsewhere(call, stored_run, tmp_path: Path):
    """Another server that is sent the requests has every row that the first one has."""
    home = str(stored_run.home)
    assert call("store", "export", str(tmp_path / "otlp"), "--format", "otlp", "--home", home).status == 0
    with running(tmp_path / "other") as other:
        for signal in ("logs", "metrics"):
            for line in (tmp_path / "otlp" / f"{signal}.jsonl").read_bytes().splitlines():
                headers = {"Content-Type": "application/json"}
                answer = httpx.post(f"{other.endpoint}/v1/{signal}", content=line, headers=headers, trust_env=False)
                assert answer.json() == {}
        with stores.connect(home) as before, stores.connect(other.home) as after:
            for table in ("logs", "points", "events", "artifacts"):
                rows = f"select * exclude (ingest_seq) from {table} order by all"
                assert after.sql(rows).to_pylist() == before.sql(rows).to_pylist()
