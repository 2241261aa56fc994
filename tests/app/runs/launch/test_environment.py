"""Which Python runs a script: another one, or an environment made for it."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from runmill import (
    ConfigError,
    Conflict,
    Environment,
    InvalidArgument,
    NotFound,
    RunConfiguration,
    RunFailed,
    ScriptRunConfig,
)

pytestmark = pytest.mark.slow


def write_wheel(folder: Path) -> Path:
    """Make a package that no index has."""
    wheel = folder / "answer-1.0-py3-none-any.whl"
    files = {
        "answer.py": "ANSWER = 42\n",
        "answer-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: answer\nVersion: 1.0\n",
        "answer-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        record = "".join(f"{name},,\n" for name in [*files, "answer-1.0.dist-info/RECORD"])
        archive.writestr("answer-1.0.dist-info/RECORD", record)
    return wheel


def test_an_environment_is_made_once_from_requirements(experiment, source, tmp_path, lines, server):
    """The script finds what was installed and nothing of ours; the second one with the same requirements waits not."""
    write_wheel(tmp_path)
    (tmp_path / "requirements.txt").write_text("# mine\n./answer-1.0-py3-none-any.whl\n")
    (source / "train.py").write_text(
        "import importlib.util, sys, answer\nprint(answer.ANSWER, importlib.util.find_spec('runmill'))\n"
        "print(sys.prefix)"
    )
    environment = Environment.from_pip_requirements("made", tmp_path / "requirements.txt")
    config = ScriptRunConfig(source, "train.py", environment=environment)
    runs = [experiment.submit(config), experiment.submit(config)]
    prefixes = set()
    for run in runs:
        run.wait_for_completion()
        [(_, said), (_, prefix)] = lines(run)
        assert said == "42 None"
        prefixes.add(prefix)
    [prefix] = prefixes
    assert Path(prefix).parents[1] == server.home / "environments"


def test_requirements_that_cannot_be_installed_fail_the_run(experiment, source, tmp_path):
    """What pip said is the run's error; the environment is made anew the next time."""
    (tmp_path / "requirements.txt").write_text("./absent-1.0-py3-none-any.whl\n")
    (source / "train.py").write_text("")
    environment = Environment.from_pip_requirements("broken", tmp_path / "requirements.txt")
    run = experiment.submit(ScriptRunConfig(source, "train.py", environment=environment))
    with pytest.raises(RunFailed, match=r"pip could not install the environment's requirements:\n(.|\n)*absent-1\.0"):
        run.wait_for_completion()
    assert run.get_detailed_status()["details"]["code"] == "EnvironmentFailed"


def test_a_users_own_interpreter_runs_the_script(experiment, source, tmp_path, lines):
    """interpreter_path counts, also by the name a shell would find."""
    own = tmp_path / "own-python"
    own.write_text(f'#!/bin/sh\nexport OWN=1\nexec {sys.executable} "$@"\n')
    own.chmod(0o755)
    (source / "train.py").write_text("import os\nprint(os.environ['OWN'])")
    environment = Environment("own")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = str(own)
    config = ScriptRunConfig(source, "train.py")
    config.run_config.environment = environment
    run = experiment.submit(config)
    run.wait_for_completion()
    assert lines(run) == [("stdout", "1")]


def test_a_clone_is_a_copy():
    """What is changed in it stays out of the first one."""
    first = Environment("first", environment_variables={"A": "1"})
    second = first.clone("second")
    second.python.interpreter_path = "/other"
    second.environment_variables["A"] = "2"
    assert (first.name, first.python.interpreter_path, first.environment_variables) == ("first", "python", {"A": "1"})


def test_user_managed_and_installed_exclude_each_other(tmp_path):
    """Nothing would be installed; the text says so."""
    (tmp_path / "requirements.txt").write_text("numpy\n")
    environment = Environment.from_pip_requirements("both", tmp_path / "requirements.txt")
    environment.python.user_managed_dependencies = True
    with pytest.raises(InvalidArgument, match=r"^Environment 'both': with python.user_managed_dependencies nothing is"):
        environment.check()


