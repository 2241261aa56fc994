"""`runmill sql`, through the server that has the store, and without one."""

import io
import json
from pathlib import Path

import pytest

from runmill import store as stores


def test_a_question_is_answered(call, stored_home: Path):
    """The same rows from a server and from the store itself, as a table and as JSON; a run's state is a table too."""
    asked = "select status, count(*) as runs, sum(number) as total from runs group by all"
    assert json.loads(call("sql", asked, "--json").out) == {"status": "Completed", "runs": 1, "total": 1}
    assert call("sql", asked).out.split() == ["status", "runs", "total", "Completed", "1", "1"]


def test_what_json_has_no_word_for_is_written_as_elsewhere(call, stored_home: Path):
    """NaN is a string, bytes are base64, large sums are numbers."""
    asked = "select 'nan'::double as x, 'ab'::blob as b, 1.5::decimal(9, 2) as d, [1, 2] as l, time '12:30' as t"
    found = json.loads(call("sql", asked, "--json").out)
    assert found == {"x": "NaN", "b": "YWI=", "d": 1.5, "l": [1, 2], "t": "12:30:00"}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from logs",
        "select 1; select 2",
        "",
        "selec",
        "copy logs to 'x'",
        "select * from read_csv('/etc/passwd')",
    ],
)
def test_only_reading_the_tables_is_answered(call, stored_home: Path, statement: str):
    """Anything else is refused in words, and the store is as it was."""
    status, out, err = call("sql", statement)
    assert (status, out) == (2, "")
    assert err.startswith("runmill: SQL")
    assert json.loads(call("sql", "select count(*) as n from logs", "--json").out) == {"n": 30}


def test_a_statement_comes_from_standard_input(call, stored_home: Path, monkeypatch: pytest.MonkeyPatch):
    """As from a file of one's own."""
    monkeypatch.setattr("sys.stdin", io.StringIO("select 7 as n"))
    assert json.loads(call("sql", "-", "--json").out) == {"n": 7}


def test_a_notebook_reads_the_tables(stored_home: Path):
    """`runmill.store.connect` gives Arrow tables, whoever has the store."""
    with stores.connect() as store:
        assert store.sql("from logs order by time_unix_nano").num_rows == 30
        with store.stream("select i from range(100000) as t(i)") as batches:
            assert sum(batch.num_rows for batch in batches) == 100_000


def test_another_store_than_the_homes_is_asked(call, stopped_home: Path, tmp_path: Path, monkeypatch):
    """By `--store` or RUNMILL_STORE, in SQL, in an export and by whoever reads; a notebook names it by `url`."""
    monkeypatch.setenv("RUNMILL_HOME", str(tmp_path / "empty"))
    url = str(stopped_home / "store")
    asked = "select count(*) as n from logs"
    assert json.loads(call("sql", asked, "--json", "--store", url).out) == {"n": 30}
    assert json.loads(call("store", "info", "--json", "--store", url).out)["log_count"] == 30
    assert call("runs").status == 1
    monkeypatch.setenv("RUNMILL_STORE", url)
    assert json.loads(call("sql", asked, "--json").out) == {"n": 30}
    assert len(call("runs", "--json").out.splitlines()) == 1
    assert call("store", "export", str(tmp_path / "out")).status == 0
    with stores.connect(url=url) as store:
        assert store.sql(asked).to_pylist() == [{"n": 30}]
