"""Submitted scripts, from the call to what is kept of them."""

import sys

import pytest

from runmill import Environment, InvalidArgument, RunConfiguration, RunFailed, ScriptRun, ScriptRunConfig

pytestmark = pytest.mark.slow


def test_a_script_runs_to_its_end_and_is_kept(submit, lines, server, source):
    """Its metrics, its lines by stream, its raw output and its outputs are the run's; status and type say the rest."""
    (source / "mine.py").write_text("ANSWER = 42")
    run = submit(
        """
        import sys
        from pathlib import Path
        from runmill import Run
        import mine
        run = Run.get_context()
        run.log("answer", mine.ANSWER)
        print("alpha", sys.argv[1:])
        sys.stdout.flush()
        print("a warning", file=sys.stderr)
        Path("outputs/model.txt").write_text("weights")
        Path("logs").mkdir()
        Path("logs/loss.txt").write_text("0.1")
        """,
        "--alpha",
        "0.1",
    )
    assert isinstance(run, ScriptRun)
    details = run.wait_for_completion()
    assert (details["status"], run.type, "error" in details) == ("Completed", "azureml.scriptrun", False)
    definition = details["runDefinition"]
    assert (definition["script"], definition["arguments"]) == ("train.py", ["--alpha", "0.1"])
    assert run.get_metrics() == {"answer": 42}
    assert lines(run) == [("stdout", "alpha ['--alpha', '0.1']"), ("stderr", "a warning")]
    assert run.get_details_with_logs()["logFiles"] == {
        "logs/loss.txt": "0.1",
        "user_logs/std_log.txt": "alpha ['--alpha', '0.1']\na warning\n",
    }
    assert "outputs/model.txt" in run.get_file_names()
    assert not (server.home / "jobs" / run.id).exists()


def test_native_logging_in_a_script_belongs_to_its_run(submit, server):
    """A script that attaches the handler says no run's name; its records are the run's, beside its output."""
    run = submit("import logging, runmill\nlogging.basicConfig(handlers=[runmill.Handler()])\nlogging.warning('hot')")
    run.wait_for_completion()
    records = server.get(f"/api/v1/runs/{run.id}/logs", logger="root").json()["records"]
    assert [(record["body"], record["severity_text"]) for record in records] == [("hot", "WARNING")]


def test_a_script_has_a_copy_of_its_folder(submit, lines, source):
    """It runs in the folder as it was at submission, without what is ignored; its writes stay out of the user's."""
    (source / ".gitignore").write_text("*.csv\n")
    (source / "data.csv").write_text("ignored")
    (source / "conf").mkdir()
    (source / "conf" / "a.txt").write_text("kept")
    run = submit("import os\nprint(sorted(os.listdir()), os.listdir('conf'))\nopen('made', 'w').close()")
    run.wait_for_completion()
    assert lines(run) == [("stdout", "['.gitignore', 'conf', 'outputs', 'train.py'] ['a.txt']")]
    assert not (source / "made").exists()


def test_a_script_may_run_in_place(submit, lines, source):
    """Where it is asked for, the folder itself is where the script runs; older outputs are not the run's."""
    (source / "outputs").mkdir()
    (source / "outputs" / "old").write_text("of a run before")
    run = submit("import os\nprint(os.getcwd())\nopen('outputs/new', 'w').close()", in_place=True)
    run.wait_for_completion()
    assert lines(run) == [("stdout", str(source))]
    assert [name for name in run.get_file_names() if name.startswith("outputs/")] == ["outputs/new"]


def test_a_script_finds_who_it_is(submit, lines, experiment, server, monkeypatch):
    """Identity, home and the names that Azure ML scripts test for; the environment's variables go over the rest."""
    monkeypatch.setenv("MINE", "outer")
    monkeypatch.setenv("RUNMILL_RUN_ID", "somebody-else")
    run = submit(
        "import os\nfor name in ('RUNMILL_RUN_ID', 'RUNMILL_EXPERIMENT', 'RUNMILL_HOME', 'AZUREML_RUN_ID',"
        " 'AZUREML_ARM_PROJECT_NAME', 'MINE', 'OTHER'): print(os.environ[name])",
        environment_variables={"OTHER": "own"},
    )
    run.wait_for_completion()
    said = [body for _, body in lines(run)]
    assert said == [run.id, "scripts", str(server.home), run.id, "scripts", "outer", "own"]


