"""The part of a Run that keeps files and gives them back."""
# ruff: noqa: FBT001, FBT002, PLR0917 - the signatures are those of Azure ML v1

import io
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from runmill.app.notices import notice
from runmill.app.runs.kept_files import KeptFiles
from runmill.app.runs.run_part import RunPart
from runmill.app.runs.spool import check_path, media_type, sha256_of, spool
from runmill.errors import InvalidArgument, NotFound
from runmill.otlp import runs

__all__ = ["FileCalls", "Outputs", "outputs_folder"]

_LOGS = ("logs",)
LOG_FOLDERS = ("user_logs/", "system_logs/", "logs/", "azureml-logs/")


@dataclass(frozen=True, slots=True)
class Outputs:
    """A folder that is uploaded when the run ends, and what it is called in the run."""

    name: str
    folder: Path
    """Absolute: the program may change its working folder."""


class FileCalls(RunPart):
    """Uploads return when the bytes are copied aside on this disk: no network, and they survive the process."""

    _outputs: Outputs | None
    _logs: KeptFiles | None
    """What is written to ``./logs`` meanwhile; None: nobody looks."""
    _kept: dict[str, str]
    """Path in the run -> hash, of what was uploaded here."""

    def upload_file(
        self, name: str, path_or_stream: "str | os.PathLike[str] | IO[Any]", datastore_name: str | None = None
    ) -> None:
        """Keep a file, or the rest of a stream, as *name* in the run; a second one of that name replaces the first.

        Args:
            name: A relative path; ``outputs/model.pkl`` shows under Outputs.
            path_or_stream: Of bytes, or of text (kept as UTF-8).
            datastore_name: Must be None: a run's files have one place.

        Raises:
            InvalidArgument: *name* is absolute or has ``..``, or *path_or_stream* is neither.
            FileNotFoundError: There is no such file.
        """
        where = f"run.upload_file({name!r})"
        _refuse_datastore(datastore_name, where)
        if not isinstance(path_or_stream, str | os.PathLike | io.IOBase) and not hasattr(path_or_stream, "read"):
            raise InvalidArgument(f"{where}: path_or_stream must be a path or an open file, got {path_or_stream!r}.")
        self._keep(check_path(name, where), path_or_stream, None)

    def upload_files(
        self,
        names: Sequence[str],
        paths: Sequence["str | os.PathLike[str]"],
        return_artifacts: bool = False,
        timeout_seconds: float | None = None,  # noqa: ARG002 - nothing waits for the network here
        datastore_name: str | None = None,
    ) -> dict[str, str] | None:
        """Keep several files; with *return_artifacts* give name -> address. Raises as `upload_file` does, before
        anything is kept where a name is wrong or there are not as many names as paths.
        """
        where = "run.upload_files"
        if len(names) != len(paths):
            raise InvalidArgument(f"{where}: {len(names)} names for {len(paths)} paths; give one name for each path.")
        checked = [check_path(name, where) for name in names]
        for name, path in zip(checked, paths, strict=True):
            self.upload_file(name, path, datastore_name)
        if not return_artifacts:
            return None
        client = self._link.client()
        return {name: client.file_address(self.id, name) for name in checked}

    def upload_folder(self, name: str, path: "str | os.PathLike[str]", datastore_name: str | None = None) -> None:
        """Keep every file below the folder *path* under *name*. Raises InvalidArgument when it is no folder."""
        where = f"run.upload_folder({name!r})"
        _refuse_datastore(datastore_name, where)
        if not Path(path).is_dir():
            raise InvalidArgument(f"{where}: {os.fspath(path)!r} is not a folder.")
        for kept_as, file in _files_below(Path(path), "" if name in ("", ".") else check_path(name, where)):
            self._keep_changed(kept_as, file)

    def get_file_names(self) -> list[str]:
        """Give the paths of the run's files, logs included; what was uploaded before this call is among them."""
        return [file.path for file in self._link.fresh_client().files(self.id)]

    def download_file(
        self,
        name: str,
        output_file_path: "str | os.PathLike[str] | None" = None,
        _validate_checksum: bool = False,
    ) -> None:
        """Write one of the run's files to *output_file_path*: a file, a folder, or by default the current folder.

        Raises NotFound for an unknown name; the text lists what there is.
        """
        there = self.get_file_names()
        if name not in there:
            raise NotFound(f"run {self.id} has no file {name!r}; it has: {', '.join(map(repr, there)) or 'none'}.")
        target = Path(output_file_path or ".")
        is_folder = target.is_dir() or os.fspath(output_file_path or "").endswith("/")
        self._link.client().download(self.id, name, target / posixpath.basename(name) if is_folder else target)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: "str | os.PathLike[str] | None" = None,
        output_paths: Sequence["str | os.PathLike[str]"] | None = None,
        batch_size: int = 100,  # noqa: ARG002 - every file is a request of its own
        append_prefix: bool = True,
        timeout_seconds: float | None = None,  # noqa: ARG002 - each request has its own
    ) -> None:
        """Write the files whose path starts with *prefix* below *output_directory* (default: the current folder).

        Args:
            prefix: All files when None.
            output_directory: Made when it is not there.
            output_paths: In place of the files' own paths, one for each file in the order of their names.
            batch_size: Has no effect.
            append_prefix: False takes the prefix off the paths that are written.
            timeout_seconds: Has no effect.

        Raises:
            InvalidArgument: There are not as many *output_paths* as files.
        """
        names = [name for name in self.get_file_names() if name.startswith(prefix or "")]
        cut = 0 if append_prefix else len(prefix or "")
        targets = output_paths or [_inside(name, cut) for name in names]
        if len(targets) != len(names):
            raise InvalidArgument(f"run.download_files: {len(targets)} output_paths for {len(names)} files {names!r}.")
        client, folder = self._link.client(), Path(output_directory or ".")
        for name, target in zip(names, targets, strict=True):
            client.download(self.id, name, folder / target)

    def get_all_logs(self, destination: "str | os.PathLike[str] | None" = None) -> list[str]:
        """Write the run's log files below *destination* (default ``assets/<run id>``) and give their paths."""
        folder = Path(destination) if destination else Path("assets") / self.id
        targets = {name: folder / _inside(name) for name in self._log_names()}
        for name, target in targets.items():
            self._link.client().download(self.id, name, target)
        return [str(target) for target in targets.values()]

    def keep_file(self, name: str, path: Path) -> bool:
        """Keep a file as *name*. One that cannot be read is said and left out: it is no reason for a run to fail.

        Not for a program to call: `upload_file` raises.
        """
        try:
            self._keep_changed(name, path)
        except (OSError, ValueError) as error:
            notice(f"run {self.id}: the file {str(path)!r} is not kept: {error}")
            return False
        return True

    def _log_names(self) -> list[str]:
        return [name for name in self.get_file_names() if name.startswith(LOG_FOLDERS)]

    def _keep(self, path: str, source: "str | os.PathLike[str] | bytes | IO[Any]", kind: str | None) -> None:
        file = spool(self._link.outlet.home, source)
        self._kept[path] = file.sha256
        body = {"path": path, "size_bytes": file.size_bytes, "media_type": kind or media_type(path)}
        self._recorder.event(runs.ARTIFACT, {**body, "sha256": file.sha256})

    def _keep_changed(self, path: str, file: Path) -> None:
        # What was uploaded by hand before is not sent again when its folder is.
        if path not in self._kept or self._kept[path] != sha256_of(file):
            self._keep(path, file, None)

    def keep_logs(self) -> None:
        """Keep what grew in ``./logs``. Not for a program to call: it happens every 15 seconds."""
        if self._logs is not None:
            self._logs.keep_grown(_LOGS)

    def _keep_outputs(self) -> None:
        if self._logs is not None:
            self._logs.keep_all(_LOGS)
        if self._outputs is not None and self._outputs.folder.is_dir():
            for kept_as, file in _files_below(self._outputs.folder, self._outputs.name):
                self.keep_file(kept_as, file)


def outputs_folder(path: "str | os.PathLike[str] | None") -> Outputs | None:
    """Make the folder, if it is not there, so that a script may write to it at once; None gives None."""
    if path is None:
        return None
    folder = Path(path).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    is_inside = not Path(path).is_absolute() and ".." not in Path(path).parts
    return Outputs(Path(path).as_posix() if is_inside else folder.name, folder)


def _inside(path: str, cut: int = 0) -> str:
    """Give where a run's file goes below a folder. A foreign sender may have named it anything: it stays inside."""
    return check_path(path[cut:].lstrip("/") or posixpath.basename(path), "run.download_files")


def _files_below(folder: Path, name: str) -> list[tuple[str, Path]]:
    """Give each file with its path in the run, where the folder is called *name*."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(posixpath.join(name, file.relative_to(folder).as_posix()), file) for file in files]


def _refuse_datastore(datastore_name: str | None, where: str) -> None:
    if datastore_name is not None:
        raise InvalidArgument(
            f"{where}: datastore_name={datastore_name!r}: a run's files have one place; leave it out."
        )