def test_environments_are_registered_by_name(workspace, tmp_path):
    """A change is the next version, none is none; found by name, version, in the list and at the workspace."""
    name = f"env/{tmp_path.name}"
    mine = Environment(name, environment_variables={"A": "1"})
    mine.python.user_managed_dependencies = True
    mine.python.interpreter_path = "/opt/python"
    assert (mine.version, mine.register(workspace).version, mine.register(workspace).version) == (None, "1", "1")
    mine.environment_variables["A"] = "2"
    assert mine.register(workspace).version == "2"
    newest, first = workspace.environments[name], Environment.get(workspace, name, version="1")
    assert (newest.as_json(), first.environment_variables) == (mine.as_json(), {"A": "1"})
    assert Environment.list(workspace)[name].version == "2"
    with pytest.raises(NotFound, match=r"version 3, is not registered; there are versions \[1, 2\] of it\.$"):
        Environment.get(workspace, name, version="3")
    with pytest.raises(NotFound, match=r"environment '\.\./x', version newest, is not registered; there are \["):
        Environment.get(workspace, "../x")


def test_an_environment_is_saved_to_a_folder(tmp_path):
    """And loaded again, also what Azure ML saved; a file that is there stays, unless it is said."""
    mine = Environment("mine")
    mine.python.pip_requirements = "numpy\n"
    mine.save_to_directory(tmp_path / "env")
    assert Environment.load_from_directory(tmp_path / "env").as_json() == mine.as_json()
    with pytest.raises(Conflict, match=r"azureml_environment\.json' is there already\. Give overwrite=True\."):
        mine.save_to_directory(tmp_path / "env")
    mine.save_to_directory(tmp_path / "env", overwrite=True)
    with pytest.raises(NotFound, match=r"there is no file '.*azureml_environment\.json'"):
        Environment.load_from_directory(tmp_path)
    theirs = {"name": "theirs", "version": "7", "python": {"condaDependencies": {"dependencies": ["python"]}}}
    (tmp_path / "azureml_environment.json").write_text(json.dumps(theirs))
    loaded = Environment.load_from_directory(tmp_path)
    assert (loaded.name, loaded.version) == ("theirs", "7")
    with pytest.raises(InvalidArgument, match="conda environments are not made here"):
        loaded.check()


def test_a_run_configuration_is_saved_and_loaded(tmp_path):
    """Whole, by a file's path or by a folder and a name."""
    mine = RunConfiguration("train.py", ["--alpha", 0.1], communicator="Gloo")
    mine.max_run_duration_seconds = 60
    mine.in_place = True
    mine.history.directories_to_watch = ["logs", "tb"]
    mine.environment = Environment("mine", environment_variables={"A": "1"})
    mine.save(tmp_path, "fast")
    mine.save(tmp_path / "here.json")
    assert (tmp_path / ".azureml" / "fast.runconfig").read_text() == (tmp_path / "here.json").read_text()
    read = RunConfiguration.load(tmp_path, "fast")
    assert (read.script, read.arguments, read.communicator) == ("train.py", ["--alpha", "0.1"], "Gloo")
    assert (read.max_run_duration_seconds, read.in_place) == (60, True)
    assert (read.history.directories_to_watch, read.environment_variables) == (["logs", "tb"], {"A": "1"})
    with pytest.raises(InvalidArgument, match=r"is a folder: give name=, or the path of a file\.$"):
        RunConfiguration.load(tmp_path)
    (tmp_path / "other.runconfig").write_text("script: train.py\n")
    with pytest.raises(ConfigError, match=r"other\.runconfig: cannot be read as JSON: .* Save it again with runmill\."):
        RunConfiguration.load(tmp_path / "other.runconfig")
