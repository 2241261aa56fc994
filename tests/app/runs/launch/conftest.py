"""Scripts submitted to a real server, run by real runners."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from processes import RunningServer
from runmill import Experiment, ScriptRun, ScriptRunConfig, Workspace


@pytest.fixture
def experiment(workspace: Workspace) -> Experiment:
    return Experiment(workspace, "scripts")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def submit(experiment: Experiment, source: Path) -> Callable[..., ScriptRun]:
    """Submit a script given as text; keyword arguments are the run configuration's fields."""

    def submit(text: str, *arguments: str, **fields: object) -> ScriptRun:
        (source / "train.py").write_text(textwrap.dedent(text))
        config = ScriptRunConfig(source, "train.py", list(arguments))
        for name, value in fields.items():
            setattr(config.run_config, name, value)
        return experiment.submit(config)

    return submit


@pytest.fixture
def lines(server: RunningServer) -> Callable[..., list[tuple[str, str]]]:
    """Give (stream, body) of a run's output; nothing while the run has not arrived."""

    def lines(run: ScriptRun) -> list[tuple[str, str]]:
        records = server.get(f"/api/v1/runs/{run.id}/logs", limit="1000").json().get("records", [])
        return [(record["stream"], record["body"]) for record in records if record["stream"]]

    return lines
