"""Models: files of runs under a name and a version, to be found again."""
# ruff: noqa: A002, FBT001, FBT002, PLR0917 - the signatures are those of Azure ML v1

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
