"""The folder of one journal, and who owns it.

Ownership is a lock on a file, not a pid: pids are used again, and a lock goes with its process however it ends. A
folder gets its final name only when it is locked, so nobody takes a journal for abandoned that is just being made.
"""

import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from runmill.home import Home
from runmill.journal.control import Control
from runmill.journal.losses import Losses
from runmill.journal.mounts import is_on_network
from runmill.journal.places import PLACES_NAME, Places

__all__ = ["CONTROL_NAME", "LOSSES_NAME", "Folder", "abandoned", "all_paths", "create", "roots"]

CONTROL_NAME: Final = "control"
LOSSES_NAME: Final = "losses"
_LOCK_NAME: Final = "lock"
_RESOURCE_NAME: Final = "resource.json"
_DRAFT_PREFIX: Final = ".new-"
_DRAFT_SECONDS: Final = 3600


class Folder:
    """A journal's folder whose lock this process holds."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @property
    def journal_id(self) -> str:
        """Unique, also across hosts; part of the producer id that the store knows its batches by."""
        return self.path.name

    def resource(self) -> dict[str, Any]:
        """Give the attributes of the process that wrote it; empty when they were not written whole."""
        try:
            attributes = json.loads((self.path / _RESOURCE_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return attributes if isinstance(attributes, dict) else {}

    def release(self) -> None:
        """Let go of the lock. In a forked child this leaves the parent's hold as it is."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """Delete it with all that is in it, then let go."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()


def create(home: Home, resource: dict[str, Any], *, notice: Callable[[str], None]) -> Folder:
    """Make and lock the folder of a new journal: in the home, or where that is no place for it, on a local disk.

    The second is said by *notice*. Raises OSError where nothing can be written at all.
    """
    try:
        _require_local(home.journal)
        return _create_in(home.journal, resource)
    except OSError as error:
        folder = _create_in(_make_local_root(home), resource)
        notice(
            f"no journal in {str(home.path)!r}: {error.strerror or error}; it is in {str(folder.path.parent)!r} "
            "instead, where other processes of this machine find it. Set RUNMILL_HOME to choose a folder."
        )
        return folder


def _require_local(root: Path) -> None:
    if is_on_network(root):
        raise OSError(errno.EREMOTE, "it is on a network file system")


def _create_in(root: Path, resource: dict[str, Any]) -> Folder:
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
    draft = root / (_DRAFT_PREFIX + name)
    draft.mkdir()
    lock = -1
    try:
        lock = os.open(draft / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (draft / _RESOURCE_NAME).write_text(json.dumps(resource, default=str), encoding="utf-8")
        # Now, when a full disk still means a journal elsewhere.
        Control(draft / CONTROL_NAME).close()
        Losses(draft / LOSSES_NAME).close()
        Places(draft / PLACES_NAME).close()
        draft.rename(root / name)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        Folder(draft, lock).release()
        raise
    return Folder(root / name, lock)


def abandoned(home: Home) -> Iterator[Folder]:
    """Yield, locked, each journal whose process is gone, oldest first; whoever takes it releases or removes it."""
    for root in roots(home):
        for path in sorted(_folders(root)):
            if path.name.startswith(_DRAFT_PREFIX):
                _remove_old_draft(path)
            elif (folder := _try_lock(path)) is not None:
                yield folder


def all_paths(home: Home) -> list[Path]:
    """Give the folder of every journal of *home*, in use or not, oldest first."""
    paths = [path for root in roots(home) for path in _folders(root)]
    return sorted(path for path in paths if not path.name.startswith(_DRAFT_PREFIX))


def roots(home: Home) -> tuple[Path, ...]:
    """Give the folders that may hold journals of *home*: its own, and the local one for homes on a network."""
    local = _local_root(home)
    return (home.journal, local) if _is_private(local.parent) else (home.journal,)


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []


def _try_lock(path: Path) -> Folder | None:
    try:
        lock = os.open(path / _LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    if not (path / _LOCK_NAME).exists():  # delivered and removed by another process while we opened it
        os.close(lock)
        return None
    return Folder(path, lock)


def _remove_old_draft(path: Path) -> None:
    """Remove what a process killed while making its journal left: nothing was written to it yet."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return
    if age > _DRAFT_SECONDS:
        shutil.rmtree(path, ignore_errors=True)


def _make_local_root(home: Home) -> Path:
    root = _local_root(home)
    root.parent.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(root.parent):
        raise PermissionError(errno.EPERM, f"{str(root.parent)!r} is somebody else's")
    return root


def _local_root(home: Home) -> Path:
    """Give the place for journals of a home that itself is no place for them: the same one for every process."""
    name = uuid.uuid5(uuid.NAMESPACE_URL, str(home.path)).hex[:12]
    return Path(tempfile.gettempdir()) / f"runmill-{os.getuid()}" / name


def _is_private(path: Path) -> bool:
    """Say whether *path* is a folder that only this user can write: in a shared place anybody may make one first."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o022
