"""What is to be run: a script of a folder, or a command, and how."""
# ruff: noqa: PLR0917 - the signatures are those of Azure ML v1

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runmill.app.runs.absent import SaysWhatIsAbsent
from runmill.app.runs.launch.environment import Environment
from runmill.app.runs.launch.json_file import read_json_file, section, write_json_file
from runmill.errors import InvalidArgument

if TYPE_CHECKING:
    # A run is what becomes of a configuration; only `resume_from` looks back at one.
    from runmill.app.runs.run import Run

__all__ = ["DEFAULT_MAX_RUN_DURATION_SECONDS", "HistoryConfiguration", "RunConfiguration", "ScriptRunConfig"]

DEFAULT_MAX_RUN_DURATION_SECONDS: Final = 30 * 24 * 3600


class HistoryConfiguration:
    """What is kept of a script's run."""

    def __init__(self) -> None:
        self.output_collection = True
        """Keep ``outputs/`` at the end and the watched folders meanwhile."""
        self.snapshot_project = True
        """Keep the code that was run."""
        self.directories_to_watch = ["logs"]
        """Folders below the script's working folder whose files are kept while it runs."""


class RunConfiguration(SaysWhatIsAbsent):
    """How a script is run; every field may be set until it is submitted.

    Args:
        script: Relative to the source folder.
        arguments: A list, or one text that a shell would split.
        framework: Told to the script as ``AZUREML_FRAMEWORK``; changes nothing.
        communicator: Told to the script as ``AZUREML_COMMUNICATOR``; changes nothing.
        conda_dependencies: Not supported: refused when the script is submitted.
        command: In place of script and arguments: a list is run as it is, a text by the shell.
    """

    def __init__(
        self,
        script: str | None = None,
        arguments: "Sequence[object] | str | None" = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: object | None = None,
        *,
        command: "Sequence[object] | str | None" = None,
    ) -> None:
        self.target = "local"
        self.script = script
        self.arguments: Sequence[object] | str = arguments or []
        self.command: Sequence[object] | str = command or ""
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.node_count = 1
        self.environment = Environment("default-environment")
        self.environment.python.conda_dependencies = conda_dependencies
        self.history = HistoryConfiguration()
        self.max_run_duration_seconds: float | None = None
        """After so long the script is ended and the run has failed; None: never."""
        self.grace_seconds = 10.0
        """A script that is cancelled or over its time gets SIGTERM, and SIGKILL so much later."""
        self.in_place = False
        """True: the script runs in the source folder itself, not in a copy of its own."""

    @property
    def environment_variables(self) -> dict[str, str]:
        """Those of the environment."""
        return self.environment.environment_variables

    @environment_variables.setter
    def environment_variables(self, variables: dict[str, str]) -> None:
        self.environment.environment_variables = dict(variables)

    def save(
        self,
        path: "str | os.PathLike[str] | None" = None,
        name: str | None = None,
        separate_environment_yaml: bool = False,  # noqa: FBT001, FBT002 - as it always was
    ) -> None:
        """Write it for `load`, as JSON: *path* is a file, or a folder that gets ``.azureml/NAME.runconfig``.

        Args:
            path: The current folder by default.
            name: Needed where *path* is a folder.
            separate_environment_yaml: Has no effect: the environment is in the file.

        Raises:
            InvalidArgument: A folder, and no name; or an environment in which no script could run.
        """
        del separate_environment_yaml
        write_json_file(_file(path, name), self._as_json())

    @staticmethod
    def load(path: "str | os.PathLike[str]", name: str | None = None) -> "RunConfiguration":
        """Read what `save` wrote there. Raises NotFound, ConfigError; InvalidArgument as `save`."""
        file = _file(path, name)
        said = read_json_file(file)
        given = {key: said.get(key) for key in ("script", "arguments", "framework", "communicator", "command")}
        configuration = RunConfiguration(**given)
        configuration.target = said.get("target") or "local"
        configuration.environment = Environment.of_json(section(said, "environment", file), file)
        for key, field in _MORE_FIELDS.items():
            if key in said:
                setattr(configuration, field, said[key])
        history = section(said, "history", file)
        for key, field in _HISTORY_FIELDS.items():
            if key in history:
                setattr(configuration.history, field, history[key])
        return configuration

    def _as_json(self) -> dict[str, Any]:
        return {
            "script": self.script,
            "arguments": _plain(self.arguments),
            "command": _plain(self.command),
            "target": self.target,
            "framework": self.framework,
            "communicator": self.communicator,
            **{key: getattr(self, field) for key, field in _MORE_FIELDS.items()},
            "environment": self.environment.as_json(),
            "history": {key: getattr(self.history, field) for key, field in _HISTORY_FIELDS.items()},
        }

    def __repr__(self) -> str:
        what = f"Command: {self.command!r}" if self.command else f"Script: {self.script}, Arguments: {self.arguments!r}"
        return f"RunConfiguration({what}, Target: {self.target}, Environment: {self.environment.name})"


