"""`limits="azureml"` warns where Azure ML's service would refuse; nothing is refused here."""

import warnings

import pytest

from runmill.app.runs.experiment import Experiment
from runmill.app.runs.workspace import Workspace
from runmill.errors import ConfigError


@pytest.fixture
def limited(outlet):
    experiment = Experiment(Workspace(outlet=outlet, limits="azureml"), "recorded")
    return experiment.start_logging(run_id="r1", outputs=False, snapshot_directory=None)


WIDE = {f"c{n}": n for n in range(17)}
LONG = {"x" * 300: 1}
BREACHES = {
    "51 metric names in a run: Azure ML's service takes 50": lambda run: [run.log(f"m{n}", n) for n in range(60)],
    "16 columns in 'row': Azure ML's service takes 15": lambda run: run.log_row(
        "row", **{f"c{n}": n for n in range(17)}
    ),
    "256 characters in a value of 'text': Azure ML's service takes 255": lambda run: run.log("text", "x" * 256),
    "300 characters in a column of 'row': Azure ML's service takes 255": lambda run: run.log_row(
        "row", **{"x" * 300: 1}
    ),
    "51 tags of a run: Azure ML's service takes 50": lambda run: [run.tag(f"t{n}") for n in range(60)],
    "101 characters in a key of its tags: Azure ML's service takes 100": lambda run: run.tag("k" * 101),
    "1001 characters in a value of its properties": lambda run: run.add_properties({"p": "x" * 1001}),
    "257 characters in its display_name": lambda run: setattr(run, "display_name", "x" * 257),
    "5001 characters in its description": lambda run: setattr(run, "description", "x" * 5001),
    "3001 characters in its error": lambda run: run.fail("x" * 3001),
}


@pytest.mark.parametrize("text", BREACHES)
def test_each_limit_is_warned_of_once(limited, outlet, text):
    """And what breaks it is written all the same."""
    before = len(outlet.records)
    with pytest.warns(UserWarning, match=f"^run r1: {text}") as caught:
        BREACHES[text](limited)
    assert len(caught) == 1
    assert len(outlet.records) > before


def test_by_default_nothing_is_limited(recorded_run):
    """No warning, whatever is logged."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for breach in BREACHES.values():
            breach(recorded_run)


def test_the_setting_is_a_variable_too(outlet, monkeypatch):
    """Code that cannot be edited is warned as well; other words are refused."""
    monkeypatch.setenv("RUNMILL_LIMITS", "azureml")
    run = Experiment(Workspace(outlet=outlet), "recorded").start_logging(outputs=False, snapshot_directory=None)
    with pytest.warns(UserWarning, match="256 characters"):
        run.log("text", "x" * 256)
    monkeypatch.setenv("RUNMILL_LIMITS", "none")
    with pytest.raises(ConfigError, match=r"limits='none' are not known\. Give 'azureml'"):
        Workspace(outlet=outlet)