def test_a_command_in_place_of_a_script(experiment, lines, source):
    """A list is run as it is, with the environment's Python first in PATH; a text by the shell."""
    listed = experiment.submit(ScriptRunConfig(source, command=["python", "-c", "import sys; print(sys.prefix)"]))
    shell = experiment.submit(ScriptRunConfig(source, command="echo one && echo two >&2; exit 3"))
    listed.wait_for_completion()
    shell.wait_for_completion(raise_on_error=False)
    assert lines(listed) == [("stdout", sys.prefix)]
    assert sorted(lines(shell)) == [("stderr", "two"), ("stdout", "one")]
    error = {"code": "UserError", "message": "the script ended with exit code 3", "exit_code": 3}
    assert shell.get_detailed_status() == {"status": "Failed", "details": error}


def test_waiting_prints_what_the_script_says(submit, capsys):
    """Id, page, the heading that is looked for, the lines, and a summary with the error."""
    run = submit("print('epoch 1')\nraise ValueError('bad data')")
    with pytest.raises(RunFailed, match=rf"^run {run.id} failed: ValueError: bad data. See http"):
        run.wait_for_completion(show_output=True)
    printed = capsys.readouterr().out.splitlines()
    page = f"Web View: {run.get_portal_url()}"
    assert printed[:7] == [
        f"RunId: {run.id}",
        page,
        "",
        "Streaming user_logs/std_log.txt",
        "===============================",
        "",
        "epoch 1",
    ]
    assert printed[-6:] == [
        "Execution Summary",
        "=================",
        f"RunId: {run.id}",
        page,
        "Status: Failed",
        "Error: ValueError: bad data",
    ]


def test_a_child_is_submitted_below_a_run(experiment, source):
    """The parent is known to both sides."""
    (source / "train.py").write_text("from runmill import Run\nprint(Run.get_context().parent.id)")
    parent = experiment.start_logging(outputs=False, snapshot_directory=None)
    child = parent.submit_child(ScriptRunConfig(source, "train.py"), tags={"fold": 1})
    child.wait_for_completion()
    [found] = parent.get_children()
    parent.complete()
    assert (found.id, found.tags["fold"]) == (child.id, "1")
    assert child.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"] == f"{parent.id}\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"script": "absent.py"}, r"there is no script 'absent\.py' in '/"),
        ({"source_directory": "absent"}, r"source_directory 'absent' is not a folder"),
        ({"compute_target": "gpu-cluster"}, r"compute target 'gpu-cluster' is not supported: .*`runmill run --"),
        ({"distributed_job_config": object()}, r"distributed_job_config is not supported: .*'torchrun'"),
        ({"docker_runtime_config": object()}, r"docker_runtime_config is not supported"),
        ({"script": None}, r"give a script or a command, one of them"),
        ({"resume_from": "absent"}, r"resume_from 'absent' is not there"),
    ],
)
def test_what_cannot_run_is_refused_at_the_call(experiment, source, server, change, message):
    """The message names the value and what to do; nothing is started or left behind."""
    (source / "train.py").write_text("")
    with pytest.raises(InvalidArgument, match=message):
        experiment.submit(ScriptRunConfig(**{"source_directory": source, "script": "train.py", **change}))
    assert list((server.home / "jobs").glob("*")) == []


def test_an_environment_that_cannot_be_is_refused(experiment, source):
    """Conda is named with the way out; so is an interpreter that is not there."""
    (source / "train.py").write_text("")
    conda = Environment("conda")
    conda.python.conda_dependencies = object()
    absent = Environment("absent")
    absent.python.interpreter_path = "/no/such/python"
    for environment, message in ((conda, "conda environments are not made here"), (absent, "'/no/such/python' is no")):
        with pytest.raises(InvalidArgument, match=message):
            experiment.submit(ScriptRunConfig(source, "train.py", environment=environment))
    with pytest.raises(
        InvalidArgument, match=r"from_conda_specification\('e', 'env.yml'\): conda environments are not"
    ):
        Environment.from_conda_specification("e", "env.yml")


def test_a_given_run_configuration_counts():
    """What is given beside it is ignored, with a warning; script and arguments given here win."""
    run_config = RunConfiguration("other.py", ["1"])
    with pytest.warns(UserWarning, match=r"^ScriptRunConfig: compute_target, environment ignored, because run_config"):
        config = ScriptRunConfig(
            ".", "train.py", run_config=run_config, compute_target="x", environment=Environment("e")
        )
    assert (config.script, config.arguments, config.run_config) == ("train.py", ["1"], run_config)
