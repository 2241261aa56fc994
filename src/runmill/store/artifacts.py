"""The bytes of runs' files, kept under their SHA-256 in a folder or an object storage: ``ab/abcdef...``.

An object storage is reached by the environment variables of its cloud, such as ``AWS_ACCESS_KEY_ID``.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from runmill.errors import ConfigError, InvalidArgument, NotFound, Unavailable

__all__ = ["ArtifactBytes"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES: Final = 1 << 20
_RETRY_TIME: Final = timedelta(seconds=20)


class ArtifactBytes:
    """Files by the hash of what is in them; made on the first write."""

    def __init__(self, place: Path | str) -> None:
        """Keep them in *place*: a folder, or a URL such as ``s3://bucket/prefix``."""
        self._place = place
        self._opened: ObjectStore | None = None

    def has(self, sha256: str) -> bool:
        """Say whether the bytes are there."""
        return self._size(_key(sha256)) is not None

    def put(self, sha256: str, chunks: Iterable[bytes]) -> int:
        """Keep the bytes that *chunks* give and tell how many they are; they are read to their end in any case.

        They become visible in one step, when they are whole and have the hash they should have.

        Raises:
            InvalidArgument: they have another hash, or *sha256* is none; nothing is kept.
        """
        key = _key(sha256)
        counted = _Checked(sha256, chunks)
        with self._in_words():
            self._store().put(key, counted.pieces())  # what `pieces` raises makes the store give up what it wrote
        return counted.size_bytes

    def get(self, sha256: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Give the bytes from *start* up to *end*, or to the last one, in pieces of about 1 MiB.

        Raises:
            NotFound: nothing has this hash.
            InvalidArgument: *start* or *end* is negative.
        """
        key = _key(sha256)
        if start < 0 or (end is not None and end < 0):
            raise InvalidArgument(f"artifact bytes {start!r} to {end!r}: a position is 0 or more.")
        size = self._size(key)
        if size is None:
            raise NotFound(f"artifact {sha256!r}: no bytes with this hash were put into {self._place}.")
        end = size if end is None else min(end, size)
        if start >= end:
            return iter(())
        return self._pieces(key, start, end)

    def remove(self, sha256: str) -> None:
        """Take the bytes away; nothing happens when they are not there."""
        key = _key(sha256)
        if self._size(key) is not None:
            with self._in_words():
                self._store().delete(key)

    def _pieces(self, key: str, start: int, end: int) -> Iterator[bytes]:
        with self._in_words():
            found = self._store().get(key, options={"range": (start, end)})
            for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    def _size(self, key: str) -> int | None:
        if isinstance(self._place, Path) and not self._place.exists():
            return None
        try:
            with self._in_words():
                size: int = self._store().head(key)["size"]
        except FileNotFoundError:
            return None
        return size

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except BaseError as error:
            raise Unavailable(f"{self._place}: the storage of files cannot be reached now: {error}") from error

    def _store(self) -> ObjectStore:
        if self._opened is None:
            self._opened = _opened(self._place)
        return self._opened


def _opened(place: Path | str) -> ObjectStore:
    if isinstance(place, Path):
        return LocalStore(place, mkdir=True)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    try:
        return from_url(
            place,
            client_options={"allow_http": endpoint.startswith("http://")},
            retry_config={"max_retries": 3, "retry_timeout": _RETRY_TIME},
        )
    except (BaseError, ValueError) as error:
        raise ConfigError(f"{place}: no place for files. Give a folder, s3://, abfss:// or gs://: {error}") from error


class _Checked:
    """Passes pieces on while it counts and hashes them."""

    def __init__(self, sha256: str, chunks: Iterable[bytes]) -> None:
        self._sha256 = sha256
        self._chunks = chunks
        self.size_bytes = 0

    def pieces(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in self._chunks:
            digest.update(chunk)
            self.size_bytes += len(chunk)
            yield chunk
        if digest.hexdigest() != self._sha256:
            raise InvalidArgument(
                f"artifact {self._sha256!r}: the {self.size_bytes} bytes that came have the SHA-256 "
                f"{digest.hexdigest()!r}. Nothing was kept; send them again, or under that hash."
            )


def _key(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise InvalidArgument(f"artifact {sha256!r}: not a SHA-256. Give its 64 hexadecimal digits in lower case.")
    return f"{sha256[:2]}/{sha256}"
