"""Entries of the systemd journal, as journalctl prints them, to log records.

Source: systemd, JOURNAL_EXPORT_FORMATS (JSON) and systemd.journal-fields; OTel logs data model, Appendix B (syslog).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import orjson

from runmill.collector.lines.container import join
from runmill.collector.lines.entry import Entry, Lines, entry_of
from runmill.collector.lines.settling import settle
from runmill.collector.lines.understanding import understand
from runmill.collector.receivers.journald_config import JournaldConfig
from runmill.model import Severity
from runmill.otlp import runs

__all__ = ["JournalReading", "read_entries"]

_SEVERITIES: Final = {
    "0": (Severity.FATAL, "emerg"),
    "1": (Severity.ERROR + 2, "alert"),
    "2": (Severity.ERROR + 1, "crit"),
    "3": (Severity.ERROR, "err"),
    "4": (Severity.WARN, "warning"),
    "5": (Severity.INFO + 1, "notice"),
    "6": (Severity.INFO, "info"),
    "7": (Severity.DEBUG, "debug"),
}
_STREAMS: Final = {"6": "stdout", "3": "stderr"}
"""By the priority that container engines give what is printed on each."""

_RESOURCE: Final = {
    "_HOSTNAME": "host.name",
    "_SYSTEMD_UNIT": "systemd.unit",
    "_SYSTEMD_USER_UNIT": "systemd.unit",
    "CONTAINER_ID_FULL": "container.id",
    "CONTAINER_NAME": "container.name",
    "IMAGE_NAME": "container.image.name",
    "AZUREML_RUN_ID": runs.RUN_ID,
    "RUNMILL_RUN_ID": runs.RUN_ID,
    "RUNMILL_EXPERIMENT": runs.EXPERIMENT,
    "RUNMILL_PARENT_RUN_ID": runs.PARENT_ID,
}
"""The last of several names of one attribute counts most. A unit's LogExtraFields=, and labels and variables that a
container engine's log driver is told to add, are fields of these names."""
_ATTRIBUTES: Final = {"CODE_FILE": "code.file.path", "CODE_FUNC": "code.function.name", "THREAD_NAME": "thread.name"}
_NUMBERS: Final = {"_PID": "process.pid", "CODE_LINE": "code.line.number"}
_TOLD: Final = frozenset({
    *_RESOURCE, *_ATTRIBUTES, *_NUMBERS, "MESSAGE", "PRIORITY", "LOGGER", "SYSLOG_IDENTIFIER", "CONTAINER_ID",
    "CONTAINER_PARTIAL_MESSAGE", "SYSLOG_TIMESTAMP",
})  # fmt: skip


class JournalReading(NamedTuple):
    """What lines of journalctl were found to be."""

    entries: "list[Entry]"
    consumed: int
    """How many bytes they are; the rest is to be read again with what follows."""
    cursor: str
    """Of the last entry that was consumed; empty where none was."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry of the journal."""

    fields: Mapping[str, Any]

    @property
    def is_container(self) -> bool:
        return "CONTAINER_ID" in self.fields

    @property
    def is_printed(self) -> bool:
        """Whether it is a line of output: of a container, or of a service's standard output."""
        return self.is_container or self.fields.get("_TRANSPORT") == "stdout"

    @property
    def stream(self) -> str | None:
        return _STREAMS.get(self.text("PRIORITY")) if self.is_container else None

    @property
    def source(self) -> str:
        """Whose lines belong together."""
        names = ("CONTAINER_ID_FULL", "_STREAM_ID", "_MACHINE_ID", "_PID")
        return "\0".join([self.stream or "", *map(self.text, names)])

    @property
    def time_unix_nano(self) -> int:
        return 1000 * int(self.text("_SOURCE_REALTIME_TIMESTAMP") or self.text("__REALTIME_TIMESTAMP") or 0)

    @property
    def message(self) -> bytes:
        """The message in UTF-8; a log driver may leave the newline at its end."""
        found = self.fields.get("MESSAGE")
        if isinstance(found, list) and all(isinstance(byte, int) for byte in found):
            return bytes(found).decode(errors="replace").encode().removesuffix(b"\n")
        return self.text("MESSAGE").encode().removesuffix(b"\n")

    def text(self, name: str) -> str:
        """Give a field as text; of one that is there several times, all of them as lines."""
        found = self.fields.get(name)
        if isinstance(found, list):
            return "\n".join(one if isinstance(one, str) else bytes(one).decode(errors="replace") for one in found)
        return found if isinstance(found, str) else ""


def read_entries(raw: bytes, config: JournaldConfig, *, is_final: bool) -> JournalReading:
    """Give the records of the whole lines in *raw*; with *is_final* none of them waits for what may follow."""
    lines = raw.split(b"\n")[:-1]
    found = [_Found(orjson.loads(line)) for line in lines]
    whole, held = _joined(found, config, is_final=is_final)
    entries = [_complete(entry_of(one), found[one[0]], config) for one in whole.entries]
    taken = len(lines) if held is None else held
    consumed = sum(map(len, lines[:taken])) + taken
    return JournalReading(entries, consumed, found[taken - 1].text("__CURSOR") if taken else "")


def _joined(found: Sequence[_Found], config: JournaldConfig, *, is_final: bool) -> tuple[Lines, int | None]:
    """Join what an engine cut, and what was one record before it was printed line by line."""
    pieces = [
        (one.time_unix_nano, one.source, one.message, one.text("CONTAINER_PARTIAL_MESSAGE") != "true") for one in found
    ]
    whole, held = settle(join(pieces, config.max_log_size, is_final=is_final))
    if not config.structured_lines:
        return whole, held
    # What was logged, as opposed to printed, is a record already.
    lines = [one if found[one[0]].is_printed else entry_of(one) for one in whole.entries]
    whole, held_here = settle(understand(Lines(lines), is_final))
    return whole, held if held_here is None else held_here


def _complete(entry: Entry, found: _Found, config: JournaldConfig) -> Entry:
    number, text = entry.severity_number, entry.severity_text
    if not number and found.stream is None:
        number, text = _SEVERITIES.get(found.text("PRIORITY"), (0, ""))
    return entry._replace(
        stream=found.stream,
        severity_number=number,
        severity_text=text,
        scope=entry.scope or ("" if found.is_printed else found.text("LOGGER") or found.text("SYSLOG_IDENTIFIER")),
        attributes={**dict(_attributes(found, config.fields)), **entry.attributes},
        resource=tuple(_resource(found).items()),
    )


def _attributes(found: _Found, patterns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for field in found.fields:
        text = found.text(field)
        if field in _ATTRIBUTES:
            yield _ATTRIBUTES[field], text
        elif field in _NUMBERS:
            yield _NUMBERS[field], int(text) if text.isdecimal() else text
        elif field not in _TOLD and any(fnmatchcase(field, pattern) for pattern in patterns):
            yield field, text


def _resource(found: _Found) -> dict[str, str]:
    resource = {attribute: text for field, attribute in _RESOURCE.items() if (text := found.text(field))}
    unit = found.text("_SYSTEMD_UNIT").removesuffix(".service")
    name = resource.get("container.name") or unit or found.text("SYSLOG_IDENTIFIER") or found.text("_COMM")
    return {"service.name": name, **resource} if name else resource
