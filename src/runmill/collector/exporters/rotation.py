"""Which old files of an exporter stay: a full file is renamed by the moment it was full, and the oldest ones go.

Source: OpenTelemetry Collector, exporter/fileexporter, whose names these are: ``data-2026-09-14T05-02-14.173.json``.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from runmill.collector.exporters.file_config import RotationConfig

__all__ = ["put_aside"]

_STAMP: Final = "%Y-%m-%dT%H-%M-%S"
_STAMPED: Final = r"-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)\.\d{3}"


def put_aside(path: Path, config: RotationConfig, *, now: datetime) -> None:
    """Rename the full file at *path* (*now* has a zone), and delete what has had its time."""
    moment = now.astimezone(None if config.localtime else UTC)
    path.rename(_free(path, moment))
    kept_from = (moment - timedelta(days=config.max_days)).strftime(_STAMP) if config.max_days else ""
    for age, (stamp, backup) in enumerate(sorted(_backups(path), reverse=True)):
        if stamp < kept_from or age >= config.max_backups > 0:
            backup.unlink(missing_ok=True)


def _free(path: Path, moment: datetime) -> Path:
    """Give a name no other file has: two may be full within a millisecond."""
    while True:
        stamp = f"{moment.strftime(_STAMP)}.{moment.microsecond // 1000:03}"
        target = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
        if not target.exists():
            return target
        moment += timedelta(milliseconds=1)


def _backups(path: Path) -> Iterator[tuple[str, Path]]:
    pattern = re.compile(re.escape(path.stem) + _STAMPED + re.escape(path.suffix))
    for found in path.parent.iterdir():
        if match := pattern.fullmatch(found.name):
            yield match[1], found
