"""What Azure ML v1 promised of each object, row by row: the rows that no test of one idea shows beside these.

Logging calls and what they refuse are in `test_run_records`, values in `test_run_values`, shapes in `test_run_shapes`,
signatures in `test_run_signatures`, files in `test_run_files`, states and waiting in `test_run_state`, scripts in
`launch`, the widget in `test_run_details`.
"""

import io
import json
import re
import uuid
from pathlib import Path
from types import GeneratorType

import pytest

from runmill import Environment, Experiment, Run, RunConfiguration, ScriptRunConfig, Workspace
from runmill.app.runs.run import get_run
from runmill.errors import InvalidArgument, NotFound


def _start(experiment: Experiment, **given) -> Run:
    return experiment.start_logging(**{"outputs": False, "snapshot_directory": None, **given})


def _written(path: Path, said: dict) -> Workspace:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(said))
    return Workspace.from_config(path)


KEYS = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}

OF_A_WORKSPACE = {
    "a file's three keys are its names, and other keys are left aside": (
        lambda path: (found := _written(path / "a", {**KEYS, "more": 1})) and (found.subscription_id, found.name),
        ("s", "w"),
    ),
    "get names one": (lambda _: Workspace.get("w", None, "s", "g").resource_group, "g"),
    "with a file's name only that file is looked for": (
        lambda path: ((path / "mine.json").write_text(json.dumps(KEYS)), Workspace.from_config(path).name)[1],
        "local",
    ),
    "details say who it is": (lambda _: Workspace("s", "g", "w").get_details()["subscriptionId"], "s"),
}


@pytest.mark.parametrize(("look", "expected"), OF_A_WORKSPACE.values(), ids=OF_A_WORKSPACE)
def test_a_workspace(tmp_path, look, expected):
    """Section 1.1 of the old promises."""
    assert look(tmp_path) == expected


OF_AN_EXPERIMENT = {
    "a run's id is a random UUID": (lambda e: uuid.UUID(_start(e).id).version, 4),
    "a run's name is made of its id": (lambda e: (run := _start(e)).name == f"run_{run.id}", True),
    "outputs=None is ./outputs": (lambda e: (_start(e, outputs=None), Path("outputs").is_dir())[1], True),
    "outputs=True is ./outputs": (lambda e: (_start(e, outputs=True), Path("outputs").is_dir())[1], True),
    "outputs=False is none": (lambda e: (_start(e, outputs=False), Path("outputs").is_dir())[1], False),
    "outputs=text is that folder": (lambda e: (_start(e, outputs="a/b"), Path("a/b").is_dir())[1], True),
    "a started run is Running": (lambda e: _start(e).get_status(), "Running"),
    "runs are a generator": (lambda e: isinstance(e.get_runs(), GeneratorType), True),
    "the same name is the same experiment": (lambda e: Experiment(e.workspace, e.name).id, lambda e: e.id),
    "text looks for a tag's key": (lambda e: (_start(e, tags={"k": "v"}), len(list(e.get_runs(tags="k"))))[1], 1),
    "None looks for a tag without value": (
        lambda e: (_start(e, tags={"k": None}), _start(e, tags={"k": "v"}), len(list(e.get_runs(tags={"k": None}))))[2],
        1,
    ),
    "several tags must all be there": (
        lambda e: (_start(e, tags={"a": 1, "b": 2}), len(list(e.get_runs(tags={"a": "1", "b": "3"}))))[1],
        0,
    ),
    "its table leads to its page": (
        lambda e: ("Report Page" in e._repr_html_(), e.name in e._repr_html_()),
        (True,) * 2,
    ),
    "refresh changes nothing": (lambda e: e.refresh(), None),
}


@pytest.mark.parametrize(("look", "expected"), OF_AN_EXPERIMENT.values(), ids=OF_AN_EXPERIMENT)
def test_an_experiment(experiment, look, expected):
    """Section 1.2."""
    assert look(experiment) == (expected(experiment) if callable(expected) else expected)


@pytest.mark.parametrize(
    "find",
    [
        lambda run: Run(run.experiment, run.id),
        lambda run: Run.get(run.experiment.workspace, run.id),
        lambda run: run.experiment.workspace.get_run(run.id),
        lambda run: get_run(run.experiment, run.id),
        lambda run: next(Run.list(run.experiment)),
        lambda run: next(run.experiment.get_runs()),
        lambda _: Run.get_context(),
        lambda _: Run.get_submitted_run(),
    ],
    ids=[
        "Run()",
        "Run.get",
        "Workspace.get_run",
        "get_run",
        "Run.list",
        "get_runs",
        "get_context",
        "get_submitted_run",
    ],
)
def test_ways_to_a_run(run, find):
    """Section 1.3: each gives the run, of the one class, which may be logged to."""
    found = find(run)
    found.log("m", 1)
    assert (type(found), found.id, run.get_metrics()) == (Run, run.id, {"m": 1})


