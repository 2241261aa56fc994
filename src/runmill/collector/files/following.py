"""Which files to follow, and how, as whoever wants them followed says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Following"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Which files to follow, and how."""

    include: Sequence[str]
    exclude: Sequence[str] = ()
    exclude_older_than_seconds: float | None = None
    start_at: Literal["beginning", "end"] = "end"
    """For files that are there at first; one that comes later is read from its beginning."""
    fingerprint_bytes: int = 1000
    max_open_files: int = 1024
    compression: Literal["", "gzip", "auto"] = "auto"

    def is_gzip(self, path: str) -> bool:
        """Say whether a file of that name is compressed."""
        return self.compression == "gzip" or (self.compression == "auto" and path.endswith(".gz"))