class ScriptRunConfig:
    """A folder, and what to run of it. ``run_config`` holds how, and may be changed until it is submitted.

    Args:
        source_directory: The folder with everything the script needs.
        script: The script, relative to the folder.
        arguments: A list, or one text that a shell would split.
        run_config: How to run it; where it is given, `compute_target`, `environment`, `distributed_job_config`,
            `docker_runtime_config` and `max_run_duration_seconds` are ignored with a warning.
        compute_target: ``local``: there is no other.
        environment: Which Python.
        distributed_job_config: Must be None: start ranks with ``command=["torchrun", ...]``.
        resume_from: A folder, or a run whose ``outputs/`` are fetched: the script gets ``--resume-from FOLDER``.
        max_run_duration_seconds: After so long the script is ended and the run has failed; 30 days by default.
        command: In place of script and arguments: a list is run as it is, a text by the shell.
        docker_runtime_config: Must be None, or not use Docker.

    Raises:
        InvalidArgument: It names no script and no command, or both, or what is not supported.
    """

    MAX_DURATION_SECONDS_DEFAULT = DEFAULT_MAX_RUN_DURATION_SECONDS

    def __init__(
        self,
        source_directory: "str | os.PathLike[str] | None",
        script: str | None = None,
        arguments: "Sequence[object] | str | None" = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: object | None = None,
        compute_target: str | None = None,
        environment: Environment | None = None,
        distributed_job_config: object | None = None,
        resume_from: "str | os.PathLike[str] | Run | None" = None,
        max_run_duration_seconds: float | None = DEFAULT_MAX_RUN_DURATION_SECONDS,
        command: "Sequence[object] | str | None" = None,
        docker_runtime_config: object | None = None,
    ) -> None:
        self.source_directory = os.fspath(source_directory or ".")
        self.resume_from = resume_from
        given = {
            "compute_target": compute_target,
            "environment": environment,
            "distributed_job_config": distributed_job_config,
            "docker_runtime_config": docker_runtime_config,
            "max_run_duration_seconds": (
                None if max_run_duration_seconds == DEFAULT_MAX_RUN_DURATION_SECONDS else max_run_duration_seconds
            ),
        }
        if run_config is None:
            _refuse_distribution(distributed_job_config, docker_runtime_config)
            run_config = RunConfiguration()
            run_config.target = compute_target or "local"
            run_config.environment = environment or run_config.environment
            run_config.max_run_duration_seconds = max_run_duration_seconds
        else:
            _warn_of_ignored([name for name, value in given.items() if value is not None])
        self.run_config = run_config
        self.script = script or run_config.script
        self.arguments: Sequence[object] | str = arguments if arguments is not None else run_config.arguments
        self.command: Sequence[object] | str = command or ("" if script else run_config.command)
        if bool(self.script) == bool(self.command):
            raise InvalidArgument(
                f"ScriptRunConfig: give a script or a command, one of them: script={self.script!r}, "
                f"command={self.command!r}."
            )

    def __repr__(self) -> str:
        what = f"Command: {self.command!r}" if self.command else f"Script: {self.script}"
        return f"ScriptRunConfig({what}, Source directory: {self.source_directory})"


# Key in the file -> field. The keys are Azure ML's where it has them.
_MORE_FIELDS: Final = {
    "nodeCount": "node_count",
    "maxRunDurationSeconds": "max_run_duration_seconds",
    "graceSeconds": "grace_seconds",
    "inPlace": "in_place",
}
_HISTORY_FIELDS: Final = {
    "outputCollection": "output_collection",
    "snapshotProject": "snapshot_project",
    "directoriesToWatch": "directories_to_watch",
}


def _file(path: "str | os.PathLike[str] | None", name: str | None) -> Path:
    place = Path(path or ".")
    if not place.is_dir() and name is None:
        return place
    if name is None:
        raise InvalidArgument(f"RunConfiguration: {str(place)!r} is a folder: give name=, or the path of a file.")
    return place / ".azureml" / f"{name}.runconfig"


def _plain(words: "Sequence[object] | str") -> "list[str] | str":
    return words if isinstance(words, str) else [str(word) for word in words]


def _warn_of_ignored(names: list[str]) -> None:
    if names:
        warnings.warn(
            f"ScriptRunConfig: {', '.join(names)} ignored, because run_config is given; set them there.",
            stacklevel=3,
        )


def _refuse_distribution(distributed_job_config: object | None, docker_runtime_config: object | None) -> None:
    if distributed_job_config is not None:
        raise InvalidArgument(
            "ScriptRunConfig: distributed_job_config is not supported: ranks are started by their own launcher, for "
            "example command=['torchrun', '--nproc-per-node=2', 'train.py']; they find the run by themselves."
        )
    if docker_runtime_config is not None and getattr(docker_runtime_config, "use_docker", True):
        raise InvalidArgument(
            "ScriptRunConfig: docker_runtime_config is not supported: a script runs as a plain process. To run in a "
            "container, start the submitting program in it."
        )
