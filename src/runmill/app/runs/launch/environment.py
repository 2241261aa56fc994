"""Which Python runs a script: one that is there, or a virtual environment made for it."""

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from runmill.app.runs.absent import SaysWhatIsAbsent
from runmill.app.runs.launch.json_file import read_json_file, section, write_json_file
from runmill.app.runs.launch.registered import find_registered, register, registered_names
from runmill.errors import Conflict, InvalidArgument

if TYPE_CHECKING:
    # A workspace lists environments; an environment only asks where its home is.
    from runmill.app.runs.workspace import Workspace

__all__ = ["DEFAULT_INTERPRETER", "Environment", "PythonSection"]

DEFAULT_INTERPRETER: Final = "python"


class PythonSection(SaysWhatIsAbsent):
    """The Python of an environment."""

    def __init__(self) -> None:
        self.user_managed_dependencies = False
        """True: `interpreter_path` runs the script as it is, and nothing is installed."""
        self.interpreter_path = DEFAULT_INTERPRETER
        """``python``: the interpreter that submits, so that a script finds what the notebook finds."""
        self.pip_requirements: str | None = None
        """What pip shall install into an environment of its own, as the text of a requirements file."""
        self.pip_version: str | None = None
        """The pip that does it; None: the one at hand."""
        self.conda_dependencies: object | None = None
        """Not supported: a script with these is refused when it is submitted."""


