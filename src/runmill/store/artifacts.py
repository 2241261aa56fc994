"""The bytes of runs' files, kept under their SHA-256 in a folder or an object storage: ``ab/abcdef...``."""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from runmill.errors import Conflict, InvalidArgument, NotFound, Unavailable
from runmill.store.artifact_place import open_place
from runmill.store.upload_parts import PART_BYTES, Part, UploadParts, remove_old

__all__ = ["ArtifactBytes"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES: Final = 1 << 20


class ArtifactBytes:
    """Files by the hash of what is in them; made on the first write."""

    def __init__(self, place: Path | str) -> None:
        """Keep them in *place*: a folder, or a URL such as ``s3://bucket/prefix``."""
        self._place = place
        self._opened: ObjectStore | None = None
        self._joining = threading.Lock()

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

    def uploaded(self, sha256: str) -> int:
        """Say how much is kept of an upload that broke off."""
        _key(sha256)
        if isinstance(self._place, Path) and not self._place.exists():
            return 0
        with self._in_words():
            return _end(UploadParts(self._store(), sha256).found())

    def upload(self, sha256: str, chunks: Iterable[bytes], *, start: int = 0) -> int:
        """Do as `put` with bytes that may break off: what came before *chunks* raised is kept for a week.

        *start* is how many bytes are kept already; *chunks* are those after them.

        Raises:
            InvalidArgument: as `put`; then nothing is kept of what came before either.
            Conflict: *start* is not where to go on.
        """
        _key(sha256)
        with self._in_words():
            upload = UploadParts(self._store(), sha256)
            parts = upload.found() if start else []
            if start != _end(parts):
                raise Conflict(
                    f"artifact {sha256!r}: go on from byte {_end(parts)}, not from {start!r}, or begin anew."
                )
            rest = self._take(upload, parts, chunks)
        return self._join(sha256, upload, parts) if parts else self.put(sha256, [rest])

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

    def _take(self, upload: UploadParts, parts: list[Part], chunks: Iterable[bytes]) -> bytes:
        """Keep *chunks* as further *parts*; where they are few and whole, only give them."""
        held, is_whole = bytearray(), False
        try:
            for chunk in chunks:
                held += chunk
                if len(held) >= PART_BYTES:
                    self._keep(upload, parts, held)
                    held = bytearray()
            is_whole = True
        finally:
            if held and (parts or not is_whole):
                self._keep(upload, parts, held)
        return bytes(held)

    def _keep(self, upload: UploadParts, parts: list[Part], content: bytearray) -> None:
        if not parts:
            remove_old(self._store())
        parts.append(upload.keep(_end(parts), bytes(content)))

    def _join(self, sha256: str, upload: UploadParts, parts: list[Part]) -> int:
        with self._joining:  # one at a time: who lost patience asks again while the first answer is being made
            if not self.has(sha256):
                try:
                    self.put(sha256, upload.read(parts))
                except FileNotFoundError:
                    raise Unavailable(
                        f"artifact {sha256!r}: another sender's upload of it came first; ask again."
                    ) from None
                except InvalidArgument:
                    upload.remove()
                    raise
            upload.remove()
        return _end(parts)

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
            self._opened = open_place(self._place)
        return self._opened


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


def _end(parts: list[Part]) -> int:
    return parts[-1].end if parts else 0


def _key(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise InvalidArgument(f"artifact {sha256!r}: not a SHA-256. Give its 64 hexadecimal digits in lower case.")
    return f"{sha256[:2]}/{sha256}"
