"""Runs and their processes: which run code belongs to, and how a run ends that nobody ended."""

import logging
import subprocess

import pytest

import runmill
from runmill.app.current import current_run_key
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run
from runmill.app.runs.workspace import Workspace
from runmill.errors import NotFound
from runmill.journal.records import parse_run_key

START = """
import os, sys
from runmill import Experiment, Run, Workspace
run = Experiment(Workspace.from_config(), "processes").start_logging(outputs=False, snapshot_directory=None)
print(run.id, flush=True)
run.log("m", 1)
"""


def _current() -> str | None:
    key = current_run_key()
    return parse_run_key(key).run_id if key else None


def _runs(outlet, *names: str) -> list[Run]:
    experiment = Experiment(Workspace(outlet=outlet), "recorded")
    return [experiment.start_logging(run_id=name, outputs=False, snapshot_directory=None) for name in names]


def test_the_only_active_run_is_the_current_one(outlet):
    """Started and it is; two at once and none is, unless one is entered; ended and the other is again."""
    assert _current() is None
    [first] = _runs(outlet, "first")
    assert _current() == "first"
    [second] = _runs(outlet, "second")
    assert _current() is None
    with second:
        assert _current() == "second"
        with first:
            assert (_current(), Run.get_context()) == ("first", first)
        assert _current() == "second"
    assert _current() is None


def test_children_leave_their_parent_the_current_run(outlet):
    """Log lines of a loop over child runs go to the parent, those inside `with` to the child."""
    [parent] = _runs(outlet, "parent")
    child = parent.child_run(run_id="child")
    assert (_current(), Run.get_context()) == ("parent", parent)
    with child:
        assert (_current(), Run.get_context()) == ("child", child)
    parent.complete()
    assert _current() is None


def test_log_records_belong_to_the_current_run(run, server, stored):
    """`import logging` and a run: nothing else is needed."""
    logger = logging.getLogger("native.train")
    handler = runmill.Handler(home=str(server.home), endpoint=server.endpoint)
    logger.addHandler(handler)
    try:
        logger.warning("epoch %d", 1)
        run.flush()
    finally:
        logger.removeHandler(handler)
        handler.close()
    [record] = server.get(f"/api/v1/runs/{run.id}/logs").json()["records"]
    assert (record["logger"], record["body"], record["run_id"]) == ("native.train", "epoch 1", run.id)


def test_without_a_run_there_may_be_none():
    """`allow_offline=False` keeps a script from starting a run of its own."""
    with pytest.raises(NotFound, match=r"no run is active, and none launched this process"):
        Run.get_context(allow_offline=False)


@pytest.mark.parametrize(
    ("end", "status", "message"),
    [
        ("", "Completed", None),
        ("sys.exit()", "Completed", None),
        ("sys.exit(0)", "Completed", None),
        ("raise SystemExit(0)", "Completed", None),
        ("sys.exit(3)", "Failed", "SystemExit: 3"),
        ("exit(3)", "Failed", "SystemExit: 3"),
        ("quit()", "Completed", None),
        ("raise ValueError('bad data')", "Failed", "ValueError: bad data"),
        ("raise KeyboardInterrupt", "Failed", "KeyboardInterrupt"),
        ("run.cancel(); raise ValueError", "Canceled", None),
    ],
)
def test_a_run_ends_with_its_script(script, stored, end, status, message):
    """A script that ends without complete() says how by its own end; what it was asked to do, it still does."""
    ended = script(START + end)
    run = stored(ended.stdout.split()[0], status)
    assert (run["error"] or {}).get("message") == message
    assert ("Traceback" in ended.stderr) == ("raise" in end and "SystemExit" not in end)


@pytest.mark.parametrize("crash", ["os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 15)", "os._exit(0)"])
def test_a_run_whose_process_died_has_failed(script, stored, run, server, crash):
    """kill -9 right after log returned loses nothing: who delivers the journal says, once, that the run failed."""
    run_id = script(START + crash, RUNMILL_EXIT_SECONDS="0").stdout.split()[0]
    run.flush()
    state = stored(run_id, "Failed")
    assert state["error"]["code"] == "ProcessDied"
    assert state["error"]["message"].startswith("the run's process died without a word: it was killed")
    assert state["start_time_unix_nano"] < state["end_time_unix_nano"]
    events = server.get(f"/api/v1/runs/{run_id}/events").json()["events"]
    assert [event["name"] for event in events] == ["run.started", "run.ended"]
    assert Run(Experiment(run.experiment.workspace, "processes"), run_id).get_metrics() == {"m": 1}


