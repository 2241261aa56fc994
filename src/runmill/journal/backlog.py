"""What waits in the journals of a home, read without touching it: for whoever asks why nothing arrives."""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runmill.home import Home
from runmill.journal.folder import LOSSES_NAME, Folder, abandoned, all_paths
from runmill.journal.loss_record import sentence
from runmill.journal.losses import Losses
from runmill.journal.reader import look_at, read_abandoned

__all__ = ["Backlog", "backlogs", "write_faults"]

_FAULTS_NAME: Final = "logging.json"
"""Written by the process itself: what keeps records of its loggers from coming here."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """One journal as it is now."""

    journal_id: str
    path: Path
    service: str
    pid: int | None
    is_live: bool
    """Its process is still there, and delivers it itself."""
    pending_count: int
    """Records no collector has acknowledged."""
    dropped_count: int
    """Records that found no room."""
    rejected_count: int
    """Records that the collector did not take, and never will."""
    losses: tuple[str, ...]
    """Each of both in words: how many of which level, and why."""
    size_bytes: int
    faults: tuple[dict[str, str], ...]
    """Logger, problem and remedy of each, as the process saw its own loggers last."""


def backlogs(home: Home) -> list[Backlog]:
    """Look at every journal of *home*, oldest first."""
    orphans = set()
    for folder in abandoned(home):
        orphans.add(folder.path)
        folder.release()
    found = []
    for path in all_paths(home):
        with contextlib.suppress(OSError, ValueError):  # delivered and removed while we looked
            found.append(_look(path, is_live=path not in orphans))
    return found


def write_faults(path: Path, faults: list[dict[str, str]]) -> None:
    """Keep in the journal at *path* what its process found wrong. Raises OSError."""
    draft = path / f"{_FAULTS_NAME}.new"
    draft.write_text(json.dumps(faults), encoding="utf-8")
    draft.replace(path / _FAULTS_NAME)


def _look(path: Path, *, is_live: bool) -> Backlog:
    folder = Folder(path, lock=-1)
    resource = folder.resource()
    pid = resource.get("process.pid")
    reader, losses = look_at(folder) if is_live else read_abandoned(folder), Losses(folder.path / LOSSES_NAME)
    try:
        return Backlog(
            journal_id=folder.journal_id,
            path=path,
            service=str(resource.get("service.name", "")),
            pid=pid if isinstance(pid, int) else None,
            is_live=is_live,
            pending_count=reader.pending_count(),
            dropped_count=losses.count("dropped"),
            rejected_count=losses.count("rejected"),
            losses=tuple(sentence(loss, loss.count) for loss in losses.all()),
            size_bytes=sum(file.stat().st_size for file in path.iterdir()),
            faults=tuple(_faults(path)),
        )
    finally:
        reader.close()
        losses.close()


def _faults(path: Path) -> list[dict[str, Any]]:
    try:
        faults = json.loads((path / _FAULTS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return faults if isinstance(faults, list) else []