OF_A_RUN = {
    "text is a list of characters": (
        lambda run: (run.log_list("m", "abc"), run.get_metrics("m"))[1],
        {"m": ["a", "b", "c"]},
    ),
    "documents are not checked by schema": (lambda run: run.log_residuals("m", {"any": "thing"}), None),
    "documents may be JSON text": (
        lambda run: (run.log_predictions("m", '{"a": 1}'), run.get_metrics(populate=True)["m"].convert_to_object())[1],
        {"a": 1},
    ),
    "a run that nobody submitted has no type": (lambda run: run.type, None),
    "a run that is no child has no parent": (lambda run: run.parent, None),
    "a child is named after its parent": (lambda run: run.child_run("a").name, lambda run: f"{run.name}>a"),
    "a child has started": (lambda run: run.child_run().get_status(), "Running"),
    "a child's id may be chosen": (lambda run: run.child_run(run_id=f"{run.id}-0").id, lambda run: f"{run.id}-0"),
    "a parent's end leaves its children running": (
        lambda run: (child := run.child_run(), run.complete()) and child.get_status(),
        "Running",
    ),
    "children by the values of a tag": (
        lambda run: [dict(child.tags) for child in run.create_children(tag_key="k", tag_values=[1, "b"])],
        [{"k": "1"}, {"k": "b"}],
    ),
    "children by their tags": (
        lambda run: (run.create_children(3), len(list(run.get_children(tags={"azureml.batch_child_number": "1"}))))[1],
        1,
    ),
    "children are a generator": (lambda run: isinstance(run.get_children(), GeneratorType), True),
    "no properties to add is no change": (lambda run: run.add_properties({}), None),
    "start says that it is at work": (lambda run: (run.start(), run.get_status())[1], "Running"),
    "a second end changes nothing": (lambda run: (run.fail("x"), run.complete(), run.get_status())[2], "Failed"),
    "an exception has its type": (
        lambda run: (run.fail(ValueError("bad")), run.get_details()["error"]["error"]["debug_type"])[1],
        "ValueError",
    ),
    "a code may be given": (
        lambda run: (run.fail("x", "Mine"), run.get_details()["error"]["error"]["code"])[1],
        "Mine",
    ),
    "a waited-for run that was canceled raises nothing": (
        lambda run: (run.cancel(), run.wait_for_completion()["status"])[1],
        "Canceled",
    ),
    "many files come with their addresses": (
        lambda run: list(run.upload_files(["a.txt"], [__file__], return_artifacts=True)),
        ["a.txt"],
    ),
    "a run without files has none": (lambda run: run.get_file_names(), []),
    "files go where output_paths says": (
        lambda run: (
            run.upload_file("a/b.txt", io.BytesIO(b"b")),
            run.download_files("a", "to", ["c.txt"]),
            Path("to/c.txt").read_text(),
        )[2],
        "b",
    ),
    "its table leads to its page": (lambda run: "Details Page" in run._repr_html_(), True),
    "its text has its four facts": (
        str,
        lambda run: f"Run(Experiment: {run.experiment.name},\nId: {run.id},\nType: None,\nStatus: Running)",
    ),
    "its page has its id": (lambda run: run.get_portal_url().endswith(f"/runs/{run.id}"), True),
}


@pytest.mark.parametrize(("look", "expected"), OF_A_RUN.values(), ids=OF_A_RUN)
def test_a_run(run, look, expected):
    """Sections 2, 4 and 5."""
    assert look(run) == (expected(run) if callable(expected) else expected)


REFUSED = {
    "nothing to iterate": (lambda run: run.log_list("m", 5), InvalidArgument, "holds no elements"),
    "another text than JSON": (lambda run: run.log_accuracy_table("m", "x"), InvalidArgument, "not a JSON document"),
    "as many output paths as files": (
        lambda run: run.download_files(output_paths=["a", "b"]),
        InvalidArgument,
        "2 output_paths for 0 files",
    ),
    "a model of a file that is not there": (lambda run: run.register_model("m", "x"), NotFound, "it has: none"),
    "another name for an experiment": (
        lambda run: run.experiment.reactivate("other"),
        InvalidArgument,
        "an experiment keeps its name",
    ),
    "a view that is none": (
        lambda run: Experiment.list(run.experiment.workspace, view_type="Some"),
        InvalidArgument,
        "must be ActiveOnly, ArchivedOnly or All",
    ),
    "a run of another experiment": (
        lambda run: Run(Experiment(run.experiment.workspace, "another"), run.id),
        NotFound,
        "not of 'another'",
    ),
}


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(run, call, kind, text):
    """What raised there raises here, in words."""
    with pytest.raises(kind, match=re.escape(text)):
        call(run)


OF_A_SCRIPT = {
    "the target is this machine": (RunConfiguration().target, "local"),
    "there are no arguments": (RunConfiguration().arguments, []),
    "there is no command": (RunConfiguration().command, ""),
    "the framework is Python": (RunConfiguration().framework, "Python"),
    "nothing communicates": (RunConfiguration().communicator, "None"),
    "there is one node": (RunConfiguration().node_count, 1),
    "no variables are set": (RunConfiguration().environment_variables, {}),
    "outputs are collected": (RunConfiguration().history.output_collection, True),
    "the code is kept": (RunConfiguration().history.snapshot_project, True),
    "./logs is watched": (RunConfiguration().history.directories_to_watch, ["logs"]),
    "there is no time limit": (RunConfiguration().max_run_duration_seconds, None),
    "a configuration is made where none is given": (
        ScriptRunConfig(".", "train.py").run_config.environment.name,
        "default-environment",
    ),
    "an environment is a managed one": (Environment("e").python.user_managed_dependencies, False),
    "an environment's Python is python": (Environment("e").python.interpreter_path, "python"),
}


@pytest.mark.parametrize(("found", "expected"), OF_A_SCRIPT.values(), ids=OF_A_SCRIPT)
def test_what_a_script_is_given_by_default(found, expected):
    """Section 6."""
    assert found == expected
