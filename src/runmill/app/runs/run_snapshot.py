"""The part of a Run that keeps the code it ran: its files under ``snapshot/``, and the changes git has not seen."""

import tempfile
import uuid
import zipfile
from os import PathLike
from pathlib import Path
from typing import Final

from runmill.app.notices import notice
from runmill.app.runs.git_facts import uncommitted_changes
from runmill.app.runs.launch.snapshot_files import snapshot_files
from runmill.app.runs.run_files import FileCalls
from runmill.app.runs.run_tags import TagCalls
from runmill.errors import Conflict, InvalidArgument, NotFound

__all__ = ["SNAPSHOT_PROPERTY", "SnapshotCalls"]

SNAPSHOT_PROPERTY: Final = "ContentSnapshotId"
"""The property's name in Azure ML v1; programs look for it."""
_FOLDER: Final = "snapshot"
_CHANGES: Final = "git/uncommitted.patch"
# An id from what is in the snapshot: the same code has the same id.
_NAMESPACE: Final = uuid.UUID("8c1e9cf1-2f5a-4e5c-8f2d-9d0b4c9d9f3a")


class SnapshotCalls(TagCalls, FileCalls):
    """Bytes are stored by their hash: of code that did not change nothing is stored again."""

    def take_snapshot(self, file_or_folder_path: "str | PathLike[str]") -> str:
        """Keep a file, or the code in a folder, and give the snapshot's id; the same code always has the same id.

        What ``.amlignore`` or, without one, ``.gitignore`` names is left out, as are large files and folders of very
        many files: data is no code. What is left out for its size is said on stderr.

        Raises:
            InvalidArgument: There is no such file or folder.
            Conflict: The run has a snapshot.
        """
        path = Path(file_or_folder_path)
        if not path.exists():
            raise InvalidArgument(f"run.take_snapshot({str(path)!r}): there is no such file or folder.")
        if SNAPSHOT_PROPERTY in self._state.properties:
            raise Conflict(f"run {self.id} has a snapshot: {self._state.properties[SNAPSHOT_PROPERTY]!r}.")
        files = [(path.name, path)] if path.is_file() else list(snapshot_files(path, self._link.outlet.home))
        for name, file in files:
            self._keep_code(f"{_FOLDER}/{name}", file)
        kept = sorted(item for item in self._kept.items() if item[0].startswith(f"{_FOLDER}/"))
        snapshot_id = str(uuid.uuid5(_NAMESPACE, repr(kept)))
        self.add_properties({SNAPSHOT_PROPERTY: snapshot_id})
        return snapshot_id

    def get_snapshot_id(self) -> str:
        """Give the id of the run's snapshot. Raises NotFound when it has none, and Unavailable."""
        snapshot_id = self.get_properties().get(SNAPSHOT_PROPERTY)
        if snapshot_id is None:
            raise NotFound(f"run {self.id} has no snapshot of its code.")
        return snapshot_id

    def restore_snapshot(self, snapshot_id: str | None = None, path: "str | PathLike[str] | None" = None) -> str:
        """Write the run's snapshot as ``<snapshot id>.zip`` into the folder *path* and give the file's absolute path.

        Args:
            snapshot_id: Must be this run's; None: it is looked up.
            path: The temporary folder by default; made when it is not there.

        Raises:
            NotFound: The run has no snapshot, or another one.
            Unavailable: The store cannot be read.
        """
        own = self.get_snapshot_id()
        if snapshot_id not in (None, own):
            raise NotFound(f"run {self.id} has the snapshot {own!r}, not {snapshot_id!r}.")
        folder = Path(path or tempfile.gettempdir()).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{own}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in self.get_file_names():
                if name.startswith(f"{_FOLDER}/"):
                    archive.writestr(name.removeprefix(f"{_FOLDER}/"), self._link.client().file_bytes(self.id, name))
        return str(target)

    def keep_uncommitted_changes(self, folder: "str | PathLike[str]") -> None:
        """Keep what *folder*'s repository has not committed as ``git/uncommitted.patch``; nothing where all is."""
        if changes := uncommitted_changes(folder):
            self._keep(_CHANGES, changes, "text/x-patch")

    def _keep_code(self, name: str, file: Path) -> None:
        """Keep one file; one that cannot be read is said, and is no reason for a run to fail."""
        try:
            self._keep(name, file, None)
        except OSError as error:
            notice(f"run {self.id}: {str(file)!r} is not in the snapshot: {error}")
