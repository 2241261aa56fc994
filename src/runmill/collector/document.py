"""YAML text to plain values, stricter than the parser: a key given twice is a mistake, not a silent choice."""

from collections.abc import Hashable
from typing import Any, Final

import yaml

from runmill.errors import ConfigError

__all__ = ["MOST_CHARACTERS", "from_text", "parse"]

MOST_CHARACTERS: Final = 2**20
"""Of a document; no configuration written by a person or a chart comes near."""

# Nine aliases of nine aliases of ... are a few lines of text and a billion values.
_MOST_VALUES: Final = 100_000


class _TooMuch(yaml.YAMLError):
    """The document holds more than any configuration does."""


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


def _load(text: str) -> Any:
    """Give what *text* says, unless it says too much. Raises YAMLError and RecursionError."""
    if len(text) > MOST_CHARACTERS:
        raise _TooMuch(f"it has {len(text)} characters, and {MOST_CHARACTERS} are the most that are read")
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _value_count(node, {}) > _MOST_VALUES:
            raise _TooMuch(f"its aliases stand for more than {_MOST_VALUES} values")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _value_count(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """Count the values that *node* stands for, each alias as often as it is used."""
    if node not in known:
        known[node] = 0  # an alias of itself is refused when it is made into a value
        below = [item for pair in node.value for item in pair] if isinstance(node, yaml.MappingNode) else node.value
        is_scalar = isinstance(node, yaml.ScalarNode)
        known[node] = 1 if is_scalar else 1 + sum(_value_count(each, known) for each in below)
    return known[node]


def parse(text: str, *, source: str) -> dict[str, object]:
    """Give the top-level mapping of *text*.

    Raises:
        ConfigError: not YAML, with the line, or no mapping.
    """
    try:
        found = _load(text)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_explain(error, source)) from error
    except _TooMuch as error:
        raise ConfigError(f"{source}: {error}. Write only what the collector is to do.") from error
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
        value = _load(text)
    except (yaml.YAMLError, RecursionError):
        return text
    return value if value is None or isinstance(value, str | list | dict) else text


def _explain(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{source}: line {mark.line + 1}, column {mark.column + 1}" if mark else source
    context = f" ({error.context})" if error.context else ""
    return f"{where}: {error.problem}{context}. Correct the line; indent with spaces, never with tabs."
