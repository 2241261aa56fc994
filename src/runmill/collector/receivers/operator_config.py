"""What the YAML says of operators: what is done with the records of a receiver.

Source: OpenTelemetry Collector, pkg/stanza/docs/operators.
"""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from runmill.collector.lines.expressions import parse_condition
from runmill.collector.lines.fields import parse_field
from runmill.collector.values import Section, Size
from runmill.otlp import severity

__all__ = [
    "AddConfig",
    "ContainerConfig",
    "FilterConfig",
    "JsonParserConfig",
    "MoveConfig",
    "OperatorConfig",
    "Pattern",
    "RecombineConfig",
    "RegexParserConfig",
    "RemoveConfig",
    "SeverityConfig",
    "SeverityParserConfig",
    "TimeConfig",
    "TimeParserConfig",
]


def _check_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


def _check_field(value: str) -> str:
    parse_field(value)
    return value


def _check_condition(value: str) -> str:
    parse_condition(value)
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{value!r} is no time zone. Write for example UTC or Europe/Vienna") from None
    return value


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""A regular expression, in Python's notation."""
FieldName = Annotated[str, AfterValidator(_check_field)]
"""A place in a record: `body`, `body.KEY`, `attributes.KEY`, `attributes["KEY"]`, `resource.KEY`."""
ConditionText = Annotated[str, AfterValidator(_check_condition)]
"""A condition, such as `body matches "^ERROR" and attributes.user != "root"`."""


class OperatorSection(Section):
    """What all operators have."""

    not_here: ClassVar[Mapping[str, str]] = {
        "if": "an operator is for every record; one that does not match goes on as it is. Remove it",
        "on_error": "a record that an operator cannot read goes on as it is. Remove it",
        "output": "operators work in their order, each on what the one before gave. Remove it",
    }

    id: str | None = None
    """A name for the operator; it has no effect."""


class ContainerConfig(OperatorSection):
    """Takes off what a container engine put around each line, and joins the lines it cut."""

    type: Literal["container"]
    format: Literal["auto", "docker", "crio", "containerd"] = "auto"
    """What wrote the files; `auto` tells by each line."""
    add_metadata_from_filepath: bool = True
    """Read pod, namespace, container and restart from paths such as `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log`
    into the resource; a path of another form adds nothing."""
    max_log_size: Size = 10 * 2**20
    """A joined line that is longer is cut into several records."""


class SeverityConfig(Section):
    """Reads the severity from a field."""

    parse_from: FieldName
    """Where its name is; a known name (`warn`, `ERROR`, ...) needs no mapping."""
    mapping: dict[str, str | int | list[str | int]] = Field(default_factory=dict)
    """Values of the field by the severity they mean: `{error: [E, 500], info: I}`."""

    @model_validator(mode="after")
    def _check(self) -> "SeverityConfig":
        for name in self.mapping:
            if severity.from_name(name) is None:
                raise ValueError(f"mapping: {name!r} is no severity. Write trace, debug, info, warn, error or fatal")
        return self


class TimeConfig(Section):
    """Reads the time from a field."""

    parse_from: FieldName
    """Where it is."""
    layout: str = "iso"
    """Of `strptime` in Python's notation, such as `%d/%b/%Y:%H:%M:%S %z`; `iso` for dates as ISO 8601 has them; with
    `layout_type: epoch` one of s, ms, us, ns."""
    layout_type: Literal["strptime", "epoch"] = "strptime"
    """What the layout is."""
    location: Annotated[str, AfterValidator(_check_zone)] | None = None
    """The time zone of times that name none; by default the collector's."""

    @model_validator(mode="after")
    def _check(self) -> "TimeConfig":
        if self.layout_type == "epoch" and self.layout.partition(".")[0] not in ("s", "ms", "us", "ns"):
            raise ValueError(f"layout: {self.layout!r} is no unit of an epoch. Write s, ms, us or ns")
        return self


class SeverityParserConfig(OperatorSection, SeverityConfig):
    """Sets the severity from a field, which stays."""

    type: Literal["severity_parser"]


class TimeParserConfig(OperatorSection, TimeConfig):
    """Sets the time from a field, which stays."""

    type: Literal["time_parser"]


