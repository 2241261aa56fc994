"""Which files of a source folder are worth keeping with a run: code, and not the data that lies beside it."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from runmill.app.notices import notice
from runmill.app.runs.launch.source_tree import SourceEntry, source_entries
from runmill.home import Home

__all__ = ["snapshot_files"]

_MOST_FILE_BYTES: Final = 10 << 20
_MOST_FOLDER_BYTES: Final = 50 << 20
_MOST_FOLDER_FILES: Final = 1000
_MOST_FILES: Final = 10_000
_ADVICE: Final = "name it in .amlignore or .gitignore to leave it out quietly"


def snapshot_files(folder: Path, home: Home) -> Iterator[tuple[str, Path]]:
    """Yield (name, path) of the code in *folder*; what is too large or too many is left out, with a notice."""
    entries = (entry for entry in source_entries(folder.absolute(), leave_out=home.path) if not entry.is_folder_link)
    # The files of one folder come together, those of its subfolders apart.
    by_folder = groupby(entries, key=lambda entry: entry.name.rpartition("/")[0])
    count = 0
    for name, group in by_folder:
        for entry in _worth_keeping(name or ".", list(group)):
            count += 1
            if count > _MOST_FILES:
                notice(f"the snapshot of {str(folder)!r} ends at {_MOST_FILES} files. Leave more out by .amlignore.")
                return
            yield entry.name, entry.path


def _worth_keeping(folder: str, entries: list[SourceEntry]) -> list[SourceEntry]:
    small = [entry for entry in entries if entry.size_bytes <= _MOST_FILE_BYTES]
    for entry in entries:
        if entry.size_bytes > _MOST_FILE_BYTES:
            notice(f"{entry.name!r} is not in the snapshot: it has {entry.size_bytes >> 20} MiB; {_ADVICE}.")
    size_bytes = sum(entry.size_bytes for entry in small)
    if len(small) > _MOST_FOLDER_FILES or size_bytes > _MOST_FOLDER_BYTES:
        notice(
            f"folder {folder!r} is not in the snapshot: it has {len(small)} files of {size_bytes >> 20} MiB; {_ADVICE}."
        )
        return []
    return small
