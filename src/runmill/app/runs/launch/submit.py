"""Submits a script: everything that may be wrong with it is said now, and the run is under way when this returns."""

import json
import os
import shlex
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from runmill.app.identity import EXPERIMENT_VARIABLE, PARENT_VARIABLE, RUN_ID_VARIABLE
from runmill.app.runs.details import RUN_DEFINITION
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.git_facts import git_properties
from runmill.app.runs.launch.configuration import RunConfiguration, ScriptRunConfig
from runmill.app.runs.launch.environment import DEFAULT_INTERPRETER, Environment
from runmill.app.runs.launch.job import Job, JobFolder, create
from runmill.app.runs.launch.recovery import end_dead_jobs
from runmill.app.runs.launch.script_run import ScriptRun
from runmill.app.runs.launch.working_copy import copy_source
from runmill.app.runs.link import WayOut
from runmill.app.runs.run import Run
from runmill.app.runs.run_end import SCRIPT_RUN_TYPE
from runmill.app.runs.starting import NewRun, start_run
from runmill.errors import InvalidArgument

__all__ = ["submit"]


def submit(
    experiment: Experiment, config: object, *, tags: Mapping[str, object] | None = None, parent: Run | None = None
) -> ScriptRun:
    """Start a script below a runner that outlives this process, and give its run at once.

    Raises:
        InvalidArgument: What is to be run is not there, or not supported; nothing was started.
        OSError: The home directory cannot take it.
    """
    checked = _check(config)
    workspace = experiment.workspace
    workspace.link.ensure_server()
    end_dead_jobs(workspace)
    way_out = workspace.link.outlet
    new = _new_run(experiment, checked, tags or {}, parent)
    folder = create(way_out.home, str(new.run_id))
    try:
        _hand_over(experiment, checked, new, folder)
    except BaseException:
        folder.remove()
        raise
    state = start_run(way_out, new)
    _start_runner(folder, way_out)
    return ScriptRun(experiment, state.run_id, state=state, parent=parent)


def _new_run(experiment: Experiment, config: ScriptRunConfig, tags: Mapping[str, object], parent: Run | None) -> NewRun:
    # An experiment's name may have letters that an id cannot have.
    prefix = "".join(each if each.isascii() else "-" for each in experiment.name)[:200]
    run_id = f"{prefix}_{int(time.time())}_{uuid.uuid4().hex[:8]}"
    return NewRun(
        experiment=experiment.name,
        run_id=run_id,
        status="Preparing",
        name=run_id,
        type=SCRIPT_RUN_TYPE,
        parent_id=parent.id if parent else None,
        tags={str(key): None if value is None else str(value) for key, value in tags.items()},
        properties={RUN_DEFINITION: _definition(config), **git_properties(config.source_directory)},
    )


def _definition(config: ScriptRunConfig) -> str:
    """Say what is submitted under the keys of Azure ML v1, for `Run.get_details`."""
    run_config = config.run_config
    arguments = config.arguments if isinstance(config.arguments, str) else _texts(config.arguments)
    environment = run_config.environment
    definition = {
        "script": config.script,
        "command": config.command if isinstance(config.command, str) else _texts(config.command),
        "arguments": arguments,
        "target": run_config.target,
        "framework": run_config.framework,
        "communicator": run_config.communicator,
        "maxRunDurationSeconds": run_config.max_run_duration_seconds,
        "nodeCount": run_config.node_count,
        # Variables may hold secrets, and a run's page is for everybody: their names alone.
        "environment": {
            "name": environment.name,
            "python": {"interpreterPath": environment.python.interpreter_path},
            "environmentVariables": sorted(environment.environment_variables),
        },
        "history": {"outputCollection": run_config.history.output_collection},
    }
    return json.dumps(definition)


def _hand_over(experiment: Experiment, config: ScriptRunConfig, new: NewRun, folder: JobFolder) -> None:
    """Put into the job's folder what its runner needs."""
    run_config, workspace = config.run_config, experiment.workspace
    source = Path(config.source_directory).absolute()
    if not run_config.in_place:
        copy_source(source, folder.work, workspace.link.outlet.home)
    work = source if run_config.in_place else folder.work
    python = run_config.environment.python
    folder.write(
        Job(
            run_id=str(new.run_id),
            experiment=new.experiment,
            parent_id=new.parent_id,
            arguments=_command(config) if config.command else [str(config.script), *_arguments(config, folder)],
            is_python=not config.command,
            interpreter=_interpreter(run_config.environment),
            pip_requirements=python.pip_requirements,
            pip_version=python.pip_version,
            working_folder=str(work),
            service_name=PurePath(_program(config)).stem,
            environment_variables=run_config.environment_variables,
            framework=run_config.framework,
            communicator=run_config.communicator,
            max_run_duration_seconds=run_config.max_run_duration_seconds,
            grace_seconds=run_config.grace_seconds,
            collects_outputs=run_config.history.output_collection,
            watched_folders=list(run_config.history.directories_to_watch),
            snapshot_folder=str(work) if run_config.history.snapshot_project else None,
            git_folder=str(source),
            workspace_name=workspace.name,
            subscription_id=workspace.subscription_id,
            resource_group=workspace.resource_group,
        )
    )


