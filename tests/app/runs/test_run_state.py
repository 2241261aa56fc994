"""What a run is called, how it stands, whose child it is: written here, read from the store."""

import threading
import time

import httpx
import pytest

from processes import DEADLINE_SECONDS
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run, get_run
from runmill.app.runs.workspace import Workspace
from runmill.errors import Conflict, InvalidArgument, NotFound, RunFailed, Unavailable


def test_tags_change_and_properties_do_not(run):
    """Tags merge, vanish and turn to text; a property that is set keeps its value."""
    run.tag("valueless")
    run.set_tags({"alpha": 0.5, "gone": "x"})
    run.remove_tags(["gone", "never there"])
    run.add_properties({"commit": "abc"})
    with pytest.raises(Conflict, match=r"'commit' is 'abc' and cannot become 'def': properties never change"):
        run.add_properties({"commit": "def"})
    assert (dict(run.tags), run.get_tags()) == ({"valueless": None, "alpha": "0.5"},) * 2
    assert (dict(run.properties), run.get_properties()) == ({"commit": "abc"},) * 2


def test_names_are_read_by_another_reader(run, workspace):
    """What is set on one object is there for another, which attaches by id."""
    run.display_name = "best so far"
    run.description = "ridge"
    other = workspace.get_run(run.id)
    assert (other.display_name, other.description, other.name) == ("best so far", "ridge", f"run_{run.id}")


def test_runs_are_numbered_in_their_experiment(experiment):
    """From 1, by start."""
    first = experiment.start_logging(outputs=False, snapshot_directory=None)
    second = experiment.start_logging(outputs=False, snapshot_directory=None)
    assert (first.number, second.number) == (1, 2)


def test_a_start_takes_what_is_known_then(experiment):
    """Name, id, tags and texts given to start_logging are the run's."""
    run = experiment.start_logging(
        "ridge", f"id-{experiment.name}", False, None, {"a": 1}, display_name="Ridge", description="of diabetes"
    )
    facts = (run.id, run.name, run.get_tags(), run.display_name, run.description)
    assert facts == (f"id-{experiment.name}", "ridge", {"a": "1"}, "Ridge", "of diabetes")


def test_details_have_the_old_keys(run):
    """An end time and an error are there when there is one."""
    assert list(run.get_details()) == [
        "runId", "target", "status", "startTimeUtc", "properties", "inputDatasets", "outputDatasets", "logFiles",
        "submittedBy",
    ]  # fmt: skip
    run.fail("no data")
    details = run.get_details()
    assert (details["status"], details["error"]) == ("Failed", {"error": {"code": "UserError", "message": "no data"}})
    assert details["startTimeUtc"] < details["endTimeUtc"]
    assert run.get_detailed_status() == {"status": "Failed", "details": {"code": "UserError", "message": "no data"}}


@pytest.mark.parametrize(("end", "status"), [("complete", "Completed"), ("fail", "Failed"), ("cancel", "Canceled")])
def test_ends(run, workspace, end, status):
    """Each end is the status that everybody reads."""
    getattr(run, end)()
    assert (run.get_status(), workspace.get_run(run.id).get_status()) == (status, status)


def test_waiting_returns_when_the_run_has_ended(run, workspace, capsys):
    """Another thread ends the run; what it logged and a summary are printed."""
    waiting = workspace.get_run(run.id)
    ender = threading.Thread(target=run.complete)
    ender.start()
    details = waiting.wait_for_completion(show_output=True)
    ender.join()
    assert details["status"] == "Completed"
    printed = capsys.readouterr().out.splitlines()
    heading = [f"RunId: {run.id}", f"Web View: {run.get_portal_url()}"]
    assert printed[:2] == heading
    assert printed[-3:] == [*heading, "Status: Completed"]


def test_waiting_prints_what_arrives_late(run, workspace, server, capsys):
    """A line from another process, with a time before those that are printed already, is not passed over."""
    waiting = threading.Thread(target=workspace.get_run(run.id).wait_for_completion, args=(True,))
    _post_line(server, run.id, "in time", time.time_ns())
    waiting.start()
    printed, deadline = "", time.monotonic() + DEADLINE_SECONDS
    while "in time" not in (printed := printed + capsys.readouterr().out):
        assert time.monotonic() < deadline, printed
        time.sleep(0.01)  # another thread prints: there is nothing to wait on
    _post_line(server, run.id, "late", time.time_ns() - 60_000_000_000)
    run.complete()
    waiting.join(DEADLINE_SECONDS)
    assert "- : late" in capsys.readouterr().out.splitlines()


def _post_line(server, run_id: str, body: str, time_unix_nano: int) -> None:
    record = {"timeUnixNano": str(time_unix_nano), "body": {"stringValue": body}}
    resource = {"attributes": [{"key": "run.id", "value": {"stringValue": run_id}}]}
    logs = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    httpx.post(f"{server.endpoint}/v1/logs", json=logs, trust_env=False).raise_for_status()


def test_waiting_for_a_failed_run_raises_its_error(run):
    """Unless it is asked not to."""
    run.fail("no data")
    with pytest.raises(RunFailed, match=rf"^run {run.id} failed: no data\. See http"):
        run.wait_for_completion()
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"


