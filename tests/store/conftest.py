import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lake_servers import ObjectStorage, Postgres
from store_columns import NOW

from runmill import store as stores
from runmill.store.interface import Store


class FakeClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Leave to `make test-long` what takes the lake long: property tests, and all but one case of a test of many."""
    seen = set()
    for item in items:
        if _engine(item) == "ducklake":
            item.add_marker(pytest.mark.engines)
            if hasattr(item.function, "hypothesis") or item.function in seen:
                item.add_marker(pytest.mark.long)
            seen.add(item.function)


def _engine(item):
    return item.callspec.params.get("store_place") if hasattr(item, "callspec") else None


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def object_storage() -> Iterator[ObjectStorage]:
    server = ObjectStorage()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lake_template(postgres, object_storage) -> str:
    """The catalog of an empty lake: copying it is quicker than making one."""
    postgres.sql("create database template_lake")
    url = f"ducklake:postgres:{postgres.connection('template_lake')} data_path=s3://runs/lake"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in object_storage.environment.items():
            patch.setenv(name, value)
        stores.open(url).close()
    return "template_lake"


_NUMBERS = itertools.count()


@pytest.fixture
def lake_url(postgres, object_storage, lake_template, monkeypatch) -> str:
    """An empty lake of the test's own, on storage that the environment gives access to."""
    for name, value in object_storage.environment.items():
        monkeypatch.setenv(name, value)
    database = f"lake_{os.getpid()}_{next(_NUMBERS)}"
    postgres.sql(f"create database {database} template {lake_template}")
    return f"ducklake:postgres:{postgres.connection(database)}"


@pytest.fixture(params=["duckdb", "ducklake"])
def store_place(request, tmp_path) -> Path | str:
    """What opens an empty store, of each engine in turn."""
    return tmp_path / "store" if request.param == "duckdb" else request.getfixturevalue("lake_url")


@pytest.fixture
def reopen(store_place, clock) -> Iterator[Callable[[], Store]]:
    """Open the test's store; the one opened before is closed first."""
    opened: list[Store] = []

    def open_again() -> Store:
        if opened:
            opened[-1].close()
        opened.append(stores.open(store_place, clock=clock))
        return opened[-1]

    yield open_again
    if opened:
        opened[-1].close()


@pytest.fixture
def store(reopen) -> Store:
    return reopen()