def test_a_run_whose_interpreter_crashed_says_of_what(script, stored):
    """Where crashes are recorded, the interpreter's own words are the error of the run."""
    run_id = script("import runmill\nrunmill.configure()\n" + START + "os.abort()").stdout.split()[0]
    assert stored(run_id, "Failed")["error"] == {"code": "ProcessDied", "message": "Fatal Python error: Aborted"}


def test_a_killed_worker_does_not_end_the_run(script, stored, server):
    """The will is the owner's: what happens to a forked child is not the run's end."""
    ended = script(
        START
        + """
if (pid := os.fork()) == 0:
    run.log("m", 2)
    os.kill(os.getpid(), 9)
os.waitpid(pid, 0)
print(run.get_status())
"""
    )
    run_id, status = ended.stdout.splitlines()
    assert status == "Running"
    stored(run_id, "Completed")
    events = server.get(f"/api/v1/runs/{run_id}/events").json()["events"]
    assert [event["name"] for event in events] == ["run.started", "run.ended"]


def test_a_forked_worker_logs_to_the_run_and_does_not_end_it(script, stored):
    """What children log is in the run; their end, exit hooks included, is not its end."""
    ended = script(
        START
        + """
pid = os.fork()
if pid == 0:
    Run.get_context().log("m", 2)
    sys.exit(5)
os.waitpid(pid, 0)
run.flush()
print(run.get_metrics(), run.get_status())
"""
    )
    run_id, *rest = ended.stdout.splitlines()
    assert (rest, ended.stderr) == (["{'m': [1, 2]} Running"], "")
    stored(run_id, "Completed")


def test_a_script_started_by_hand_gets_a_run_of_its_own(script, stored):
    """get_context starts one, in an experiment named after the script, and gives the same one each time."""
    ended = script(
        "from runmill import Run\nrun = Run.get_context()\nassert Run.get_context() is run\nrun.log('m', 1)\n"
        "print(run.id, run.experiment.name)"
    )
    run_id, name = ended.stdout.split()
    assert (name, stored(run_id, "Completed")["experiment"]) == ("train", "train")


def test_a_launched_script_finds_its_run_and_leaves_its_status(script, run):
    """RUNMILL_RUN_ID names the run; complete() delivers, and the launcher says how the run ended."""
    ended = script(
        "from runmill import Run\nrun = Run.get_context(allow_offline=False)\nrun.log('m', 1)\nrun.complete()\n"
        "print(run.id, run.get_metrics())",
        RUNMILL_RUN_ID=run.id,
        RUNMILL_EXPERIMENT=run.experiment.name,
    )
    assert (ended.stdout, ended.stderr) == (f"{run.id} {{'m': 1}}\n", "")
    assert run.get_status() == "Running"


@pytest.mark.parametrize("variable", ["RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK"])
def test_the_rank_is_on_every_record(outlet, monkeypatch, variable):
    """As torchrun, Slurm or MPI set it."""
    monkeypatch.setenv(variable, "3")
    [run] = _runs(outlet, "ranked")
    run.log("m", 1)
    assert {parse_run_key(record[2]).rank for record in outlet.records} == {3}


def test_a_run_with_git_facts(outlet, tmp_path, monkeypatch):
    """Branch, commit and dirt of the repository around the folder; variables go before what git says."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    git("init", "-q", "-b", "main", ".")
    (tmp_path / "a").write_text("committed")
    git("add", "a")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "a")
    (tmp_path / "a").write_text("changed")
    monkeypatch.setenv("AZUREML_GIT_REPOSITORY_URI", "https://example.org/a.git")
    run = Experiment(Workspace(outlet=outlet), "recorded").start_logging(outputs=False)
    commit = git("rev-parse", "HEAD").strip()
    assert dict(run.properties) == {
        "azureml.git.repository_uri": "https://example.org/a.git",
        "azureml.git.branch": "main",
        "azureml.git.commit": commit,
        "azureml.git.dirty": "True",
        "mlflow.source.git.repoURL": "https://example.org/a.git",
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.commit": commit,
    }
