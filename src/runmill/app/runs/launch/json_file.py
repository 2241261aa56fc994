"""What a user saves of a configuration: one JSON file, which is YAML too, whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runmill.errors import ConfigError, NotFound

__all__ = ["read_json_file", "section", "write_json_file"]


def write_json_file(path: Path, content: Mapping[str, Any]) -> None:
    """Write *content*, in folders made for it, in place of what is there. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
    draft.replace(path)


def read_json_file(path: Path) -> dict[str, Any]:
    """Read what `write_json_file` wrote. Raises NotFound, and ConfigError for a file that is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {str(path)!r}.") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}. Save it again with runmill.") from error
    return section({"": content}, "", path)


def section(content: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    """Give the object under *key*, empty where there is none. Raises ConfigError where something else stands there."""
    found = content.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {key or 'the file'} must be a JSON object, got {found!r}.")
    return found
