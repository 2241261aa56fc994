"""A disk that fills, a file cut short, a storage that goes away: a clear refusal, and nothing acknowledged is lost.

A disk that fills is a small file system mounted for the test, which only root may do: else it is skipped.
"""

import hashlib
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from lake_servers import ObjectStorage
from store_columns import delivery, log

from runmill import store as stores
from runmill.errors import ConfigError, Refused, RunmillError, Unavailable
from runmill.store.query import LogQuery

MEGABYTE = 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB, with 24 MB of something else in it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={48 * MEGABYTE},mode=0777", "tmpfs", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"NOT TESTED: a full disk needs a mount, which is not allowed here: {done.stderr.strip()}")
    (folder / "other").write_bytes(bytes(24 * MEGABYTE))
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(params=["duckdb", "ducklake"])
def place_on_disk(request: pytest.FixtureRequest, small_disk: Path) -> str:
    """A store whose rows are on the small disk; a lake's catalog is not."""
    if request.param == "duckdb":
        return str(small_disk / "store")
    postgres = request.getfixturevalue("postgres")
    database = f"full_{os.getpid()}"
    postgres.sql(f"create database {database}")
    return f"ducklake:postgres:{postgres.connection(database)} data_path={small_disk}"


def batch(sequence: int):
    """A megabyte that cannot be made smaller."""
    return delivery("writer", sequence, logs=[log(body=f"{sequence}-{n} {os.urandom(1024).hex()}") for n in range(500)])


def numbers(store) -> list[str]:
    found, after = [], 0
    while records := store.logs(LogQuery(limit=10_000, committed_after=after)).records:
        found += [record.body.partition(" ")[0] for record in records]
        after = records[-1].cursor
    return found


def append_until_refused(append: Callable[[int], object]) -> tuple[int, RunmillError]:
    """Give how many batches were taken, and what was said to the next one."""
    for sequence in itertools.count():
        try:
            append(sequence)
        except RunmillError as error:
            return sequence, error
    raise AssertionError


def test_a_disk_that_fills_loses_nothing_acknowledged(place_on_disk, small_disk):
    """What finds no room is refused, to be sent again; what was taken is whole, and with room again so is the rest."""
    with closing(stores.open(place_on_disk)) as store:
        taken, error = append_until_refused(lambda sequence: store.append([batch(sequence)]))
        assert isinstance(error, Refused)
        assert taken > 3
        acknowledged = [f"{sequence}-{n}" for sequence in range(taken) for n in range(500)]
        assert numbers(store) == acknowledged
        (small_disk / "other").unlink()
        assert store.append([batch(sequence) for sequence in range(taken + 1)]) == taken
        acknowledged += [f"{taken}-{n}" for n in range(500)]
        assert numbers(store) == acknowledged
    with closing(stores.open(place_on_disk)) as store:
        assert numbers(store) == acknowledged


def test_a_file_finds_no_room(small_disk):
    """Nothing of it is left, and the next one that fits is taken."""
    large = [os.urandom(MEGABYTE)] * 40
    name = hashlib.sha256(b"".join(large)).hexdigest()
    with closing(stores.open(small_disk / "store")) as store:
        for put in (store.put_artifact_bytes, store.upload_artifact_bytes):
            with pytest.raises(Unavailable, match="storage of files"):
                put(name, large)
        assert not store.has_artifact_bytes(name)
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert store.put_artifact_bytes(empty, []) == 0


@pytest.mark.parametrize("part", [0.001, 0.3, 0.9])
def test_a_store_cut_short_is_left_alone(tmp_path, part):
    """It is said that it cannot be opened, or what is missing cannot be read; not a byte of it is changed by that."""
    with closing(stores.open(tmp_path)) as store:
        for sequence in range(4):
            store.append([batch(sequence)])
        store.compact()
    file = tmp_path / "runs.duckdb"
    os.truncate(file, int(file.stat().st_size * part))
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="cannot be opened as a run store"):
        stores.open(tmp_path)
    assert file.read_bytes() == before


@pytest.mark.slow
def test_an_object_storage_that_goes_away_refuses(postgres, monkeypatch):
    """Nothing is acknowledged that is not there; what was is not lost from the catalog."""
    storage = ObjectStorage()
    try:
        for name, value in storage.environment.items():
            monkeypatch.setenv(name, value)
        database = f"away_{os.getpid()}"
        postgres.sql(f"create database {database}")
        place = f"ducklake:postgres:{postgres.connection(database)} data_path=s3://runs/away"
        with closing(stores.open(place)) as store:
            store.append([batch(0)])
            assert len(numbers(store)) == 500
            storage.stop()
            with pytest.raises(Refused, match="cannot commit now"):
                store.append([delivery(logs=[log(body=f"{n}") for n in range(5000)])])
            assert store.facts().log_count == 500
    finally:
        storage.stop()
