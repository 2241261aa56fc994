"""`limits="azureml"` warns where Azure ML's service would refuse; nothing is refused here."""

import io
import warnings

import pytest

from runmill.app.runs.experiment import Experiment
from runmill.app.runs.service_limits import LimitedOutlet
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
    "251 rows in one call: Azure ML's service takes 250": lambda run: run.log_list("list", range(251)),
    "260 rows in one call: Azure ML's service takes 250": lambda run: run.log_table("table", {"x": range(260)}),
    "101 children in one call: Azure ML's service takes 100": lambda run: run.create_children(101),
    "51 tags of a run: Azure ML's service takes 50": lambda run: [run.tag(f"t{n}") for n in range(60)],
    "101 characters in a key of its tags: Azure ML's service takes 100": lambda run: run.tag("k" * 101),
    "1001 characters in a value of its properties": lambda run: run.add_properties({"p": "x" * 1001}),
    "257 characters in its display_name": lambda run: setattr(run, "display_name", "x" * 257),
    "5001 characters in its description": lambda run: setattr(run, "description", "x" * 5001),
    "3001 characters in its error": lambda run: run.fail("x" * 3001),
    "5001 characters in a file's path": lambda run: run.upload_file("x" * 5001, io.BytesIO(b"")),
}


@pytest.mark.parametrize("text", BREACHES)
def test_each_limit_is_warned_of_once(limited, outlet, text):
    """And what breaks it is written all the same."""
    before = len(outlet.records)
    with pytest.warns(UserWarning, match=f"^run r1: {text}") as caught:
        BREACHES[text](limited)
    assert len(caught) == 1
    assert len(outlet.records) > before


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.log("m", 0.5),
        lambda run: run.log("m", "text"),
        lambda run: run.log_row("m", x=1, y=2, z=3),
        lambda run: run.log_row("m", x=1, y="a"),
    ],
    ids=["numbers", "texts", "rows of numbers", "rows with text"],
)
def test_values_and_rows_of_a_name_are_counted(outlet, call):
    """A row is one, however many cells it has. The service takes a million; here it is three."""
    experiment = Experiment(Workspace(outlet=LimitedOutlet(outlet, most_rows=3)), "recorded")
    run = experiment.start_logging(run_id="r1", outputs=False, snapshot_directory=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            call(run)
    with pytest.warns(UserWarning, match=r"^run r1: 4 values under one name \('m'\): Azure ML's service takes 3"):
        call(run)


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


def test_an_experiments_tags_have_a_limit_of_their_own(outlet):
    """Its keys may be longer than a run's."""
    experiment = Experiment(Workspace(outlet=outlet, limits="azureml"), "recorded")
    experiment.tag("k" * 250)
    with pytest.warns(UserWarning, match=r"^experiment recorded: 251 characters in a key of its tags: .* takes 250"):
        experiment.tag("k" * 251)


def test_a_snapshot_has_a_limit_of_files(limited, tmp_path):
    """Two thousand there; here all are kept, as many as a snapshot takes."""
    for folder in range(3):
        (tmp_path / str(folder)).mkdir()
        for number in range(700):
            (tmp_path / str(folder) / f"{number}.py").write_text("")
    with pytest.warns(UserWarning, match="2001 files in a snapshot: Azure ML's service takes 2000"):
        limited.take_snapshot(tmp_path)
