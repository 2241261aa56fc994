"""A server that follows files is killed in the middle of them: afterwards each line is in the store, exactly once."""

import random
import signal
import time
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, RunningServer, running

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}}}}}
  file_log: {{include: ["{folder}/*.log*"], start_at: beginning, poll_interval: 5ms}}
exporters:
  run_store: {{url: "{home}/store"}}
service:
  pipelines:
    logs: {{receivers: [otlp, file_log], exporters: [run_store]}}
"""


def stored(server: RunningServer) -> list[str]:
    """Read all lines through the HTTP API, page by page from the newest."""
    found: list[str] = []
    before = ""
    while True:
        page = server.get("/api/v1/logs", limit="10000", before=before).json()
        found += [record["body"] for record in page["records"]]
        if not page["more_before"]:
            return found
        before = page["first"]


@pytest.mark.slow
@pytest.mark.parametrize("kill_count", [4, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_killed_server_neither_loses_nor_doubles_lines_of_files(kill_count: int, home: Path, tmp_path: Path):
    """SIGKILL at any moment, files rotated meanwhile: the next server knows what the store has."""
    chance = random.Random(4)
    config, folder, expected = tmp_path / "config.yaml", tmp_path / "logs", list[str]()
    folder.mkdir()
    config.write_text(CONFIG.format(folder=folder, home=home))
    command = ("up", "--config", str(config))
    for kill in range(kill_count):
        with running(home, *command) as server:
            if kill % 2:
                (folder / "app.log").rename(folder / f"app.log.{kill}")
            for part in range(10):
                lines = [f"{kill} {part} {n}" for n in range(chance.randrange(12_000 // kill_count))]
                expected += lines
                with (folder / "app.log").open("a") as file:
                    file.write("".join(f"{line}\n" for line in lines))
                time.sleep(chance.random() / 50)  # the moment of the kill is what is tried
            server.stop(signal.SIGKILL)
    with running(home, *command) as server:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(found := stored(server)) < len(expected) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert sorted(found) == sorted(expected)