class Environment(SaysWhatIsAbsent):
    """A name, a Python and environment variables for a script.

    Args:
        name: What it is called.
        environment_variables: Set for the script, over those of the submitting process.
    """

    def __init__(self, name: str, *, environment_variables: Mapping[str, str] | None = None) -> None:
        if not str(name).strip():
            raise InvalidArgument(f"Environment: a name must be text that is not empty, got {name!r}.")
        self.name = name
        self.version: str | None = None
        """Counts up in the name, from 1; None until it is registered."""
        self.python = PythonSection()
        self.environment_variables: dict[str, str] = dict(environment_variables or {})

    @staticmethod
    def from_pip_requirements(
        name: str, file_path: "str | os.PathLike[str]", pip_version: str | None = None
    ) -> "Environment":
        """Give an environment with what a requirements file lists.

        It is made when a script first runs in it, below the home directory, and used again by every script with the
        same requirements. A script that logs through runmill needs ``runmill`` among them.

        Raises:
            FileNotFoundError: There is no such file.
        """
        environment = Environment(name)
        environment.python.pip_requirements = _with_absolute_paths(Path(file_path))
        environment.python.pip_version = pip_version
        return environment

    @staticmethod
    def from_conda_specification(name: str, file_path: "str | os.PathLike[str]") -> NoReturn:
        """Conda is not supported. Raises InvalidArgument that says what to use."""
        raise InvalidArgument(f"Environment.from_conda_specification({name!r}, {os.fspath(file_path)!r}): {_NO_CONDA}")

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> NoReturn:
        """Conda is not supported. Raises InvalidArgument that says what to use."""
        raise InvalidArgument(
            f"Environment.from_existing_conda_environment({name!r}, {conda_environment_name!r}): {_NO_CONDA}"
        )

    def register(self, workspace: "Workspace") -> "Environment":
        """Keep it under its name in the workspace's home, and give it with its version.

        What has not changed since the newest version stays that version. It names interpreters of this machine, so it
        stays on this machine, also where runs go to a server elsewhere. Raises InvalidArgument, OSError.
        """
        definition = self.as_json()
        version = register(workspace.link.outlet.home, self.name, definition)
        return Environment.of_json({**definition, "version": version}, Path(self.name))

    @staticmethod
    def get(workspace: "Workspace", name: str, version: str | None = None, label: str | None = None) -> "Environment":
        """Give a registered environment: *version*, by default the newest. *label* has no effect. Raises NotFound."""
        del label
        found, definition = find_registered(workspace.link.outlet.home, name, None if version is None else str(version))
        return Environment.of_json({**definition, "version": found}, Path(name))

    @staticmethod
    def list(workspace: "Workspace") -> "dict[str, Environment]":
        """Give the newest version of each registered environment by name."""
        return {name: Environment.get(workspace, name) for name in sorted(registered_names(workspace.link.outlet.home))}

    def save_to_directory(self, path: "str | os.PathLike[str]", overwrite: bool = False) -> None:  # noqa: FBT001, FBT002 - as it always was
        """Write it as a file in the folder *path*, made where it is not there. Raises Conflict, unless *overwrite*."""
        file = Path(path) / _FILE_NAME
        if file.exists() and not overwrite:
            raise Conflict(f"environment.save_to_directory: {str(file)!r} is there already. Give overwrite=True.")
        write_json_file(file, self.as_json())

    @staticmethod
    def load_from_directory(path: "str | os.PathLike[str]") -> "Environment":
        """Give what `save_to_directory` wrote to that folder. Raises NotFound, ConfigError."""
        file = Path(path) / _FILE_NAME
        return Environment.of_json(read_json_file(file), file)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values under Azure ML's keys. Raises InvalidArgument for what no script could run in."""
        self.check()
        python = self.python
        return {
            "name": self.name,
            "environmentVariables": dict(self.environment_variables),
            "python": {
                "userManagedDependencies": python.user_managed_dependencies,
                "interpreterPath": python.interpreter_path,
                "pipRequirements": python.pip_requirements,
                "pipVersion": python.pip_version,
            },
        }

    @staticmethod
    def of_json(said: Mapping[str, Any], file: Path) -> "Environment":
        """Give what `as_json` gave, read from *file*. Raises ConfigError that names the file."""
        python = section(said, "python", file)
        environment = Environment(
            str(said.get("name") or "environment"), environment_variables=section(said, "environmentVariables", file)
        )
        environment.version = said.get("version")
        environment.python.user_managed_dependencies = bool(python.get("userManagedDependencies"))
        environment.python.interpreter_path = python.get("interpreterPath") or DEFAULT_INTERPRETER
        environment.python.pip_requirements = python.get("pipRequirements")
        environment.python.pip_version = python.get("pipVersion")
        if not environment.python.user_managed_dependencies:
            environment.python.conda_dependencies = python.get("condaDependencies")
        return environment

    def clone(self, new_name: str) -> "Environment":
        """Give a copy under another name."""
        copy = Environment(new_name, environment_variables=self.environment_variables)
        copy.python = deepcopy(self.python)
        return copy

    def check(self) -> None:
        """Raise InvalidArgument when a script cannot be run in it."""
        if self.python.conda_dependencies is not None:
            raise InvalidArgument(f"Environment {self.name!r}: python.conda_dependencies are set, but {_NO_CONDA}")
        if self.python.user_managed_dependencies and self.python.pip_requirements is not None:
            raise InvalidArgument(
                f"Environment {self.name!r}: with python.user_managed_dependencies nothing is installed, but it has "
                "pip requirements. Set one or the other."
            )
        for key, value in self.environment_variables.items():
            if type(value) is not str:
                raise InvalidArgument(
                    f"Environment {self.name!r}: environment variable {key!r} must be text, got {value!r}."
                )

    def __repr__(self) -> str:
        return f"Environment(Name: {self.name},\nPython: {self.python.interpreter_path})"


_FILE_NAME: Final = "azureml_environment.json"
"""As Azure ML names it: a folder saved there is read here."""
_NO_CONDA: Final = (
    "conda environments are not made here. Point python.interpreter_path at the environment's Python and set "
    "python.user_managed_dependencies = True, or use Environment.from_pip_requirements."
)


def _with_absolute_paths(file: Path) -> str:
    """Give the requirements; pip takes a path in them from where it runs, so those beside the file are written out."""
    folder = file.absolute().parent
    return "".join(f"{_located(line.strip(), folder)}\n" for line in file.read_text(encoding="utf-8").splitlines())


def _located(line: str, folder: Path) -> str:
    option, _, path = line.partition(" ")
    if option in ("-r", "-c", "-e", "-f", "--requirement", "--constraint", "--editable", "--find-links"):
        return f"{option} {folder / path.strip()}" if (folder / path.strip()).exists() else line
    return str(folder / line) if line.startswith(("./", "../")) else line
