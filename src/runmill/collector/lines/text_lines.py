"""Log records that a program printed as text in a format that Python's libraries use by default.

```text
WARNING:app:disk at 91%                                         logging.basicConfig()
2026-11-22 01:04:26,734 - app - WARNING - disk at 91%           the format of logging's own documentation
INFO:     Application startup complete.                         uvicorn
INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK              uvicorn's access log
```
"""

import re
from http import HTTPStatus
from typing import Final

from runmill.collector.lines.entry import Entry
from runmill.collector.lines.timestamps import from_iso
from runmill.otlp import severity

__all__ = ["FIRST_BYTES", "read_text_line"]

_LEVEL: Final = "DEBUG|INFO|WARNING|ERROR|CRITICAL"
_BASIC: Final = re.compile(rf"({_LEVEL}):([\w.\-]+):(.*)", re.DOTALL)
_DOCUMENTED: Final = re.compile(
    rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d,\d{{3}}) - ([\w.\-]+) - ({_LEVEL}) - (.*)", re.DOTALL
)
_UVICORN: Final = re.compile(rf"(?=.{{10}})({_LEVEL}|TRACE): +(?<=.{{10}})(\S.*)", re.DOTALL)
_ACCESS: Final = re.compile(r'(\S+) - "([A-Z]+) (\S+) HTTP/([\d.]+)" (\d{3})(?: (.*))?')
_COLOUR: Final = re.compile("\x1b\\[[0-9;]*m")

FIRST_BYTES: Final = frozenset(b"DIWECT\x1b0123456789")
"""One of these begins every line that is understood here."""


def read_text_line(text: str) -> Entry | None:
    """Give the record that *text* is, with its first and last line still to be set; None when it is none."""
    if text[0] == "\x1b":
        text = _COLOUR.sub("", text)
    if found := _BASIC.fullmatch(text):
        level, scope, body = found.groups()
        return _entry(level, scope, body)
    if found := _DOCUMENTED.fullmatch(text):
        time, scope, level, body = found.groups()
        return _entry(level, scope, body)._replace(time_unix_nano=from_iso(time) or 0)
    if found := _UVICORN.fullmatch(text):
        return _uvicorn(*found.groups())
    return None


def _uvicorn(level: str, text: str) -> Entry:
    access = _ACCESS.fullmatch(_COLOUR.sub("", text))
    if access is None or access[6] not in (None, "", _phrase(access[5])):
        return _entry(level, "uvicorn.error", text)
    client, method, path, version, status, _ = access.groups()
    # The phrase is the formatter's: the message that was logged has the number only.
    body = f'{client} - "{method} {path} HTTP/{version}" {status}'
    return _entry(level, "uvicorn.access", body)


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""


def _entry(level: str, scope: str, body: str) -> Entry:
    number = severity.from_name(level) or 0
    return Entry(0, 0, 0, None, body, severity_number=number, severity_text=level, scope=scope)
