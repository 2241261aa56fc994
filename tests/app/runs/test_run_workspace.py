"""Where a workspace is looked for, what its file may say, and how its server starts."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS
from runmill.app.runs.autostart import ensure_server
from runmill.app.runs.client import Client
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.workspace import Workspace
from runmill.errors import ConfigError
from runmill.home import Home, Server

AZURE = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}


def _write(path: Path, said: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return path


def test_without_a_file_the_workspace_is_local(home):
    """Nothing is needed to begin."""
    workspace = Workspace.from_config()
    assert (workspace.name, workspace.link.outlet.home.path) == ("local", home)


@pytest.mark.parametrize(
    "winner",
    [
        ".azureml/config.json", ".azureml/project.json", "aml_config/config.json", "aml_config/project.json",
        "config.json", "project.json",
    ],
)  # fmt: skip
def test_each_place_is_searched_to_the_top_before_the_next(tmp_path, winner):
    """A place further down the list loses, even where it is nearer."""
    places = [
        ".azureml/config.json", ".azureml/project.json", "aml_config/config.json", "aml_config/project.json",
        "config.json", "project.json",
    ]  # fmt: skip
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    _write(tmp_path / winner, {**AZURE, "workspace_name": "winner"})
    for loser in places[places.index(winner) + 1 :]:
        _write(deep / loser, {**AZURE, "workspace_name": "loser"})
    assert Workspace.from_config(deep).name == "winner"


def test_a_file_given_is_the_file(tmp_path):
    """Whatever it is called."""
    path = _write(tmp_path / "mine.json", {**AZURE, "extra": 1})
    workspace = Workspace.from_config(path)
    assert (workspace.subscription_id, workspace.resource_group, workspace.name) == ("s", "g", "w")


def test_an_old_scope_names_a_workspace(tmp_path):
    """One string with all three."""
    scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    assert Workspace.from_config(_write(tmp_path / "config.json", {"Scope": scope})).name == "w"


def test_an_endpoint_names_a_server(tmp_path):
    """The workspace's data goes there."""
    _write(tmp_path / "config.json", {"endpoint": "http://collector:4318/"})
    assert Workspace.from_config().location == "http://collector:4318"


@pytest.mark.parametrize("key", ["home", "store"])
def test_a_home_is_meant_from_where_the_file_is(tmp_path, key):
    """The same workspace wherever the script was started."""
    _write(tmp_path / "config.json", {key: "runs"})
    (tmp_path / "deep").mkdir()
    assert Workspace.from_config("deep").link.outlet.home.path == tmp_path / "runs"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("{", r"config\.json: cannot be read as JSON"),
        ([1], r"config\.json: must hold a JSON object, got \[1\]"),
        ({}, r"config\.json: names no workspace\. Write \{\"endpoint\": \"http://HOST:4318\"\}"),
        ({"subscription_id": "s"}, r"names no workspace"),
        ({"endpoint": 5}, r"'endpoint' must be text, got 5"),
        ({"endpoint": "collector"}, r"'collector' is not the address"),
        ({"store": "postgresql://db/runs"}, r"must be a folder; a store elsewhere is reached by an 'endpoint'"),
    ],
)
def test_a_file_that_names_no_workspace_is_refused(tmp_path, said, text):
    """The text names the file, what is wrong and what to write."""
    _write(tmp_path / "config.json", said)
    with pytest.raises(ConfigError, match=text):
        Workspace.from_config()


def test_a_path_that_is_not_there_is_refused(tmp_path):
    """A typing error does not silently log somewhere else."""
    with pytest.raises(ConfigError, match=r"there is no file or folder '.*nowhere'"):
        Workspace.from_config(tmp_path / "nowhere")


def test_what_is_written_is_read_back(tmp_path):
    """write_config puts the file where from_config finds it."""
    Workspace("s", "g", "w", home=tmp_path / "runs", endpoint="http://collector:4318").write_config()
    read = Workspace.from_config()
    facts = (read.subscription_id, read.resource_group, read.name, read.location, read.link.outlet.home.path)
    assert facts == ("s", "g", "w", "http://collector:4318", tmp_path / "runs")
    assert (tmp_path / ".azureml" / "config.json").is_file()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Home]:
    """A home in which a server may start by itself; it is stopped at the end."""
    monkeypatch.delenv("RUNMILL_AUTOSTART")
    place = Home(home)
    yield place
    server = place.find_server()
    if server is not None:
        os.kill(server.pid, signal.SIGTERM)
        os.waitpid(server.pid, 0)


def test_a_collector_starts_by_itself_once(started):
    """The first run starts it and says so; the next one finds it and says nothing."""
    said: list[str] = []
    first = ensure_server(started, say=said.append)
    second = ensure_server(started, say=said.append)
    assert first is not None
    assert (second, Client(first).is_healthy()) == (first, True)
    assert said == [f"started a collector; runs are shown at {first.endpoint}"]
    # In a session of its own: Ctrl-C here does not reach it.
    assert os.getsid(first.pid) == first.pid


def test_a_dead_servers_entry_does_not_keep_one_from_starting(started):
    """A killed server leaves its entry behind; it is tried, and replaced."""
    started.write_server(Server("http://127.0.0.1:9", 999_999_999, ""))
    server = ensure_server(started, say=lambda _: None)
    assert server is not None
    assert server.endpoint != "http://127.0.0.1:9"


def test_nothing_starts_where_it_is_switched_off(home):
    """RUNMILL_AUTOSTART=0 leaves everything in the journal, without a word."""
    said: list[str] = []
    assert (ensure_server(Home(home), say=said.append), said, home.joinpath("server.log").exists()) == (None, [], False)


def test_a_home_that_cannot_be_written_is_said(started, tmp_path):
    """The run goes on; the text names the folder."""
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    assert ensure_server(Home(tmp_path / "file"), say=said.append) is None
    assert len(said) == 1
    assert said[0].startswith(f"no collector could be started in '{tmp_path / 'file'}'")


def test_a_program_starts_its_collector_and_reads_back(started, script):
    """The whole way with nothing set up: start, log, read, and the address said once on stderr."""
    ended = script(
        "from runmill import Experiment, Workspace\n"
        "run = Experiment(Workspace.from_config(), 'first').start_logging(outputs=False)\n"
        "run.log('m', 1)\n"
        "print(run.get_metrics(), run.get_portal_url())",
        RUNMILL_HOME=str(started.path),
        RUNMILL_ENDPOINT="",
    )
    server = started.find_server()
    assert ended.stderr == f"runmill: started a collector; runs are shown at {server.endpoint}\n"
    assert ended.stdout.startswith(f"{{'m': 1}} {server.endpoint}/runs/")
    _stop(server)


@pytest.mark.slow
def test_reading_starts_a_killed_server_again(started):
    """What was logged before and after the server died is in the next answer; nobody starts anything by hand."""
    workspace = Workspace(home=started.path)
    run = Experiment(workspace, "first").start_logging(outputs=False, snapshot_directory=None)
    run.log("m", 1)
    assert run.get_metrics() == {"m": 1}
    killed = started.find_server()
    os.kill(killed.pid, signal.SIGKILL)
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    run.log("m", 2)
    assert run.get_metrics() == {"m": [1, 2]}
    assert started.find_server().pid != killed.pid
    run.complete()


def _stop(server: Server) -> None:
    """Stop a server that is nobody's child here, and wait until it does not answer."""
    os.kill(server.pid, signal.SIGTERM)
    client = Client(server, timeout_seconds=DEADLINE_SECONDS)
    while client.is_healthy():
        pass
