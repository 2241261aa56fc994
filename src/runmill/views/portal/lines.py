"""A log record as a line: harmless text, its level's word, its traceback folded to what went wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from runmill.model import AttributeValue, LogRecord
from runmill.views.answers import encode, plain

__all__ = ["Line", "line_of", "pretty_json"]

# CSI sequences (colours, cursor moves), OSC sequences (titles, links), and the two-byte escapes.
_TERMINAL: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL: Final = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
_LEVELS: Final = (
    (21, "fatal", "FATAL"), (17, "error", "ERROR"), (13, "warn", "WARN"), (9, "info", "INFO"), (5, "debug", "DEBUG"),
    (1, "trace", "TRACE"),
)  # fmt: skip
_SHORT_LEVELS: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Python's own names that are longer than the column; any other name is the sender's choice."""
_NAMELESS: Final = re.compile(r"Level \d+")
"""What Python calls a level that nobody gave a name."""
_TRACEBACK: Final = re.compile(r"(?:^  \+ Exception Group )?Traceback \(most recent call last\):", re.MULTILINE)
_OUTERMOST: Final = re.compile(rf"^{_TRACEBACK.pattern}$", re.MULTILINE)
"""Members of an exception group have theirs further in."""
_UNINDENTED: Final = re.compile(r"^(?:  \| )?(?=\S)(.+)", re.MULTILINE)
"""What an exception says of itself; that of a group stands behind the group's bar."""
_STACKTRACE: Final = "exception.stacktrace"
_SHORT_TEXT: Final = 2_000
_SHORT_EXTRAS: Final = 300
_NOT_SAID: Final = ("code.", "exception.", "thread.", "process.", "log.", "asyncio.")
"""Attributes that every call has of itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the page shows of one record."""

    record: LogRecord
    level: str
    """The CSS class of its severity range; empty where the sender gave none."""
    level_word: str
    """As its sender called it."""
    message: str
    """On one line, and not longer than a line can be."""
    outcome: str
    """What its traceback ends in: type and message, on one line. Empty without one."""
    extras: str
    """What the call said beside the message, as ``key=value``, cut to what one line may show."""
    text: str
    """The body in full, or empty when `message` is all of it."""
    traceback: str
    fields: tuple[tuple[str, str], ...]


def line_of(record: LogRecord) -> Line:
    """Give the line of *record*; escaping is left to the template."""
    body = _text(record.body)
    head, traceback = _split(body)
    traceback = clean(str(record.attributes.get(_STACKTRACE) or "")) or traceback
    message = " ".join(head.split("\n", 1)[0][:_SHORT_TEXT].split("\t"))
    level, word = _level(record)
    return Line(
        record=record,
        level=level,
        level_word=word,
        message=message or record.event_name,
        outcome=_outcome(traceback),
        extras=_extras(record),
        text="" if head == message else head,
        traceback=traceback,
        fields=tuple((key, _text(value)) for key, value in record.attributes.items() if key != _STACKTRACE),
    )


def clean(text: str) -> str:
    """Take out what only a terminal understands; other control characters become visible signs."""
    if text.isprintable():
        return text  # nearly every line
    return _TERMINAL.sub("", text.replace("\r\n", "\n")).translate(_CONTROL)


def pretty_json(value: object) -> str:
    """Give *value* as indented JSON."""
    return orjson.dumps(orjson.loads(encode(plain(value))), option=orjson.OPT_INDENT_2).decode()


def _text(value: AttributeValue) -> str:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping) or not isinstance(value, (int, float)):
        return clean(encode(value).decode())
    return str(value)


def _extras(record: LogRecord) -> str:
    said = (f"{key}={_text(value)}" for key, value in record.attributes.items() if not key.startswith(_NOT_SAID))
    return " ".join(" ".join(said)[:_SHORT_EXTRAS].split())


def _split(body: str) -> tuple[str, str]:
    found = _TRACEBACK.search(body)
    return (body[: found.start()].rstrip("\n"), body[found.start() :]) if found else (body.rstrip("\n"), "")


def _outcome(traceback: str) -> str:
    """Give the first line behind the last frames: below it are more lines of the message, notes, a group's members."""
    start = max((found.end() for found in _OUTERMOST.finditer(traceback)), default=0)
    found = _UNINDENTED.search(traceback, start)
    return found[1].strip()[:_SHORT_TEXT] if found else ""


def _level(record: LogRecord) -> tuple[str, str]:
    own = _SHORT_LEVELS.get(record.severity_text.upper(), clean(_NAMELESS.sub("", record.severity_text)))
    for first, name, word in _LEVELS:
        if record.severity_number >= first:
            return name, own or word
    return "", own