def test_children_are_found_from_both_sides(run, experiment):
    """A child knows its parent, a parent its children, newest first; grandchildren on request."""
    child = run.child_run("fold 1")
    grandchild = child.child_run()
    batch = run.create_children(tag_key="alpha", tag_values=[0.1, 0.2])
    assert child.parent is run
    assert (child.name, child.display_name) == (f"{run.name}>fold 1", "fold 1")
    assert [each.id for each in run.get_children()] == [batch[1].id, batch[0].id, child.id]
    assert {each.id for each in run.get_children(recursive=True)} == {child.id, grandchild.id, *(b.id for b in batch)}
    assert [each.id for each in run.get_children(tags={"alpha": "0.2"})] == [batch[1].id]
    assert Run(experiment, grandchild.id).parent.id == child.id
    assert run.parent is None


def test_counted_children_are_tagged(run):
    """`azureml.batch_child_number` counts from 0."""
    children = run.create_children(count=3)
    assert [child.tags["azureml.batch_child_number"] for child in children] == ["0", "1", "2"]


def test_an_experiment_lists_the_runs_that_fit(experiment):
    """Newest first; children only on request; tags by key or by value, properties too."""
    first = experiment.start_logging(outputs=False, snapshot_directory=None, tags={"kind": "a"})
    second = experiment.start_logging(outputs=False, snapshot_directory=None, tags={"kind": "b"})
    child = first.child_run()
    first.add_properties({"p": "1"})
    second.complete()

    def ids(**wanted):
        return [run.id for run in experiment.get_runs(**wanted)]

    assert ids() == [second.id, first.id]
    assert ids(include_children=True) == [child.id, second.id, first.id]
    assert ids(tags="kind") == [second.id, first.id]
    assert ids(tags={"kind": "a"}) == [first.id]
    assert ids(properties={"p": "1"}) == [first.id]
    assert ids(type="azureml.scriptrun") == []
    assert [run.id for run in Run.list(experiment, status="Completed")] == [second.id]


def test_experiments_are_listed(workspace, experiment, run):
    """By name, once they have a run."""
    assert workspace.experiments[experiment.name].name == experiment.name
    assert [each.name for each in Experiment.list(workspace, experiment.name)] == [experiment.name]
    assert Experiment.list(workspace, view_type="ArchivedOnly") == []


@pytest.mark.parametrize("name", ["a", "9", "under_score-and-hyphen", "näme", "x" * 255])
def test_names_that_an_experiment_may_have(workspace, name):
    """Making the object reads and writes nothing."""
    assert Experiment(workspace, name).name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "ä", "a b", "a.b", "a/b", "x" * 256, None, 5])
def test_names_that_an_experiment_may_not_have(workspace, name):
    """The text says what is allowed."""
    with pytest.raises(InvalidArgument, match=r"must start with an ASCII letter or digit"):
        Experiment(workspace, name)


def test_attaching_to_a_run(run, experiment, workspace):
    """By id or a unique prefix, in the right experiment only; one pen goes on where the other was."""
    run.log("m", 1)
    for other in (Run(experiment, run.id), get_run(experiment, run.id), Run.get(workspace, run.id[:13])):
        other.log("m", 2)
    assert run.get_metrics() == {"m": [1, 2, 2, 2]}
    assert [point.index for point in run.get_series("m")[0].points] == [0, 1, 2, 3]
    with pytest.raises(NotFound, match=rf"is of experiment '{experiment.name}', not of 'other'"):
        Run(Experiment(workspace, "other"), run.id)
    with pytest.raises(NotFound, match="no-such-run"):
        workspace.get_run("no-such-run")


def test_without_a_server_logging_works_and_reading_says_so(tmp_path):
    """Nothing fails until something is to be read; then the text says what is safe and what to start."""
    workspace = Workspace(home=tmp_path / "home", endpoint="http://127.0.0.1:9")
    run = Experiment(workspace, "lonely").start_logging(outputs=False, snapshot_directory=None)
    run.log("m", 1)
    run.tag("a", "b")
    with pytest.raises(
        Unavailable,
        match=r"have not reached http://127\.0\.0\.1:9: nobody answers there, .* They are safe in the journal",
    ):
        run.get_metrics()
    run.complete()
    assert (run.status, dict(run.tags)) == ("Completed", {"a": "b"})


def test_a_server_that_is_no_runmill_is_named(tmp_path, recording_collector):
    """A plain OTLP receiver takes what is logged, but cannot be read from."""
    workspace = Workspace(home=tmp_path / "home", endpoint=recording_collector.endpoint)
    run = Experiment(workspace, "foreign").start_logging(outputs=False, snapshot_directory=None)
    with pytest.raises(Unavailable, match=r"that is no runmill server|did not answer with JSON"):
        run.get_metrics()


def test_text_and_html_forms(recorded_run):
    """Lines for a terminal; for a notebook a table with a link, in which users' text is only text."""
    assert repr(recorded_run) == "Run(Experiment: recorded,\nId: r1,\nType: None,\nStatus: Running)"
    assert repr(recorded_run.experiment) == "Experiment(Name: recorded,\nWorkspace: local)"
    assert '<a href="http://127.0.0.1:9/runs/r1"' in recorded_run._repr_html_()
    assert "/experiments/recorded" in recorded_run.experiment._repr_html_()


def test_html_is_escaped(outlet):
    """A workspace called like a script tag stays text."""
    workspace = Workspace(workspace_name="<script>alert(1)</script>", outlet=outlet)
    shown = Experiment(workspace, "a")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
