"""Lines that were log records before they were printed become what they were; all others stay as they are.

A traceback and the line of a logger right before it are one record. Each stream is read for itself.
"""

from collections.abc import Iterator
from typing import Final

from runmill.collector.lines.entry import Entry, Gathered, Line, Lines
from runmill.collector.lines.json_lines import read_json_line
from runmill.collector.lines.text_lines import FIRST_BYTES, read_text_line
from runmill.collector.lines.tracebacks import HEADER, Traceback, exception_attributes, find_header
from runmill.model import Severity

__all__ = ["understand"]

_HEADER: Final = HEADER.encode()
_BRACE: Final = ord("{")
_FIRST_BYTES: Final = frozenset({b"{", *(bytes([byte]) for byte in FIRST_BYTES)})


def understand(found: Lines, is_final: bool) -> Lines:  # noqa: FBT001 - a Step
    """Understand what can be. Unless *is_final*, what the next line may still belong to is held."""
    lines = [one for one in found.entries if not isinstance(one, Entry)]
    # Looked for in all lines at once: in most blocks there is nothing to understand.
    text = b"\n".join([line[4] for line in lines])
    has_header = _HEADER in text
    if not has_header and b"\r" not in text and _FIRST_BYTES.isdisjoint({line[4][:1] for line in lines}):
        return found
    entries = [one if isinstance(one, Entry) else _understand_line(one) for one in found.entries]
    # What is held begins in this very block, so without a header only its last records can be waiting for one.
    if has_header or (not is_final and any(map(_awaits_traceback, entries))):
        return _Tracebacks().join(entries, is_final=is_final)
    return Lines(entries)


def _understand_line(line: Line) -> Gathered:
    first, last, time_unix_nano, stream, text = line
    if b"\r" in text:
        # What a terminal would show in the end: a progress bar is drawn over itself.
        text = next((part for part in reversed(text.split(b"\r")) if part), b"")
        line = first, last, time_unix_nano, stream, text
    if not text or (text[0] != _BRACE and text[0] not in FIRST_BYTES):
        return line
    entry = read_json_line(text) if text[0] == _BRACE else read_text_line(text.decode(errors="replace"))
    if entry is None:
        return line
    return entry._replace(first=first, last=last, stream=stream, time_unix_nano=entry.time_unix_nano or time_unix_nano)


def _awaits_traceback(one: Gathered) -> bool:
    """Say whether a traceback may follow as part of the record: a logger writes it right behind its line."""
    return isinstance(one, Entry) and one.severity_number >= Severity.ERROR and "exception.type" not in one.attributes


class _Stream:
    """One stream: the record that a traceback may belong to, and the traceback that is open."""

    def __init__(self) -> None:
        self.before: Entry | None = None
        self.opened: tuple[Traceback, list[Line]] | None = None

    def close(self) -> Iterator[Gathered]:
        """Yield what is complete now: a record with its traceback, and lines that turned out not to be of it."""
        before, self.before = self.before, None
        if self.opened is None:
            if before is not None:
                yield before
            return
        (traceback, lines), self.opened = self.opened, None
        gap = len(lines) - traceback.gap_count
        if traceback.is_whole:
            yield _exception(before, lines[:gap], traceback)
            yield from lines[gap:]
        else:
            if before is not None:
                yield before
            yield from lines

    @property
    def first(self) -> int | None:
        """The first source line of what is open."""
        if self.before is not None:
            return self.before.first
        return self.opened[1][0][0] if self.opened is not None else None


class _Tracebacks:
    """Joins the lines of tracebacks."""

    def __init__(self) -> None:
        self._streams: dict[str | None, _Stream] = {}
        self._joined = list[Gathered]()

    def join(self, entries: "list[Gathered]", *, is_final: bool) -> Lines:
        """Give *entries* with tracebacks joined, in the order in which they began."""
        for one in entries:
            self._add(one)
        held = [stream.first for stream in self._streams.values() if stream.first is not None]
        if is_final or not held:
            for stream in self._streams.values():
                self._joined += stream.close()
            held = []
        self._joined.sort(key=lambda one: one[0])
        return Lines(self._joined, min(held, default=None))

    def _add(self, one: Gathered) -> None:
        stream = self._streams.setdefault(one[3], _Stream())
        line = None if isinstance(one, Entry) else one
        text = line[4].decode(errors="replace") if line is not None else ""
        if stream.opened is not None and line is not None and stream.opened[0].takes(text):
            stream.opened[1].append(line)
            return
        if stream.opened is not None:
            self._joined += stream.close()
        prefix = find_header(text) if line is not None else None
        if prefix is not None and line is not None:
            stream.opened = Traceback(prefix), [line]
            return
        self._joined += stream.close()
        if isinstance(one, Entry) and _awaits_traceback(one):
            stream.before = one
        else:
            self._joined.append(one)


def _exception(before: Entry | None, lines: list[Line], traceback: Traceback) -> Entry:
    told = traceback.lines[: len(lines)]
    attributes = exception_attributes("\n".join(told) + "\n")
    first, last = lines[0], lines[-1]
    if before is not None:
        return before._replace(last=last[1], attributes={**before.attributes, **attributes})
    message = attributes.get("exception.message")
    kind = attributes.get("exception.type", "Traceback")
    return Entry(
        first=first[0],
        last=last[1],
        time_unix_nano=first[2],
        stream=first[3],
        body=f"{kind}: {message}" if message else kind,
        severity_number=Severity.ERROR,
        severity_text="ERROR",
        attributes=attributes,
    )
