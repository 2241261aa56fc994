"""Environments under a name and a version, in the home: what they name, interpreters and variables, is this machine's.

``HOME/environments/registered/NAME/VERSION.json``; a version never changes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from runmill.app.runs.launch.json_file import read_json_file
from runmill.errors import NotFound
from runmill.home import Home

__all__ = ["find_registered", "register", "registered_names"]


def register(home: Home, name: str, definition: dict[str, Any]) -> str:
    """Keep the next version of *name* and give it; the newest one's where that says the same. Raises OSError."""
    folder = _folder(home, name)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(definition, indent=4, sort_keys=True) + "\n"
    while True:
        newest = max(_versions(folder), default=0)
        if newest and _file(folder, newest).read_text(encoding="utf-8") == text:
            return str(newest)
        try:
            with _file(folder, newest + 1).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:  # another process took the number
            continue
        return str(newest + 1)


def find_registered(home: Home, name: str, version: str | None) -> tuple[str, dict[str, Any]]:
    """Give a version, by default the newest, and what it says. Raises NotFound, with those there are."""
    versions = _versions(_folder(home, name))
    wanted = str(max(versions, default="newest")) if version is None else version
    if wanted not in map(str, versions):
        there = f"versions {sorted(versions)} of it" if versions else f"{sorted(registered_names(home))}"
        raise NotFound(f"environment {name!r}, version {wanted}, is not registered; there are {there}.")
    return wanted, read_json_file(_file(_folder(home, name), int(wanted)))


def registered_names(home: Home) -> Iterator[str]:
    """Yield the name of each registered environment."""
    return (unquote(folder.name) for folder in (home.environments / "registered").glob("*"))


def _folder(home: Home, name: str) -> Path:
    # A leading dot would hide it, and '..' would lead out.
    return home.environments / "registered" / quote(name, safe="").replace(".", "%2E")


def _file(folder: Path, version: int) -> Path:
    return folder / f"{version}.json"


def _versions(folder: Path) -> set[int]:
    return {int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()}
