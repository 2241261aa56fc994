"""The collector's YAML, read and checked: every mistake at once, each with its path and what to do about it."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, cast, get_args

from pydantic import Field, ValidationError

from runmill.collector import extensions, problems
from runmill.collector.catalog import (
    CATALOG,
    ComponentKind,
    ExporterConfig,
    ProcessorConfig,
    ReceiverConfig,
)
from runmill.collector.component import SIGNALS, Signal
from runmill.collector.document import MOST_CHARACTERS, from_text, parse
from runmill.collector.expand import Expander
from runmill.collector.metadata_use import lacking_metadata
from runmill.collector.telemetry_config import TelemetryConfig
from runmill.collector.values import Section
from runmill.errors import ConfigError

__all__ = ["DEFAULT_FILE", "Config", "Pipeline", "load", "loads"]

DEFAULT_FILE: Final = Path(__file__).with_name("collector-config.yaml")
"""The pipeline that runs when no other is given."""

_KINDS: Final[tuple[ComponentKind, ...]] = get_args(ComponentKind)
_COMPONENT_ID: Final = re.compile(r"[a-z][a-z0-9_]*(/[^/\s]+)?")
_SECTIONS: Final = (*_KINDS, "service")
_FOREIGN_SECTIONS: Final = ("connectors", "extensions")  # of the OpenTelemetry Collector; none exist here
_NO_CONNECTORS: Final = (
    "connectors: are not taken here: name the same receiver in several pipelines, or the same exporter. Remove it."
)


class PipelineConfig(Section):
    """One pipeline: data goes from its receivers through its processors, in their order, to all its exporters."""

    receivers: list[str]
    processors: list[str] = Field(default_factory=list)
    exporters: list[str]


class ServiceConfig(Section):
    """Which components work together."""

    not_here: ClassVar = {"extensions": "there are none. Remove it"}

    pipelines: dict[str, object]
    telemetry: TelemetryConfig = TelemetryConfig()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline whose components are all configured."""

    pipeline_id: str
    signal: Signal
    receivers: tuple[str, ...]
    processors: tuple[str, ...]
    exporters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration without a mistake; components by their id."""

    source: str
    receivers: Mapping[str, ReceiverConfig]
    processors: Mapping[str, ProcessorConfig]
    exporters: Mapping[str, ExporterConfig]
    pipelines: tuple[Pipeline, ...]
    telemetry: TelemetryConfig = field(default_factory=TelemetryConfig)
    """What the collector says of itself, and where."""
    warnings: tuple[str, ...] = ()
    """What is worth a look, such as a variable that is not set; one line each."""


def load(
    path: str | os.PathLike[str],
    *more: str | os.PathLike[str],
    overrides: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Read the configuration file at *path*, with *more* merged into it; see `loads`.

    Mappings are merged, key by key; of anything else, lists too, the later file's replaces the earlier one's.
    """
    document = dict[str, object]()
    for each in (path, *more):
        document = _merged(document, parse(_read(each), source=str(each)))
    source = ", ".join(str(each) for each in (path, *more))
    return _checked(document, source=source, overrides=overrides, environment=environment)


