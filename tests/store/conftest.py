from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from store_columns import NOW

from runmill import store as stores
from runmill.store.interface import Store


class FakeClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


ENGINES: dict[str, Callable[[Path, FakeClock], Store]] = {
    "duckdb": lambda folder, clock: stores.open(folder / "store", clock=clock),
}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=ENGINES)
def reopen(request, tmp_path, clock) -> Iterator[Callable[[], Store]]:
    """Open the test's store; the one opened before is closed first."""
    opened: list[Store] = []

    def open_again() -> Store:
        if opened:
            opened[-1].close()
        opened.append(ENGINES[request.param](tmp_path, clock))
        return opened[-1]

    yield open_again
    if opened:
        opened[-1].close()


@pytest.fixture
def store(reopen) -> Store:
    return reopen()
