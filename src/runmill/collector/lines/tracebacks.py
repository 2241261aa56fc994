"""Python tracebacks, line by line, back to the exception they tell of.

```text
Traceback (most recent call last):                                    a header; any text may stand before it
  File "train.py", line 3, in <module>                                frames: indented
ValueError: bad batch                                                 the exception ends it ...
                                                                      ... unless this follows:
The above exception was the direct cause of the following exception:
                                                                      and another traceback
```

The lines of an exception group begin with `|` or `+`, after spaces. A prefix that every line has, such as the
``[rank0]: `` of torchrun, is taken off.
"""

import re
from typing import Any, Final, Literal

__all__ = ["HEADER", "Traceback", "exception_attributes", "find_header"]

HEADER: Final = "Traceback (most recent call last):"

_CHAINS: Final = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_GROUP_HEADER: Final = re.compile(r"  \+ Exception Group $")
_GROUP_LINE: Final = re.compile(r"\s+[|+]")
_LAST: Final = re.compile(r"([A-Za-z_][\w.]*(?:\.<locals>\.[\w.]+)*)(?:: ?(.*))?$", re.DOTALL)
_GROUP_LAST: Final = re.compile(r"\s+\| ([A-Za-z_][\w.]*)(?:: (.*))?$")
_MOST_PREFIX: Final = 200

_State = Literal["frames", "ended", "gap", "chain", "group"]


def find_header(text: str) -> str | None:
    """Give what stands before the header of a traceback in *text*, or None when there is none."""
    at = text.find(HEADER)
    is_header = 0 <= at <= _MOST_PREFIX and not text[at + len(HEADER) :].strip()
    return text[:at] if is_header else None


class Traceback:
    """A traceback whose lines come one by one; begun with the prefix of its header."""

    def __init__(self, prefix: str) -> None:
        group = _GROUP_HEADER.search(prefix)
        self._state: _State = "group" if group else "frames"
        self._prefix = prefix[: group.start()] if group else prefix
        self._knows_prefix = not self._prefix
        self.lines = [prefix[len(self._prefix) :] + HEADER]
        self.gap_count = 0
        """How many of the last lines are blank and belong to the traceback only if it goes on."""

    @property
    def is_whole(self) -> bool:
        """Say whether the exception itself was told."""
        return self._state in ("ended", "gap") or (self._state == "group" and len(self.lines) > 1)

    def takes(self, raw: str) -> bool:
        """Take the next line if it belongs to the traceback; otherwise leave everything as it is."""
        line = self._without_prefix(raw)
        following = self._following(line)
        if following is None:
            return False
        self._knows_prefix = True
        self._state = following
        self.gap_count = self.gap_count + 1 if following == "gap" else 0
        self.lines.append(line)
        return True

    def _without_prefix(self, raw: str) -> str:
        if not self._knows_prefix and not raw.startswith(self._prefix):
            self._prefix = ""  # the first line alone had it, as one written by a logger
        if self._prefix and not raw.startswith(self._prefix):
            return raw if raw.strip() != self._prefix.strip() else ""
        return raw[len(self._prefix) :]

    def _following(self, line: str) -> _State | None:
        """Give the state after *line*, or None when it is none of the traceback's."""
        if self._state == "frames":
            return "frames" if line[:1] in (" ", "\t") else "ended" if _LAST.match(line) else None
        if self._state == "chain":
            return self._after_chain(line)
        if self._state == "group" and _GROUP_LINE.match(line):
            return "group"
        if self._state == "gap":
            return "chain" if line in _CHAINS else None
        if self._state == "ended" and line[:1] in (" ", "\t") and line.strip():
            return "ended"  # a message of several lines
        return None if line.strip() else "gap"

    def _after_chain(self, line: str) -> _State | None:
        if not line.strip():
            return "chain"
        prefix = find_header(line)
        if prefix is None:
            return None
        return "group" if _GROUP_HEADER.search(prefix) else "frames" if not prefix else None


def exception_attributes(stacktrace: str) -> dict[str, Any]:
    """Give ``exception.type``, ``exception.message`` and ``exception.stacktrace`` of a traceback's text.

    Type and message are left out where the text does not tell them.
    """
    found: dict[str, Any] = {"exception.stacktrace": stacktrace}
    lines = stacktrace.rstrip("\n").split("\n")
    header = max((at for at, line in enumerate(lines) if find_header(line) in ("", "  + Exception Group ")), default=-1)
    if header >= 0 and lines[header].lstrip().startswith("+"):
        last = next(filter(None, map(_GROUP_LAST.match, lines[header + 1 :])), None)
    else:
        frames_end = next((at for at in range(header + 1, len(lines)) if lines[at][:1] not in (" ", "\t")), None)
        last = _LAST.match("\n".join(lines[frames_end:])) if frames_end is not None else None
    if last is not None:
        found |= {"exception.type": last[1], "exception.message": last[2] or ""}
    return found
