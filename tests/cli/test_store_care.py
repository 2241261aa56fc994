"""`runmill store compact` and `prune`, over a store of one finished run."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def own_home(stopped_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored run that a test may change."""
    home = shutil.copytree(stopped_home, tmp_path / "home")
    monkeypatch.setenv("RUNMILL_HOME", str(home))
    return home


def test_prune_says_what_would_go_and_what_went(call, own_home: Path):
    """A dry run leaves everything; then the run is gone, and there is nothing more to go."""
    found = [
        json.loads(call("store", "prune", "--older-than", "0.01h", "--json", *more).out)
        for more in (("--dry-run",), (), ())
    ]
    assert [(each["runs"], each["dry_run"]) for each in found] == [(1, True), (1, False), (0, False)]
    assert (found[0]["logs"], found[0]["files"]) == (found[1]["logs"], found[1]["files"]) == (30, 1)
    assert call("logs", "latest").status == 1
    assert call("store", "prune", "--max-size", "1GB").out == "0 runs, 0 logs, 0 points, 0 files are gone.\n"


def test_compact_counts_rows(call, own_home: Path):
    """In words, or as JSON; the run is as it was."""
    before = call("show", "latest").out
    found = json.loads(call("store", "compact", "--json").out)
    assert found["rows_after"] <= found["rows_before"]
    assert "rows of sums are" in call("store", "compact").out
    assert call("show", "latest").out == before


@pytest.mark.parametrize("wrong", [(), ("--older-than", "90"), ("--max-size", "5 apples")])
def test_prune_wants_to_know_what(call, own_home: Path, wrong: tuple[str, ...]):
    """Nothing goes by default, and an amount has a unit."""
    status, out, err = call("store", "prune", *wrong)
    assert (status, out) == (2, "")
    assert err.startswith("runmill: ")


def test_a_store_in_use_is_left_to_its_server(call, stored_run, monkeypatch: pytest.MonkeyPatch):
    """The server that has it is named."""
    monkeypatch.setenv("RUNMILL_HOME", str(stored_run.home))
    status, _, err = call("store", "prune", "--older-than", "1h")
    assert status == 1
    assert f"the server at {stored_run.endpoint}" in err
