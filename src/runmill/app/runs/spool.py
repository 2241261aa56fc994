"""Files on their way to the store: copied aside under their hash, so that the caller may go on changing its own."""

import hashlib
import mimetypes
import os
import posixpath
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from runmill.errors import InvalidArgument
from runmill.home import Home

__all__ = ["SpooledFile", "check_path", "media_type", "sha256_of", "spool"]

_CHUNK_BYTES: Final = 1 << 20
_ABANDONED_SECONDS: Final = 3600.0
"""A copy that nobody wrote to for so long is nobody's any more."""


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """Bytes that are safe on disk and wait to be delivered."""

    sha256: str
    size_bytes: int


def check_path(name: object, where: str) -> str:
    """Give a file's path in a run, with ``./`` and doubled slashes taken out. Raises InvalidArgument.

    An absolute path or one with ``..`` is refused: whoever downloads the run's files must be safe.
    """
    text = os.fspath(name) if isinstance(name, os.PathLike) else name
    if not isinstance(text, str) or not text.strip("./ ") or "\0" in text:
        raise InvalidArgument(
            f"{where}: a file's name in the run must be a path like 'outputs/model.pkl', got {name!r}."
        )
    if text.startswith("/") or ".." in text.split("/"):
        raise InvalidArgument(
            f"{where}: {text!r} leaves the run. Use a relative path without '..', like 'outputs/model.pkl'."
        )
    return posixpath.normpath(text)


def media_type(path: str) -> str:
    """Guess what a file is from its name."""
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def spool(home: Home, source: "str | os.PathLike[str] | bytes | IO[Any]") -> SpooledFile:
    """Copy a file, bytes or the rest of a stream into the home's spool; it is there whole or not at all.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read, or the spool cannot be written.
    """
    if isinstance(source, bytes):
        return _keep(home, _Bytes(source))
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            return _keep(home, file)
    return _keep(home, source)


def sha256_of(path: Path) -> str:
    """Give the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Bytes:
    """Bytes that are read once."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, _size: int, /) -> bytes:
        content, self._content = self._content, b""
        return content


def _keep(home: Home, source: "IO[Any] | _Bytes") -> SpooledFile:
    home.spool.mkdir(parents=True, exist_ok=True)
    _clear(home.spool)
    draft = home.spool / f".{uuid.uuid4().hex}"
    try:
        size, sha256 = _copy(source, draft)
        draft.replace(home.spool / sha256)
    except OSError as error:
        # A write that fails, as on a full disk, does not say where.
        error.filename = error.filename or str(home.spool)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return SpooledFile(sha256, size)


@cache
def _clear(folder: Path) -> None:
    """Remove, once a process, what processes that were killed left half copied there."""
    for draft in folder.glob(".*"):
        with suppress(OSError):  # another process is at the same
            if time.time() - draft.stat().st_mtime > _ABANDONED_SECONDS:
                draft.unlink()


def _copy(source: "IO[Any] | _Bytes", target: Path) -> tuple[int, str]:
    """Copy and hash in one pass. A stream of text is written as UTF-8."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            content = chunk.encode() if isinstance(chunk, str) else chunk
            digest.update(content)
            size += file.write(content)
    return size, digest.hexdigest()
