"""From the keys of operators to steps."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from runmill.collector.lines.entry import Entry
from runmill.collector.lines.expressions import parse_condition
from runmill.collector.lines.fields import MISSING, parse_field
from runmill.collector.lines.operators import (
    Change,
    Filter,
    Recombine,
    each,
    json_fields,
    parse_severity,
    parse_time,
    regex_fields,
)
from runmill.collector.lines.recipe import Step
from runmill.collector.receivers.operator_config import (
    AddConfig,
    FilterConfig,
    JsonParserConfig,
    MoveConfig,
    OperatorConfig,
    RecombineConfig,
    RegexParserConfig,
    RemoveConfig,
    SeverityConfig,
    TimeConfig,
)
from runmill.otlp import severity

__all__ = ["steps_of"]

Fields = Callable[[Any], Mapping[str, Any] | None]


def steps_of(operators: Sequence[OperatorConfig]) -> Iterator[Step]:
    """Yield what each operator does, in their order; not of `container`, which reads lines."""
    for operator in operators:
        if isinstance(operator, FilterConfig):
            yield Filter(parse_condition(operator.expr), operator.expr)
        elif isinstance(operator, RecombineConfig):
            yield _recombine(operator)
        else:
            yield from map(each, _changes(operator))


def _changes(operator: OperatorConfig) -> Iterator[Change]:
    if isinstance(operator, JsonParserConfig):
        yield from _parser(operator, json_fields)
    elif isinstance(operator, RegexParserConfig):
        yield from _parser(operator, partial(regex_fields, re.compile(operator.regex)))
    elif isinstance(operator, SeverityConfig):
        yield _severity(operator)
    elif isinstance(operator, TimeConfig):
        yield _time(operator)
    elif isinstance(operator, MoveConfig):
        yield _move(operator)
    elif isinstance(operator, AddConfig):
        yield partial(_add, operator)
    elif isinstance(operator, RemoveConfig):
        yield parse_field(operator.field).remove


def _parser(operator: JsonParserConfig | RegexParserConfig, fields: Fields) -> Iterator[Change]:
    source, target = parse_field(operator.parse_from), parse_field(operator.parse_to)

    def parse(entry: Entry) -> Entry:
        found = fields(source.get(entry))
        if found is None:
            return entry
        there = target.get(entry)
        return target.set(entry, {**(there if isinstance(there, Mapping) else {}), **found})

    yield parse
    if operator.timestamp is not None:
        yield _time(operator.timestamp)
    if operator.severity is not None:
        yield _severity(operator.severity)


def _severity(config: SeverityConfig) -> Change:
    source = parse_field(config.parse_from)
    mapping = {
        str(value).lower(): (severity.from_name(name) or 0, name.upper())
        for name, values in config.mapping.items()
        for value in (values if isinstance(values, list) else [values])
    }

    def parse(entry: Entry) -> Entry:
        found = parse_severity(source.get(entry), mapping)
        return entry if found is None else entry._replace(severity_number=found[0], severity_text=found[1])

    return parse


def _time(config: TimeConfig) -> Change:
    source = parse_field(config.parse_from)
    zone = ZoneInfo(config.location) if config.location else None

    def parse(entry: Entry) -> Entry:
        value = source.get(entry)
        found = None
        if value is not MISSING:
            found = parse_time(value, config.layout, is_epoch=config.layout_type == "epoch", zone=zone)
        return entry if found is None else entry._replace(time_unix_nano=found)

    return parse


def _move(config: MoveConfig) -> Change:
    source, target = parse_field(config.source), parse_field(config.to)

    def move(entry: Entry) -> Entry:
        value = source.get(entry)
        return entry if value is MISSING else target.set(source.remove(entry), value)

    return move


def _add(config: AddConfig, entry: Entry) -> Entry:
    return parse_field(config.field).set(entry, config.value)


def _recombine(config: RecombineConfig) -> Recombine:
    return Recombine(
        condition=parse_condition(config.is_first_entry or config.is_last_entry or ""),
        marks="first" if config.is_first_entry is not None else "last",
        field=parse_field(config.combine_field),
        separator=config.combine_with,
        keeps=config.overwrite_with,
        most_records=config.max_batch_size,
        most_unmatched=config.max_unmatched_batch_size or config.max_batch_size,
        most_bytes=config.max_log_size,
    )