def _start_runner(folder: JobFolder, way_out: WayOut) -> None:
    """Start the runner in a session of its own; the job's lock goes over to it without ever being free."""
    theirs = {RUN_ID_VARIABLE, EXPERIMENT_VARIABLE, PARENT_VARIABLE}
    variables = {name: value for name, value in os.environ.items() if name not in theirs}
    variables["RUNMILL_HOME"] = str(way_out.home.path)
    if way_out.settings.endpoint is not None:
        variables["RUNMILL_ENDPOINT"] = way_out.settings.endpoint
    os.set_inheritable(folder.lock, True)
    pid = os.posix_spawn(
        sys.executable,
        # -P: a module of the user's in the current folder must not stand in for one of the library's.
        [sys.executable, "-P", "-m", "runmill.app.runs.launch.runner", str(folder.path), str(folder.lock)],
        variables,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(folder.runner_log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    os.close(folder.lock)
    # Nobody else asks how it ended, and a notebook that submits a thousand runs must not keep a thousand dead entries.
    threading.Thread(target=_reap, args=(pid,), name="runmill-reaper", daemon=True).start()


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _check(config: object) -> ScriptRunConfig:
    """Say everything that is wrong now: in the runner nobody would see it at once."""
    if not isinstance(config, ScriptRunConfig):
        raise InvalidArgument(f"Experiment.submit: a ScriptRunConfig is needed, got {config!r}.")
    _check_configuration(config.run_config)
    config.run_config.environment.check()
    folder = Path(config.source_directory)
    if not folder.is_dir():
        raise InvalidArgument(f"Experiment.submit: source_directory {config.source_directory!r} is not a folder.")
    if config.script and not (folder / config.script).is_file():
        raise InvalidArgument(
            f"Experiment.submit: there is no script {config.script!r} in {str(folder.absolute())!r}. It is named "
            "relative to source_directory."
        )
    return config


def _check_configuration(run_config: RunConfiguration) -> None:
    if run_config.target not in ("local", None):
        raise InvalidArgument(
            f"Experiment.submit: compute target {run_config.target!r} is not supported: scripts run on this machine, "
            "'local'. Elsewhere, call `runmill run -- python train.py` in the job."
        )
    if run_config.node_count != 1:
        raise InvalidArgument(f"Experiment.submit: node_count must be 1, got {run_config.node_count!r}.")


def _interpreter(environment: Environment) -> str:
    path = environment.python.interpreter_path
    if path == DEFAULT_INTERPRETER:
        return sys.executable
    found = shutil.which(Path(path).expanduser())
    if found is None:
        raise InvalidArgument(
            f"Environment {environment.name!r}: python.interpreter_path {path!r} is no program that can be run."
        )
    return str(Path(found).absolute())


def _program(config: ScriptRunConfig) -> str:
    if config.script:
        return config.script
    words = config.command.split() if isinstance(config.command, str) else [str(word) for word in config.command]
    return next((word for word in words if word.endswith(".py")), words[0])


def _command(config: ScriptRunConfig) -> list[str]:
    command = config.command
    return ["/bin/sh", "-c", command] if isinstance(command, str) else _texts(command)


def _arguments(config: ScriptRunConfig, folder: JobFolder) -> list[str]:
    given = shlex.split(config.arguments) if isinstance(config.arguments, str) else _texts(config.arguments)
    return [*given, *_resume_arguments(config.resume_from, folder)]


def _resume_arguments(resume_from: "str | os.PathLike[str] | Run | None", folder: JobFolder) -> list[str]:
    if resume_from is None:
        return []
    if isinstance(resume_from, Run):
        resume_from.download_files("outputs/", folder.path / "resume")
        return ["--resume-from", str(folder.path / "resume" / "outputs")]
    if not Path(resume_from).exists():
        raise InvalidArgument(f"ScriptRunConfig: resume_from {os.fspath(resume_from)!r} is not there.")
    return ["--resume-from", str(Path(resume_from).absolute())]


def _texts(words: Sequence[object]) -> list[str]:
    return [str(word) for word in words]
