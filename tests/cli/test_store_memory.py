"""How much memory the store's engine may hold, as the configuration or the environment says it."""

from pathlib import Path

import httpx
import pytest

from processes import running


@pytest.mark.slow
@pytest.mark.parametrize("command", ["up", "serve"])
def test_the_engine_holds_what_the_environment_allows(tmp_path: Path, command: str):
    """Of the server that has the store open, with its own configuration."""
    started = (command, "--home", str(tmp_path), "--endpoint", "127.0.0.1:0")
    with running(tmp_path, *started, environment={"RUNMILL_MEMORY_LIMIT": "200MB"}) as server:
        asked = {"query": "select current_setting('memory_limit') as held"}
        answer = httpx.post(f"{server.endpoint}/api/v1/sql", json=asked, trust_env=False)
        assert answer.json() == {"held": "190.7 MiB"}


def test_serve_wants_a_unit(call, tmp_path: Path):
    """A bare number is as likely megabytes as bytes."""
    status, _, said = call("serve", "--home", str(tmp_path), "--memory-limit", "512")
    assert (status, said.startswith("runmill: --memory-limit '512': give a number")) == (2, True)
