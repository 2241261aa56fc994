"""What people read on a terminal: tables and log lines, plain where nobody looks (a pipe, a file)."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runmill.cli.reading import Json
from runmill.otlp.severity import SEVERITY_TEXT

__all__ = [
    "console", "duration", "json_or_text", "log_line", "moment", "number", "print_facts", "print_json", "print_lines",
    "print_table", "printable", "say", "size", "status_text",
]  # fmt: skip

_LEVEL_STYLES: Final = ("dim", "dim", "dim", "", "yellow", "red", "bold white on red")
"""Of UNSPECIFIED, TRACE, DEBUG, INFO, WARN, ERROR, FATAL."""
_STATUS_STYLES: Final = {"Completed": "green", "Failed": "red", "Running": "blue", "NotResponding": "yellow"}
_UNSEEN_ATTRIBUTES: Final = ("code.", "exception.", "thread.", "process.", "log.")
"""Of the lines people read: where it was said is one `--json` away."""
_SECONDS: Final = 1_000_000_000
_WIDE: Final = 10_000
# A log message is somebody else's text: an escape sequence in it must not reach the terminal.
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def console() -> Console:
    """Give the standard output: as wide as its terminal, and without limit where there is none."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE)


def say(text: str) -> None:
    """Tell the person something that is not the answer: on stderr, so that a pipe stays clean."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(entries: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for entry in entries:
        sys.stdout.buffer.write(orjson.dumps(entry) + b"\n")
    sys.stdout.buffer.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, right: Iterable[str] = ()) -> None:
    """Print *rows* under their heads; the columns named in *right* are numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else printable(cell) for cell in row))
    console().print(table)


def print_facts(facts: Iterable[tuple[str, str | Text]]) -> None:
    """Print names and values below each other; a fact without a value is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts:
        if value:
            table.add_row(name, value if isinstance(value, Text) else printable(value))
    console().print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences, wrapped where a terminal is."""
    for line in lines:
        console().print(Text(printable(line)))


def log_line(record: Json) -> Text:
    """Give a record as a line: time, level, logger, message, what was added; a traceback below it."""
    number = record["severity_number"]
    style = _LEVEL_STYLES[(number + 3) // 4]
    level = record["severity_text"] or SEVERITY_TEXT[number]
    line = Text.assemble(
        (moment(record["time_unix_nano"], milliseconds=True), "dim"), " ",
        (f"{printable(level):<8}", style), " ",
        (printable(record["logger"] or record["service"]), "cyan"), " ",
        (printable(_body(record)), style),
    )  # fmt: skip
    attributes = record["attributes"]
    for name, value in attributes.items():
        if not name.startswith(_UNSEEN_ATTRIBUTES):
            line.append(printable(f" {name}={json_or_text(value)}"), "dim")
    if stacktrace := attributes.get("exception.stacktrace"):
        line.append(printable(f"\n{str(stacktrace).rstrip()}").replace("\n", "\n    "), "red")
    return line


def _body(record: Json) -> str:
    # An event of the wire often has no body: its name is what it says.
    return json_or_text(record["body"]) if record["body"] not in (None, "") else record["event_name"]


def json_or_text(value: object) -> str:
    """Give a text as it is, anything else as its JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def printable(text: str) -> str:
    """Give *text* with its control characters spelled out; line ends and tabs stay."""
    return text.translate(_CONTROL)


def status_text(status: str) -> Text:
    """Give a run's status in its colour."""
    return Text(status, _STATUS_STYLES.get(status, ""))


def moment(time_unix_nano: int, *, milliseconds: bool = False) -> str:
    """Give a time in this machine's zone."""
    seconds, rest = divmod(time_unix_nano, _SECONDS)
    text = datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest // 1_000_000:03d}" if milliseconds else text


def duration(start_unix_nano: int, end_unix_nano: int) -> str:
    """Give a span of time in its two largest units: ``40ms``, ``0.4s``, ``12s``, ``3m 20s``, ``1h 04m``, ``2d 03h``."""
    span = max(0, end_unix_nano - start_unix_nano) / _SECONDS
    if span < 0.1:  # noqa: PLR2004 - a tenth would be 0.0
        return f"{span * 1000:.0f}ms"
    if span < 10:  # noqa: PLR2004 - below ten seconds a tenth is worth reading
        return f"{span:.1f}s"
    seconds = round(span)
    for larger, smaller, unit, part in ((86_400, 3600, "d", "h"), (3600, 60, "h", "m"), (60, 1, "m", "s")):
        if seconds >= larger:
            return f"{seconds // larger}{unit} {seconds % larger // smaller:02d}{part}"
    return f"{seconds}s"


def number(value: object) -> str:
    """Give a metric's value: floats with 4 significant digits, all else whole."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else json_or_text(value)


def size(size_bytes: int) -> str:
    """Give a size in the unit that keeps it short: ``512 B``, ``1.5 kB``, ``20.0 MB``."""
    amount, units = float(size_bytes), ("kB", "MB", "GB", "TB")
    if size_bytes < 1000:  # noqa: PLR2004 - SI
        return f"{size_bytes} B"
    for unit in units:
        amount /= 1000
        if amount < 999.95 or unit == units[-1]:  # noqa: PLR2004 - what still rounds to three digits
            break
    return f"{amount:.1f} {unit}"
