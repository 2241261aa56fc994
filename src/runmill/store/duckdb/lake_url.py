"""What ``ducklake:postgres:<connection>`` says: where the catalog is, and where the rows are kept."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runmill.errors import ConfigError

__all__ = ["PREFIX", "LakeUrl", "parse", "without_password"]

PREFIX: Final = "ducklake:postgres:"
_DATA: Final = re.compile(r"(?:^|[ ?&])data_path=('[^']*'|[^ &]*)")
_PASSWORD: Final = re.compile(r"(password=)('(?:[^'\\]|\\.)*'|[^ &\"]*)|(://[^/:@ ]*:)[^@/ ]*(?=@)")
_SCHEMES: Final = ("s3", "abfss", "az", "gs")


@dataclass(frozen=True, slots=True)
class LakeUrl:
    """A lake; *connection* is libpq's, keywords or a URI."""

    connection: str
    data_path: str | None
    """A URL or an absolute folder, with a slash at its end. None: where the catalog says."""

    def __str__(self) -> str:
        """Give the URL as it may be shown: without the password."""
        return PREFIX + without_password(self.connection) + (f" data_path={self.data_path}" if self.data_path else "")


def parse(url: str) -> LakeUrl:
    """Read *url*: libpq's keywords or URI, with the keyword ``data_path`` among its own. Raises ConfigError."""
    text = url.removeprefix(PREFIX)
    connection = _DATA.sub("", text).strip()
    if "?" not in connection:  # it was the first of a URI's parameters
        connection = connection.replace("&", "?", 1)
    if not connection or text == url:
        raise ConfigError(
            f"store {without_password(url)!r}: names no catalog. Write for example "
            f"'{PREFIX}dbname=runmill host=db.example.com user=runmill data_path=s3://bucket/runs'."
        )
    found = _DATA.search(text)
    return LakeUrl(connection, None if found is None else _data_path(found[1].strip("'"), url))


def _data_path(text: str, url: str) -> str:
    scheme, separator, _ = text.partition("://")
    if separator and scheme in _SCHEMES:
        return text.rstrip("/") + "/"
    if separator or not text.startswith(("/", "~")):
        raise ConfigError(
            f"store {without_password(url)!r}: data_path={text!r} is no place for data. "
            f"Give {', '.join(f'{each}://...' for each in _SCHEMES)}, or the absolute path of a folder all share."
        )
    return str(Path(text).expanduser()) + "/"


def without_password(text: str) -> str:
    """Give *text* as it may be shown, where it holds a connection."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[3]}***", text)
