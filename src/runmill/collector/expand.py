"""``${env:NAME}`` and ``${file:PATH}`` in the values of the YAML, replaced before anything is checked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runmill.collector.document import from_text

__all__ = ["Expander"]

_REFERENCE: Final = re.compile(r"\$\$|\$\{(?P<reference>[^{}]*)\}")
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(slots=True)
class Expander:
    """Replaces references in a parsed YAML document, and keeps what was wrong with them.

    Source: OpenTelemetry Collector, confmap, environment variable expansion.
    """

    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def expand(self, node: object, path: str = "") -> object:
        """Give *node* with every reference in its values replaced; keys stay as they are."""
        if isinstance(node, dict):
            return {key: self.expand(value, f"{path}.{key}" if path else str(key)) for key, value in node.items()}
        if isinstance(node, list):
            return [self.expand(item, f"{path}.{position}") for position, item in enumerate(node)]
        return self._expand_text(node, path) if isinstance(node, str) and "$" in node else node

    def _expand_text(self, text: str, path: str) -> object:
        whole = _REFERENCE.fullmatch(text)
        if whole and whole["reference"] is not None:
            return from_text(self._look_up(whole["reference"], path))
        return _REFERENCE.sub(self._replacement(path), text)

    def _replacement(self, path: str) -> Callable[[re.Match[str]], str]:
        return lambda match: "$" if match["reference"] is None else self._look_up(match["reference"], path)

    def _look_up(self, reference: str, path: str) -> str:
        scheme, colon, rest = reference.partition(":")
        if not colon or rest.startswith("-"):  # ${NAME} and ${NAME:-default} are the environment too
            scheme, rest = "env", reference
        if scheme == "env":
            return self._variable(rest, path)
        if scheme == "file":
            return self._file(rest, path)
        if scheme == "yaml":
            return rest
        self.problems.append(
            f"{path}: '${{{reference}}}' cannot be expanded: of '${{scheme:...}}' only env, file and yaml are known. "
            "Write ${env:NAME}, ${file:PATH}, or the value itself."
        )
        return ""

    def _variable(self, reference: str, path: str) -> str:
        name, _, default = reference.partition(":-")
        if not _NAME.fullmatch(name):
            self.problems.append(
                f"{path}: {name!r} in '${{env:{reference}}}' is no name of a variable. "
                "Write ${env:NAME} or ${env:NAME:-default}, or $$ for a dollar sign."
            )
        elif name in self.environment:
            return self.environment[name]
        elif ":-" not in reference:
            self.warnings.append(
                f"{path}: the variable {name} is not set, so its value is empty. "
                f"Set it, or give a default: ${{env:{name}:-default}}."
            )
        return default

    def _file(self, name: str, path: str) -> str:
        """Give what a file holds, such as a secret that is mounted; references in it are left as they are."""
        try:
            return Path(name).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{path}: '${{file:{name}}}' cannot be read: {error}. Give the path of a text file.")
            return ""
