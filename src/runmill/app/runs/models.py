"""Models: files of runs under a name and a version, to be found again."""
# ruff: noqa: A002, FBT001, FBT002, PLR0917 - the signatures are those of Azure ML v1

import os
import posixpath
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runmill.app.runs.listing import Labels, has_labels
from runmill.app.runs.reprs import text_form
from runmill.errors import Conflict, InvalidArgument, NotFound
from runmill.model import ModelVersion

if TYPE_CHECKING:
    # A workspace lists models and runs register them; a model knows where it came from.
    from runmill.app.runs.run import Run
    from runmill.app.runs.workspace import Workspace

__all__ = ["Model", "newest"]


class Model:
    """One version of a model. ``run.register_model`` makes the next one; nothing of a version ever changes.

    Args:
        workspace: Where it is.
        name: Its name.
        id: ``NAME:VERSION``, in place of the two.
        version: By default the newest.
        state: The version as it is known; None: it is read.

    Raises:
        NotFound: There is no such model or version; the text says which there are.
        Unavailable: The store cannot be read.
    """

    def __init__(
        self,
        workspace: "Workspace",
        name: str | None = None,
        id: str | None = None,
        version: int | None = None,
        *,
        state: ModelVersion | None = None,
    ) -> None:
        self._workspace = workspace
        self._state = state or _find(workspace, name, id, version)

    @property
    def workspace(self) -> "Workspace":
        """Where it is."""
        return self._workspace

    @property
    def name(self) -> str:
        """What it is called; versions share it."""
        return self._state.name

    @property
    def version(self) -> int:
        """From 1, in the order of registration."""
        return self._state.version

    @property
    def id(self) -> str:
        """``NAME:VERSION``."""
        return f"{self.name}:{self.version}"

    @property
    def path(self) -> str:
        """Of its file or folder, in its run."""
        return self._state.path

    @property
    def files(self) -> Sequence[str]:
        """The paths of its files, in its run."""
        return [file.path for file in self._state.files]

    @property
    def run_id(self) -> str:
        """The run whose files they are."""
        return self._state.run_id

    @property
    def run(self) -> "Run":
        """The run whose files they are. Raises Unavailable."""
        return self._workspace.get_run(self.run_id)

    @property
    def experiment_name(self) -> str:
        """The experiment of its run. Raises Unavailable."""
        return self.run.experiment.name

    @property
    def created_time(self) -> datetime:
        """When it was registered."""
        return datetime.fromtimestamp(self._state.time_unix_nano // 1000 / 1e6, UTC)

    @property
    def description(self) -> str:
        """As it was given."""
        return self._state.description

    @property
    def tags(self) -> dict[str, str | None]:
        """As they were given."""
        return dict(self._state.tags)

    @property
    def properties(self) -> dict[str, str]:
        """As they were given."""
        return dict(self._state.properties)

    @property
    def model_framework(self) -> str:
        """As it was given: ``ScikitLearn``, ``TensorFlow``, ..."""
        return self._state.framework

    @property
    def model_framework_version(self) -> str:
        """As it was given."""
        return self._state.framework_version

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Write its file, or its folder with all below, into *target_dir* and give the path that was written.

        The bytes are those that were registered, whatever the run uploaded under their names since.

        Args:
            target_dir: Made when it is not there.
            exist_ok: True: replace what is there.
            exists_ok: The older name of *exist_ok*.

        Raises:
            Conflict: The path is there already.
            Unavailable: The store cannot be read.
        """
        target = Path(target_dir) / posixpath.basename(self.path)
        if target.exists() and not (exist_ok if exists_ok is None else exists_ok):
            raise Conflict(f"model {self.id}: {str(target)!r} is there already. Give exist_ok=True to replace it.")
        client = self._workspace.link.client()
        for file in self._state.files:
            below = file.path.removeprefix(self.path).lstrip("/")
            client.download_bytes(file.sha256, target / below if below else target)
        return str(target)

    def get_sas_urls(self) -> dict[str, str]:
        """Give path -> address of each file."""
        client = self._workspace.link.client()
        return {file.path: client.bytes_address(file.sha256) for file in self._state.files}

    @staticmethod
    def register(
        workspace: "Workspace",
        model_path: "str | os.PathLike[str]",
        model_name: str,
        tags: Mapping[str, object] | None = None,
        properties: Mapping[str, object] | None = None,
        description: str | None = None,
        datasets: object = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: object = None,
        sample_input_dataset: object = None,
        sample_output_dataset: object = None,
        resource_configuration: object = None,
    ) -> "Model":
        """Make the next version of a model of a file, or of all files of a folder, on this machine.

        A run of its own in the experiment ``models`` keeps the files, and says who registered them and when. The other
        arguments are those of ``run.register_model``; *child_paths* must be None.

        Raises:
            NotFound: There is no such file or folder; nothing was registered.
            InvalidArgument: Something was given that a model cannot have.
            Unavailable: The store cannot be read.
        """
        path = Path(model_path)
        if not path.exists():
            raise NotFound(f"Model.register({model_name!r}): there is no file or folder {str(path)!r}.")
        with _run_for(workspace, model_name) as run:
            upload = run.upload_folder if path.is_dir() else run.upload_file
            upload(path.absolute().name, path)
            return run.register_model(
                model_name,
                path.absolute().name,
                tags,
                properties,
                model_framework,
                model_framework_version,
                description,
                datasets,
                sample_input_dataset,
                sample_output_dataset,
                resource_configuration,
                child_paths=child_paths,
            )

    @staticmethod
    def list(
        workspace: "Workspace",
        name: str | None = None,
        tags: Labels | None = None,
        properties: Labels | None = None,
        run_id: str | None = None,
        latest: bool = False,
    ) -> "list[Model]":
        """Give the models that fit, the newest registration first; with *latest* one version of a name.

        Raises Unavailable.
        """
        versions = workspace.link.fresh_client().models()
        if latest:
            versions = list({version.name: version for version in versions}.values())
        return [
            Model(workspace, state=version)
            for version in sorted(versions, key=lambda version: version.time_unix_nano, reverse=True)
            if name in (None, version.name)
            and run_id in (None, version.run_id)
            and has_labels(version.tags, tags)
            and has_labels(version.properties, properties)
        ]

    def __repr__(self) -> str:
        return text_form("Model", {"Name": self.name, "Version": self.version, "Run": self.run_id})


def _run_for(workspace: "Workspace", model_name: str) -> "Run":
    # Here, not on top: an experiment's runs make models.
    from runmill.app.runs.experiment import Experiment  # noqa: PLC0415

    models = Experiment(workspace, "models")
    return models.start_logging(outputs=False, snapshot_directory=None, display_name=str(model_name))


def newest(workspace: "Workspace") -> Mapping[str, Model]:
    """Give each name's newest version. Raises Unavailable."""
    return {each.name: each for each in Model.list(workspace, latest=True)}


def _find(workspace: "Workspace", name: str | None, id: str | None, version: int | None) -> ModelVersion:
    wanted_name, wanted_version = (name, version) if id is None else _parts(id)
    versions = [each for each in workspace.link.fresh_client().models() if each.name == wanted_name]
    found = [each for each in versions if wanted_version in (None, each.version)]
    if not found:
        there = f"it has the versions 1 to {len(versions)}" if versions else "there is no model of that name"
        raise NotFound(f"model {wanted_name!r}, version {wanted_version or 'newest'}: {there}.")
    return found[-1]


def _parts(id: str) -> tuple[str, int]:
    name, _, version = id.rpartition(":")
    if not name or not version.isdecimal():
        raise InvalidArgument(f"Model: id must be NAME:VERSION, got {id!r}.")
    return name, int(version)
