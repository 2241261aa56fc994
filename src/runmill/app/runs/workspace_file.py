"""The file that names a workspace: where it is looked for, what it may say."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runmill.errors import ConfigError

__all__ = ["WorkspaceFile", "find_workspace_file", "read_workspace_file", "write_workspace_file"]

_NAMES: Final = ("config.json", "project.json")
_FOLDERS: Final = (".azureml", "aml_config", ".")
_AZURE_KEYS: Final = ("subscription_id", "resource_group", "workspace_name")
_SCOPE: Final = re.compile(
    r"/subscriptions/(?P<subscription_id>[^/]+)/resourcegroups/(?P<resource_group>[^/]+)"
    r"/providers/[^/]+/workspaces/(?P<workspace_name>[^/]+)/?.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """What a file says; what it does not say is empty."""

    subscription_id: str = ""
    resource_group: str = ""
    workspace_name: str = "local"
    home: Path | None = None
    endpoint: str | None = None


def find_workspace_file(start: Path, *, only: str | None = None) -> Path | None:
    """Find the file at *start* or above it, or give *start* itself when it is a file; None when there is none.

    Each place is searched all the way up before the next one: an ``.azureml`` folder far above goes before a
    ``config.json`` in *start*. Raises ConfigError when *start* does not exist.
    """
    start = start.absolute()
    if start.is_file():
        return start
    if not start.is_dir():
        raise ConfigError(f"Workspace.from_config: there is no file or folder {str(start)!r}.")
    places = [Path(folder) / name for folder in _FOLDERS for name in ((only,) if only else _NAMES)]
    return next(
        (found for place in places for folder in (start, *start.parents) if (found := folder / place).is_file()), None
    )


def read_workspace_file(path: Path) -> WorkspaceFile:
    """Read the file. Raises ConfigError naming it, and what it should say."""
    said = _object(path)
    scope = _SCOPE.fullmatch(str(said.get("Scope", "")))
    if scope:
        said = {**said, **scope.groupdict()}
    home, endpoint = _text(path, said, "home") or _text(path, said, "store"), _text(path, said, "endpoint")
    azure = {key: text for key in _AZURE_KEYS if (text := _text(path, said, key))}
    if not (home or endpoint or len(azure) == len(_AZURE_KEYS)):
        raise ConfigError(
            f'{path}: names no workspace. Write {{"endpoint": "http://HOST:4318"}}, or {{"home": "FOLDER"}}, or '
            f"Azure ML's keys {', '.join(_AZURE_KEYS)}."
        )
    if home and "://" in home:
        raise ConfigError(f"{path}: home {home!r} must be a folder; a store elsewhere is reached by an 'endpoint'.")
    # A folder is meant from where the file is: the same workspace wherever the script was started.
    return WorkspaceFile(**azure, home=path.parent / Path(home).expanduser() if home else None, endpoint=endpoint)


def write_workspace_file(path: Path, file: WorkspaceFile) -> None:
    """Write what `read_workspace_file` reads back."""
    said: dict[str, str] = {key: getattr(file, key) for key in _AZURE_KEYS if getattr(file, key)}
    if file.home is not None:
        said["home"] = str(file.home.absolute())
    if file.endpoint is not None:
        said["endpoint"] = file.endpoint
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=4) + "\n", encoding="utf-8")


def _object(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}.") from error
    if not isinstance(said, dict):
        raise ConfigError(f"{path}: must hold a JSON object, got {said!r}.")
    return said


def _text(path: Path, said: dict[str, Any], key: str) -> str | None:
    value = said.get(key)
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigError(f"{path}: {key!r} must be text, got {value!r}.")
