"""YAML text to plain values, stricter than the parser: a key given twice is a mistake, not a silent choice."""

from collections.abc import Hashable
from typing import Any

import yaml

from runmill.errors import ConfigError

__all__ = ["from_text", "parse"]


class _StrictLoader(yaml.SafeLoader):
    """Refuses a mapping that has the same key twice, and an alias within what it stands for."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        if node in self.recursive_objects:
            raise yaml.constructor.ConstructorError(None, None, "holds an alias of itself", node.start_mark)
        # Deep: what is made is whole, so a node that is met while it is being made holds itself.
        return super().construct_object(node, deep=True)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set[str]()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is given twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def parse(text: str, *, source: str) -> dict[str, object]:
    """Give the top-level mapping of *text*.

    Raises:
        ConfigError: not YAML, with the line, or no mapping.
    """
    try:
        found = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_explain(error, source)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: is not YAML: {error}. Save it as UTF-8 text.") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: is nested too deeply. Write it with fewer brackets in each other.") from error
    if not isinstance(found, dict):
        raise ConfigError(
            f"{source}: holds {'nothing' if found is None else repr(found)[:60]}, not a mapping. "
            "Write the sections 'receivers:', 'exporters:' and 'service:'."
        )
    return {str(key): value for key, value in found.items()}


def from_text(text: str) -> object:
    """Read a value that came as text (a variable, an override) as YAML: ``[a, b]`` is a list, nothing is null.

    Numbers stay text: the field that takes it knows whether ``8`` is a number or a name, and ``0123`` stays ``0123``.
    """
    try:
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError):
        return text
    return value if value is None or isinstance(value, str | list | dict) else text


def _explain(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{source}: line {mark.line + 1}, column {mark.column + 1}" if mark else source
    context = f" ({error.context})" if error.context else ""
    return f"{where}: {error.problem}{context}. Correct the line; indent with spaces, never with tabs."
