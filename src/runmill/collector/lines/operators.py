"""What a configuration may do with records, one after the other: read fields out of them, move, add, remove, drop.

A record that an operator cannot read goes on as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, Literal

from runmill.collector.lines.entry import Drop, Entry, Gathered, Lines, entry_of
from runmill.collector.lines.expressions import Condition
from runmill.collector.lines.fields import MISSING, Field
from runmill.collector.lines.json_objects import read_object
from runmill.collector.lines.timestamps import fitting, from_iso
from runmill.otlp import severity

__all__ = ["Change", "Filter", "Recombine", "each", "json_fields", "parse_severity", "parse_time", "regex_fields"]

Change = Callable[[Entry], Entry]

_SECOND: Final = 1_000_000_000
_EPOCH_UNITS: Final = {"s": _SECOND, "ms": 10**6, "us": 10**3, "ns": 1}


def each(change: Change) -> Callable[[Lines, bool], Lines]:
    """Make a step that changes every record by itself."""

    def step(found: Lines, _is_final: bool) -> Lines:  # noqa: FBT001 - a Step
        return Lines([change(entry_of(one)) for one in found.entries])

    return step


def json_fields(value: Any) -> Mapping[str, Any] | None:
    """Give the object that *value*, text, is in JSON."""
    return read_object(value.encode(errors="replace")) if isinstance(value, str) else None


def regex_fields(pattern: re.Pattern[str], value: Any) -> Mapping[str, Any] | None:
    """Give the named groups of a pattern that *value*, text, matches; groups that took part only."""
    found = pattern.search(value) if isinstance(value, str) else None
    return None if found is None else {key: text for key, text in found.groupdict().items() if text is not None}


def parse_severity(value: Any, mapping: Mapping[str, tuple[int, str]]) -> tuple[int, str] | None:
    """Give severity number and text of *value*: what *mapping* says of it, else what its name says."""
    text = str(value)
    if (known := mapping.get(text.lower())) is not None:
        return known
    number = severity.from_name(text) if isinstance(value, str) else None
    return None if number is None else (number, text)


def parse_time(value: Any, layout: str, *, is_epoch: bool, zone: tzinfo | None) -> int | None:
    """Give nanoseconds since the epoch of *value* by a layout of `strptime`, or as so many seconds, ms, us or ns."""
    try:
        if is_epoch:
            whole, _, fraction = str(value).partition(".")
            unit = _EPOCH_UNITS[layout.partition(".")[0]]
            return fitting(int(whole) * unit + (int(fraction.ljust(9, "0")[:9]) * unit // _SECOND if fraction else 0))
        if layout == "iso":
            return from_iso(str(value))
        moment = datetime.strptime(str(value), layout)  # noqa: DTZ007 - the zone is set below where it is not told
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
        seconds = moment.replace(microsecond=0).timestamp()
    except (ValueError, OverflowError):
        return None
    return fitting(int(seconds) * _SECOND + moment.microsecond * 1000)


@dataclass(frozen=True, slots=True)
class Filter:
    """Drops the records for which a condition holds."""

    condition: Condition
    rule: str
    """The condition as it is written."""

    def __call__(self, found: Lines, _is_final: bool) -> Lines:  # noqa: FBT001 - a Step
        """Drop what is to be dropped."""
        kept, drops = list[Gathered](), list[Drop]()
        for one in found.entries:
            entry = entry_of(one)
            if self.condition(entry):
                drops.append(Drop(self.rule, entry.body))
            else:
                kept.append(one)
        return Lines(kept, drops=drops)


@dataclass(frozen=True, slots=True)
class Recombine:
    """Joins records that were one: from a first one on, or up to a last one; each stream by itself."""

    condition: Condition
    marks: Literal["first", "last"]
    field: Field
    separator: str
    keeps: Literal["newest", "oldest"]
    """Whose other fields the joined record has."""
    most_records: int
    most_unmatched: int
    """While the condition held for none."""
    most_bytes: int
    """0: no limit."""

    def __call__(self, found: Lines, is_final: bool) -> Lines:  # noqa: FBT001 - a Step
        """Join what belongs together; unless *is_final*, what may go on is held."""
        joined, opened = list[Gathered](), dict[str | None, list[Entry]]()
        for entry in map(entry_of, found.entries):
            group = opened.setdefault(entry.stream, [])
            is_mark = self.condition(entry)
            if group and ((is_mark and self.marks == "first") or self._is_full(group)):
                joined.append(self._join(group))
                group.clear()
            group.append(entry)
            if is_mark and self.marks == "last":
                joined.append(self._join(group))
                group.clear()
        groups = [group for group in opened.values() if group]
        if is_final:
            return Lines([*joined, *map(self._join, groups)])
        return Lines(joined, min((group[0].first for group in groups), default=None))

    def _is_full(self, group: list[Entry]) -> bool:
        if len(group) >= self.most_records or (len(group) >= self.most_unmatched and not self._is_matched(group)):
            return True
        return 0 < self.most_bytes <= sum(len(self._text(entry)) for entry in group)

    def _is_matched(self, group: list[Entry]) -> bool:
        return self.marks == "first" and self.condition(group[0])

    def _text(self, entry: Entry) -> str:
        value = self.field.get(entry)
        return "" if value is MISSING else str(value)

    def _join(self, group: list[Entry]) -> Entry:
        kept = group[-1] if self.keeps == "newest" else group[0]
        text = self.separator.join(map(self._text, group))
        return self.field.set(kept, text)._replace(first=group[0].first, last=max(entry.last for entry in group))
