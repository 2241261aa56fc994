"""Tags of experiments, and which are put away: events like everything, folded by the store."""

import pytest

from runmill.app.runs.experiment import Experiment
from runmill.errors import InvalidArgument


def test_tags_of_an_experiment_merge_and_vanish(experiment, run, workspace):
    """Read by any object of the name; listing asks for them."""
    experiment.tag("valueless")
    experiment.set_tags({"team": "vision", "gone": 1})
    experiment.remove_tags(["gone", "never there"])
    assert Experiment(workspace, experiment.name).tags == {"valueless": None, "team": "vision"}

    def names(tags):
        return [each.name for each in Experiment.list(workspace, experiment.name, tags=tags)]

    assert names({"team": "vision"}) == names("valueless") == [experiment.name]
    assert names("gone") == []


def test_an_archived_experiment_is_listed_on_request(experiment, run, workspace, server):
    """Its runs stay readable; the first page leads to it; reactivated it is listed as before."""

    def views():
        kinds = ("ActiveOnly", "ArchivedOnly", "All")
        return [len(Experiment.list(workspace, experiment.name, kind)) for kind in kinds]

    assert (views(), experiment.archived_time) == ([1, 0, 1], None)
    experiment.archive()
    assert (views(), experiment.name in workspace.experiments) == ([0, 1, 1], False)
    assert experiment.archived_time is not None
    assert [each.id for each in experiment.get_runs()] == [run.id]
    usual, full = server.get("/").text, server.get("/", archived="true").text
    assert ('href="/?archived=true"' in usual, f">{experiment.name}</a> <small" in full) == (True, True)
    assert f'href="/experiments/{experiment.name}">{experiment.name}</a></td><td class="number">' not in usual
    experiment.reactivate()
    assert (views(), experiment.archived_time) == ([1, 0, 1], None)
    with pytest.raises(InvalidArgument, match=r"new_name='b': an experiment keeps its name"):
        experiment.reactivate("b")


def test_an_experiment_without_runs_has_no_tags(workspace):
    """It is not there before its first run, and reading it says nothing."""
    fresh = Experiment(workspace, "never-started")
    assert (fresh.tags, fresh.archived_time) == ({}, None)


def test_an_event_of_an_experiment_is_no_run(experiment, run, workspace):
    """What happened to an experiment makes no run of its own appear."""
    experiment.tag("a")
    assert [each.id for each in experiment.get_runs(include_children=True)] == [run.id]
