"""What real servers remove by themselves, as their configuration or the environment says."""

import shutil
import time
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, RunningServer, running
from stored_run import post, run_event, run_logs

SAID = "the run store removed what has had its time: 1 runs (0a1b2c3d-1111-4222-8333-444455556666), 30 log records"


def wait_for_runs(server: RunningServer, *expected: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (found := [run["run_id"] for run in server.get("/api/v1/runs").json()["runs"]]) != list(expected):
        assert time.monotonic() < deadline, f"{found} and not {expected}"
        time.sleep(0.05)  # a look is taken now and then: there is nothing to wait on


def test_a_collector_keeps_its_store_small(tmp_path: Path, call):
    """Whatever ended goes when there is too much, and what goes on stays; `store info` says so."""
    home = tmp_path / "home"
    often = ("--set", "exporters.run_store.retention.check_interval=50ms")
    environment = {"RUNMILL_RETENTION_MAX_SIZE": "1"}
    with running(home, "up", "--endpoint", "127.0.0.1:0", *often, environment=environment) as server:
        goes_on = run_event("run.started", 0, status="Running")
        goes_on.resource_logs[0].resource.attributes[0].value.string_value = "goes-on-1"
        goes_on.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = time.time_ns()
        post(server.endpoint, "logs", goes_on)
        ended = run_logs()
        ended.MergeFrom(run_event("run.ended", 90, status="Completed"))
        post(server.endpoint, "logs", ended)
        wait_for_runs(server, "goes-on-1")
        info = " ".join(call("store", "info", "--home", str(home)).out.split())
        assert info.endswith("removed 1 runs, 30 log records, 0 metric points stays the newest that take 1 B")
        status, said = server.stop()
    assert (status, SAID in said) == (0, True)


def test_a_server_without_a_collector_keeps_its_store_young(stopped_home: Path, tmp_path: Path):
    """It looks at once."""
    home = shutil.copytree(stopped_home, tmp_path / "home")
    serve = ("serve", "--home", str(home), "--endpoint", "127.0.0.1:0")
    with running(home, *serve, environment={"RUNMILL_RETENTION_MAX_AGE": "1h"}) as server:
        wait_for_runs(server)
        assert server.get("/api/v1/store").json()["retention"] == {
            "max_age_seconds": 3600, "max_size_bytes": None, "check_interval_seconds": 3600.0,
        }  # fmt: skip
        assert SAID in server.stop()[1]


@pytest.mark.parametrize("wrong", [("--max-age", "90"), ("--max-size", "5 apples")])
def test_serve_wants_units(call, tmp_path: Path, wrong: tuple[str, str]):
    """As `store prune` does."""
    status, _, err = call("serve", "--home", str(tmp_path), *wrong)
    assert (status, err.startswith(f"runmill: {wrong[0]} {wrong[1]!r}: give a number")) == (2, True)


def test_two_exporters_into_one_store_agree(call, tmp_path: Path):
    """What one removes, the other would expect to be there."""
    config = tmp_path / "config.yaml"
    config.write_text("""
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters:
  run_store: {url: /tmp/never-opened, retention: {max_age: 90d}}
  run_store/2: {url: /tmp/never-opened}
service: {pipelines: {logs: {receivers: [otlp], exporters: [run_store, run_store/2]}}}
""")
    status, _, err = call("up", "--config", str(config), "--home", str(tmp_path))
    assert (status, "with a different 'retention'" in err) == (2, True)
