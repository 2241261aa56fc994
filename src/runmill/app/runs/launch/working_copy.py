"""A script's own copy of its source folder: what the user changes meanwhile does not reach it."""

import shutil
from pathlib import Path

from runmill.app.runs.launch.source_tree import source_entries
from runmill.home import Home

__all__ = ["copy_source"]


def copy_source(source: Path, target: Path, home: Home) -> None:
    """Copy the files that are not ignored; links to folders stay links. Raises OSError when it cannot be done."""
    target.mkdir(parents=True)
    for entry in source_entries(source, leave_out=home.path):
        to = target / entry.name
        to.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_folder_link:
            to.symlink_to(entry.path.resolve(), target_is_directory=True)
        else:
            shutil.copy2(entry.path, to)