class ParserSection(OperatorSection):
    """Reads several fields out of one."""

    parse_from: FieldName = "body"
    """What to read."""
    parse_to: FieldName = "attributes"
    """Where the fields go; those that are there already stay, unless one has the same name."""
    timestamp: TimeConfig | None = None
    """Read the time from one of the fields, as time_parser does."""
    severity: SeverityConfig | None = None
    """Read the severity from one of them, as severity_parser does."""


class JsonParserConfig(ParserSection):
    """Reads a JSON object. A record that holds none goes on as it is."""

    type: Literal["json_parser"]


class RegexParserConfig(ParserSection):
    """Reads the named groups of a regular expression. A record that does not match goes on as it is."""

    type: Literal["regex_parser"]
    regex: Pattern
    """With named groups: `(?P<name>...)`."""

    @model_validator(mode="after")
    def _check(self) -> "RegexParserConfig":
        if not re.compile(self.regex).groupindex:
            raise ValueError(f"regex: {self.regex!r} names no group. Name what is to be read: (?P<name>...)")
        return self


class RecombineConfig(OperatorSection):
    """Joins records that were one. Exactly one of the two conditions must be given. Streams are never mixed."""

    not_here: ClassVar = {
        **OperatorSection.not_here,
        "force_flush_period": "the receiver's own force_flush_period is for joined records, too. Set that one",
    }

    type: Literal["recombine"]
    combine_field: FieldName
    """The field whose texts are joined."""
    is_first_entry: ConditionText | None = None
    """Holds for a record that begins a joined one."""
    is_last_entry: ConditionText | None = None
    """Holds for a record that ends one."""
    combine_with: str = "\n"
    """What is put between the texts."""
    overwrite_with: Literal["newest", "oldest"] = "newest"
    """Whose other fields the joined record has."""
    max_batch_size: int = Field(default=1000, ge=1)
    """No more records are joined to one."""
    max_unmatched_batch_size: int = Field(default=100, ge=0)
    """No more are joined while the condition held for none of them; 0: as many as `max_batch_size`."""
    source_identifier: Literal[
        'attributes["log.file.path"]',
        'attributes["log.file.name"]',
        'attributes["file.path"]',
        'attributes["file.name"]',
    ] = 'attributes["log.file.path"]'
    """Taken from configurations of the OpenTelemetry Collector: each stream of each file is by itself, always."""
    max_sources: int = Field(default=1000, ge=1)
    """Taken from these, too: there may be as many as there are files."""
    max_log_size: Size = 0
    """A joined text that reaches this is taken as it is; 0: no limit but that of the receiver."""

    @model_validator(mode="after")
    def _check(self) -> "RecombineConfig":
        if (self.is_first_entry is None) == (self.is_last_entry is None):
            raise ValueError("give one of is_first_entry and is_last_entry, not both and not neither")
        return self


class MoveConfig(OperatorSection):
    """Moves a value; nothing happens to a record that has none there."""

    type: Literal["move"]
    source: FieldName = Field(alias="from")
    """Where it is."""
    to: FieldName
    """Where it goes; what is there is replaced."""


class AddConfig(OperatorSection):
    """Sets a field to a value."""

    type: Literal["add"]
    field: FieldName
    """Where it goes; what is there is replaced."""
    value: str | bool | int | float | list[str]
    """The value; expressions (`EXPR(...)`) are not taken."""

    @model_validator(mode="after")
    def _check(self) -> "AddConfig":
        if isinstance(self.value, str) and self.value.startswith("EXPR("):
            raise ValueError(f"value: {self.value!r} is an expression, and these are not taken here. Write the value")
        return self


class RemoveConfig(OperatorSection):
    """Removes a field; nothing happens to a record that has none."""

    type: Literal["remove"]
    field: FieldName
    """What to remove."""


class FilterConfig(OperatorSection):
    """Drops the records for which a condition holds; they are counted."""

    type: Literal["filter"]
    expr: ConditionText
    """The condition."""


OperatorConfig = Annotated[
    ContainerConfig
    | JsonParserConfig
    | RegexParserConfig
    | SeverityParserConfig
    | TimeParserConfig
    | RecombineConfig
    | MoveConfig
    | AddConfig
    | RemoveConfig
    | FilterConfig,
    Field(discriminator="type"),
]