def loads(
    text: str,
    *,
    source: str = "configuration",
    overrides: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Read a configuration from YAML text.

    Args:
        text: The YAML.
        source: What mistakes name as their place.
        overrides: Values that replace the file's, by their path: ``receivers.otlp.protocols.http.endpoint``.
        environment: Where ``${env:NAME}`` is looked up; the process's by default.

    Raises:
        ConfigError: with every mistake, one a line.
    """
    return _checked(parse(text, source=source), source=source, overrides=overrides, environment=environment)


def _read(path: str | os.PathLike[str]) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.read(MOST_CHARACTERS + 1)  # `parse` refuses what is longer; the rest is not waited for
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}. Give the path of a YAML file.") from error


def _merged(earlier: dict[str, object], later: Mapping[str, object]) -> dict[str, object]:
    """Give *earlier* with *later* merged in."""
    merged = dict(earlier)
    for key, value in later.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _checked(
    document: dict[str, object],
    *,
    source: str,
    overrides: Mapping[str, str] | None,
    environment: Mapping[str, str] | None,
) -> Config:
    reading = _Reading(document)
    reading.override(overrides or {})
    reading.expand(os.environ if environment is None else environment)
    config = reading.config(source)
    if reading.problems:
        # A variable that is not set is often why something is missing.
        raise ConfigError("\n".join(f"{source}: {one}" for one in (*reading.problems, *reading.warnings)))
    return config


@dataclass(slots=True)
class _Reading:
    """A document on its way to a Config, and what was found wrong so far."""

    document: dict[str, object]
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def override(self, overrides: Mapping[str, str]) -> None:
        for path, value in overrides.items():
            *parents, last = path.split(".")
            place = self.document
            for key in parents:
                below = place.get(key)
                # A key without a value is an empty mapping, and what is no mapping makes way, as in a merge.
                place[key] = place = below if isinstance(below, dict) else {}
            place[last] = from_text(value)

    def expand(self, environment: Mapping[str, str]) -> None:
        expander = Expander(environment)
        expanded = expander.expand(self.document)
        self.document = expanded if isinstance(expanded, dict) else {}
        self.problems += expander.problems
        self.warnings += expander.warnings

    def config(self, source: str) -> Config:
        self._check_sections()
        # The catalog says which class the settings of a kind are of; pydantic made them so.
        receivers = cast("Mapping[str, ReceiverConfig]", self._components("receivers"))
        processors = cast("Mapping[str, ProcessorConfig]", self._components("processors"))
        exporters = cast("Mapping[str, ExporterConfig]", self._components("exporters"))
        service = self._section(ServiceConfig, self.document.get("service"), "service")
        if not isinstance(service, ServiceConfig):
            # Refused already; what is wrong with its pipelines is told at once with it.
            given = self._mapping_or_empty("service").get("pipelines")
            pipelines = tuple(self._pipelines(given)) if isinstance(given, dict) else ()
            return Config(source, receivers, processors, exporters, pipelines)
        pipelines = tuple(self._pipelines(service.pipelines))
        warnings = (*self.warnings, *lacking_metadata(receivers, processors, exporters))
        return Config(source, receivers, processors, exporters, pipelines, service.telemetry, warnings)

    def _check_sections(self) -> None:
        for name in self.document:
            if name not in _SECTIONS and name not in _FOREIGN_SECTIONS:
                hint = problems.did_you_mean(name, _SECTIONS)
                self.problems.append(
                    f"{name}: unknown section (known: {', '.join(_SECTIONS)}).{hint} Correct or remove it."
                )
        self.problems += [_NO_CONNECTORS] if self.document.get("connectors") else []
        self.problems += extensions.refusals(self.document.get("extensions"))

    def _mapping(self, name: str) -> Mapping[str, object]:
        found = self.document.get(name) or {}
        if isinstance(found, Mapping):
            return {str(key): value for key, value in found.items()}
        self.problems.append(f"{name}: {found!r} cannot be taken: it must be a mapping of keys to values.")
        return {}

    def _components(self, kind: ComponentKind) -> dict[str, Section]:
        made = {}
        for component_id, found in self._mapping(kind).items():
            known = CATALOG[kind].get(component_id.partition("/")[0])
            if known is None or not _COMPONENT_ID.fullmatch(component_id):
                self.problems.append(f"{kind}.{component_id}: {_unknown_component(kind, component_id)}")
            elif (section := self._section(known.config, found, f"{kind}.{component_id}")) is not None:
                made[component_id] = section
        return made

    def _section(self, section: type[Section], found: object, path: str) -> Section | None:
        try:
            return section.model_validate(found)
        except ValidationError as error:
            self.problems += problems.explain(error, section=section, path=path)
            return None

    def _pipelines(self, given: Mapping[str, object]) -> Iterator[Pipeline]:
        if not given:
            self.problems.append("service.pipelines: is empty. Add one, such as 'logs:' with receivers and exporters.")
        for pipeline_id, found in given.items():
            path = f"service.pipelines.{pipeline_id}"
            settings = self._section(PipelineConfig, found, path)
            if isinstance(settings, PipelineConfig):
                yield from self._pipeline(str(pipeline_id), settings, path)

    def _pipeline(self, pipeline_id: str, settings: PipelineConfig, path: str) -> Iterator[Pipeline]:
        signal = next((signal for signal in SIGNALS if signal == pipeline_id.partition("/")[0]), None)
        if signal is None:
            self.problems.append(
                f"{path}: {pipeline_id!r} names no signal. Call it one of {', '.join(SIGNALS)}, "
                "with '/name' behind it when there are several."
            )
            return
        used = {"receivers": settings.receivers, "processors": settings.processors, "exporters": settings.exporters}
        for kind in _KINDS:
            self.problems += self._misused(kind, used[kind], signal, path)
        yield Pipeline(
            pipeline_id, signal, tuple(settings.receivers), tuple(settings.processors), tuple(settings.exporters)
        )

    def _misused(self, kind: ComponentKind, used: list[str], signal: Signal, path: str) -> Iterator[str]:
        configured = sorted(self._mapping_or_empty(kind))
        if not used and kind != "processors":
            yield f"{path}.{kind}: is empty. Name at least one of: {', '.join(configured) or 'none is configured'}."
        for position, name in enumerate(used):
            if name in used[:position]:
                yield f"{path}: {kind[:-1]} {name!r} is named twice. Remove one."
            elif name not in configured:
                yield (
                    f"{path}: {kind[:-1]} {name!r} is not configured (configured: {', '.join(configured) or 'none'})."
                    f"{problems.did_you_mean(name, configured)} Add it under '{kind}:' or remove it here."
                )
            else:
                yield from _wrong_signal(kind, name, signal, path)

    def _mapping_or_empty(self, name: str) -> Mapping[str, object]:
        found = self.document.get(name)
        return found if isinstance(found, dict) else {}


def _unknown_component(kind: ComponentKind, component_id: str) -> str:
    name = component_id.partition("/")[0]
    known = CATALOG[kind]
    if name in known:
        return f"{component_id!r} is no id. Write {name!r}, or '{name}/NAME' where there are several."
    return (
        f"{name!r} is no {kind[:-1]} of this version (known: {', '.join(sorted(known))})."
        f"{problems.did_you_mean(name, known)} Correct or remove it."
    )


def _wrong_signal(kind: ComponentKind, component_id: str, signal: Signal, path: str) -> Iterator[str]:
    known = CATALOG[kind].get(component_id.partition("/")[0])
    if known is not None and signal not in known.signals:
        yield (
            f"{path}: {kind[:-1]} {component_id!r} takes {' and '.join(known.signals)}, not {signal}. "
            "Remove it here, or name another."
        )
