"""A run that is stored, read through its server or straight from the store."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from processes import RunningServer, running
from runmill.__main__ import main
from stored_run import post_run


class Called(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Called]:
    """Run one command in this process."""

    def call(*arguments: str) -> Called:
        monkeypatch.setattr(sys, "argv", ["runmill", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfdbinary.readouterr()
        return Called(end.value.code, out.decode(), err.decode())

    return call


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that holds one run: 30 log lines, a metric, a row metric, a file."""
    with running(tmp_path_factory.mktemp("stored"), "up", "--endpoint", "127.0.0.1:0") as server:
        post_run(server.endpoint)
        yield server


@pytest.fixture(params=["server", "store"])
def stored_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the stored run, once with its server and once without."""
    name = "stored_run" if request.param == "server" else "stopped_home"
    found = request.getfixturevalue(name)
    home = found.home if isinstance(found, RunningServer) else found
    monkeypatch.setenv("RUNMILL_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def stopped_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stopped")
    with running(home, "up", "--endpoint", "127.0.0.1:0") as server:
        post_run(server.endpoint)
        assert server.stop()[0] == 0
    return home
