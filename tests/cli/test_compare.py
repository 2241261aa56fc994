"""`runmill compare`: over a server, and over the store alone."""

import json
from pathlib import Path

import pytest

from processes import running
from stored_run import RUN_ID, post, post_run, run_event

OTHER = "ffffffff-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("two-runs")
    with running(home, "up", "--endpoint", "127.0.0.1:0") as server:
        post_run(server.endpoint)
        other = run_event("run.started", 0, status="Running", experiment="diabetes", name="lasso", tags={"data": "all"})
        other.resource_logs[0].resource.attributes[0].value.string_value = OTHER
        post(server.endpoint, "logs", other)
        assert server.stop()[0] == 0
    return home


def test_what_differs_is_printed_and_the_rest_counted(call, two_runs: Path):
    """A column a run; --equal lists the rest."""
    status, out, err = call("compare", RUN_ID[:8], OTHER[:8], "--home", str(two_runs))
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert ["ridge", "lasso"] in lines
    assert ["data", "small", "all"] in lines
    assert ["experiment", "diabetes", "diabetes"] not in lines
    assert err.endswith("equal; --equal lists them.\n")
    everything = call("compare", RUN_ID[:8], OTHER[:8], "--equal", "--home", str(two_runs))
    assert ["experiment", "diabetes", "diabetes"] in [line.split() for line in everything.out.splitlines()]


def test_json_is_an_object_a_row(call, two_runs: Path):
    """Runs that lack something have null."""
    status, out, _ = call("compare", RUN_ID, OTHER, "--json", "--home", str(two_runs))
    rows = [json.loads(line) for line in out.splitlines()]
    figures = {"last": 0.375, "minimum": 0.25, "maximum": 0.5, "count": 3}
    assert status == 0
    assert {"group": "metrics", "name": "mse", "values": [figures, None], "differs": True} in rows


def test_a_run_is_not_compared_with_itself(call, two_runs: Path):
    """Two names of one run are one run."""
    status, _, err = call("compare", RUN_ID, RUN_ID[:8], "--home", str(two_runs))
    assert (status, "name two different runs or more" in err) == (2, True)
