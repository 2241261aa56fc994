"""A file mapped into memory, every byte of which is allocated before it is touched.

Never sparse: touching a hole of a map on a full disk kills the process with SIGBUS.
"""

import mmap
import os
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["map_file"]

_ZEROS: Final = bytes(1 << 16)


def map_file(path: Path, size_bytes: int) -> mmap.mmap:
    """Map *size_bytes* of *path*; what it lacks is added as zeros. Raises OSError (a full disk: ENOSPC)."""
    with path.open("a+b") as file:
        _allocate(file, size_bytes)
        return mmap.mmap(file.fileno(), size_bytes)


def _allocate(file: BinaryIO, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size_bytes)
        return
    file.writelines(_ZEROS[: size_bytes - at] for at in range(file.seek(0, os.SEEK_END), size_bytes, len(_ZEROS)))
    file.flush()
