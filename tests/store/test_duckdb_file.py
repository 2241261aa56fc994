"""The embedded engine's file: who owns it, what version it has, and that a killed writer loses nothing it promised."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from store_columns import delivery, log

from runmill import store as stores
from runmill.columns import ARTIFACTS, EVENTS, LOGS, POINTS, RESOURCES
from runmill.errors import ConfigError, Conflict
from runmill.home import Home, Server
from runmill.store.query import LogQuery

HERE = Path(__file__).parent


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run *code* in a process of its own, which can make columns too."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )


HOLD = """
import sys
from runmill import store
opened = store.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_second_process_is_told_who_has_it(tmp_path):
    """The owner's pid, and the address of the server when it is one; it can be opened once the owner is gone."""
    home = Home(tmp_path)
    with child(HOLD, str(home.store)) as owner:
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(Conflict, match=f"process {owner.pid}. Read through it"):
            stores.open(home.store)
        home.write_server(Server("http://127.0.0.1:4318", owner.pid, "token"))
        with pytest.raises(Conflict, match=f"process {owner.pid}, the server at http://127.0.0.1:4318"):
            stores.open(home.store)
        owner.kill()
    stores.open(home.store).close()


def test_this_process_opens_it_once(tmp_path):
    """Two writers in one process would number rows twice."""
    first = stores.open(tmp_path)
    with pytest.raises(Conflict, match="this process"):
        stores.open(tmp_path)
    first.close()
    stores.open(tmp_path).close()


def test_a_url_and_a_folder_open_the_same(tmp_path):
    """The store says the URL it is opened by."""
    folder = tmp_path / "with space"
    first = stores.open(folder)
    first.append([delivery(logs=[log()])])
    url = first.facts().url
    first.close()
    second = stores.open(url)
    assert (url, second.facts().log_count) == (f"duckdb://{tmp_path}/with%20space", 1)
    second.close()


@pytest.mark.parametrize("url", ["ftp://host/folder", "duckdb://relative/folder", "duckdb:folder"])
def test_a_url_of_no_store_is_refused(url):
    """The text shows what can be given."""
    with pytest.raises(ConfigError, match="duckdb:///absolute/folder"):
        stores.open(url)


@pytest.mark.parametrize(("folder", "artifacts"), [("store", "artifacts"), ("other", "other/artifacts")])
def test_artifacts_of_a_home_are_found_beside_its_store(tmp_path, folder, artifacts):
    """Elsewhere they are kept inside the store's folder."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    opened = stores.open(tmp_path / folder)
    opened.put_artifact_bytes(empty, [])
    opened.close()
    assert (tmp_path / artifacts / "e3" / empty).exists()


def test_a_newer_store_is_left_alone(tmp_path):
    """A runmill that does not know its version says so and writes nothing."""
    stores.open(tmp_path).close()
    with duckdb.connect(tmp_path / "runs.duckdb") as connection:
        connection.execute("update schema_version set version = 99")
    before = (tmp_path / "runs.duckdb").read_bytes()
    with pytest.raises(ConfigError, match=r"version 99, and this runmill knows version 3"):
        stores.open(tmp_path)
    assert (tmp_path / "runs.duckdb").read_bytes() == before


def test_what_is_no_run_store_is_left_alone(tmp_path):
    """Neither another program's database nor any other file is written to."""
    with duckdb.connect(tmp_path / "runs.duckdb") as connection:
        connection.execute("create table cats (name varchar)")
    with pytest.raises(ConfigError, match=r"something else \(its tables: cats\)"):
        stores.open(tmp_path)
    (tmp_path / "runs.duckdb").write_text("not a database at all\n" * 1000)
    with pytest.raises(ConfigError, match="cannot be opened as a run store"):
        stores.open(tmp_path)
    assert (tmp_path / "runs.duckdb").read_text() == "not a database at all\n" * 1000


@pytest.mark.parametrize(
    ("table", "schema"),
    [("logs", LOGS), ("points", POINTS), ("events", EVENTS), ("artifacts", ARTIFACTS), ("resources", RESOURCES)],
)
def test_tables_hold_what_the_wire_makes(tmp_path, table, schema):
    """Each table has the columns of its Arrow schema, in its types, nullable where it says so."""
    stores.open(tmp_path).close()
    types = {"int64": "BIGINT", "int32": "INTEGER", "uint8": "UTINYINT", "uint32": "UINTEGER", "string": "VARCHAR"}
    types |= {"bool": "BOOLEAN", "double": "DOUBLE"}
    with duckdb.connect(tmp_path / "runs.duckdb") as connection:
        described = connection.execute(f"describe {table}").fetchall()
    columns = [(name, kind, null == "YES") for name, kind, null, *_ in described if name != "ingest_seq"]
    assert columns == [(field.name, types[str(field.type)], field.nullable) for field in schema]


WRITE = """
import sys
from runmill import store
from store_columns import delivery, log
opened = store.open(sys.argv[1])
sequence = int(sys.argv[2])
while True:
    opened.append([delivery("writer", sequence, logs=[log(body=f"{sequence}-{n}") for n in range(50)])])
    print(sequence, flush=True)
    sequence += 1
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path):
    """After each kill -9: every acknowledged batch is there whole, and one sent again is not doubled."""
    _kill_writers(tmp_path / "store", times=3)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_writer_killed_a_hundred_times_loses_nothing(tmp_path):
    """The same, a hundred times over one store, which by then has been folded and written into its tables."""
    _kill_writers(tmp_path / "store", times=100)


def _kill_writers(place, *, times):
    sent = 0
    for moment in range(times):
        with child(WRITE, str(place), str(sent)) as writer:
            acknowledged = [int(writer.stdout.readline()) for _ in range(1 + moment * 7 % 12)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
        sent = acknowledged[-1] + 1
        store = stores.open(place)
        # The one that was on its way may be stored although nobody heard of it: it is sent again, as a sender would.
        again = range(max(0, sent - 3), sent + 1)
        repeats = store.append([_batch(sequence) for sequence in again])
        assert repeats >= len(again) - 1
        sent += 1
        assert _bodies(store) == sorted(f"{sequence}-{n}" for sequence in range(sent) for n in range(50))
        store.close()


def _batch(sequence):
    return delivery("writer", sequence, logs=[log(body=f"{sequence}-{n}") for n in range(50)])


def _bodies(store) -> list[str]:
    found, page = [], store.logs(LogQuery(limit=10_000, committed_after=0))
    while page.records:
        found += [record.body for record in page.records]
        page = store.logs(LogQuery(limit=10_000, committed_after=page.records[-1].cursor))
    return sorted(found)


def test_queries_load_no_engine():
    """Whoever only builds queries loads neither DuckDB nor Arrow."""
    code = (
        "import sys, json, runmill.store.query; "
        "print(json.dumps([name for name in ('duckdb', 'pyarrow') if name in sys.modules]))"
    )
    with child(code) as process:
        assert json.loads(process.stdout.read()) == []
