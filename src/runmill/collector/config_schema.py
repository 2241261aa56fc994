"""The configuration as a JSON schema, for editors: every key with its description, from the classes that read it.

A schema is a help while writing; what is right is said by reading. So it takes what an expansion may stand for
(``${env:NAME}`` in the place of a number), and leaves to the reader what only he can know, such as two ids that differ.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pydantic.json_schema import models_json_schema

from runmill.collector.catalog import CATALOG, ComponentKind
from runmill.collector.component import SIGNALS
from runmill.collector.config import PipelineConfig, ServiceConfig
from runmill.collector.values import DURATION_SCHEMA, Section

__all__ = ["config_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLACE: Final = "#/$defs/{model}"
_EXPANSION: Final = {"type": "string", "pattern": r"\$\{"}
_EMPTY: Final = {"description": "Nothing of this kind exists here.", "type": ["object", "null"], "maxProperties": 0}
_KINDS: Final[tuple[ComponentKind, ...]] = get_args(ComponentKind)
_ABOUT: Final = {
    "receivers": "Where data comes in.",
    "processors": "What happens to data on its way.",
    "exporters": "Where data goes.",
}


def config_schema() -> dict[str, Any]:
    """Give the schema of a whole configuration file."""
    sections: set[type[Section]] = {PipelineConfig, ServiceConfig}
    sections |= {known.config for components in CATALOG.values() for known in components.values()}
    models: list[tuple[type[Section], Literal["validation"]]] = [(section, "validation") for section in sections]
    places, found = models_json_schema(models, ref_template=_PLACE)
    definitions = found["$defs"]
    for definition in definitions.values():
        _open_to_expansions(definition)
    pipelines = "|".join(SIGNALS)
    definitions["ServiceConfig"]["properties"]["pipelines"] = {
        "description": "Which components work together, one pipeline a kind of data.",
        "type": "object",
        "patternProperties": {f"^({pipelines})(/.+)?$": places[PipelineConfig, "validation"]},
        "additionalProperties": False,
    }
    kinds = {kind: _components(kind, places) for kind in _KINDS}
    return {
        "$schema": _DIALECT,
        "title": "runmill collector configuration",
        "type": "object",
        "properties": {
            **kinds,
            "connectors": _EMPTY,
            "extensions": _EMPTY,
            "service": places[ServiceConfig, "validation"],
        },
        "required": ["service"],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _components(kind: ComponentKind, places: Mapping[Any, Any]) -> dict[str, Any]:
    """Give the schema of a section: ids, which are a type or ``type/name``, and what stands behind each."""
    return {
        "description": _ABOUT[kind],
        "type": ["object", "null"],
        "patternProperties": {
            f"^{name}(/.+)?$": {"anyOf": [places[known.config, "validation"], {"type": "null"}]}
            for name, known in CATALOG[kind].items()
        },
        "additionalProperties": False,
    }


def _open_to_expansions(definition: dict[str, Any]) -> None:
    """Let each key of a section be empty, which means its default, or a reference to a variable."""
    for name, key in definition.get("properties", {}).items():
        key.pop("title", None)
        shown = {word: key.pop(word) for word in ("description", "default") if word in key}
        if key == DURATION_SCHEMA:
            shown.pop("default", None)  # seconds, which is not how it is written
        definition["properties"][name] = shown | {"anyOf": [key, _EXPANSION, {"type": "null"}]}
