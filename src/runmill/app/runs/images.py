"""Images: what a figure draws, and which files are images at all."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["draw", "find_image_type", "is_drawable"]

# By the first bytes. Source: the formats' own specifications.
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"P1\n", "image/x-portable-bitmap"),
    (b"P2\n", "image/x-portable-graymap"),
    (b"P3\n", "image/x-portable-pixmap"),
    (b"P4\n", "image/x-portable-bitmap"),
    (b"P5\n", "image/x-portable-graymap"),
    (b"P6\n", "image/x-portable-pixmap"),
)
_LOOK_BYTES: Final = 1024


def is_drawable(value: object) -> bool:
    """Say whether *value* is a figure: pyplot, or anything else with a ``savefig``."""
    return callable(getattr(value, "savefig", None))


def draw(figure: Any) -> bytes:
    """Give the figure as PNG."""
    savefig: Callable[..., object] = figure.savefig
    target = io.BytesIO()
    savefig(target, format="png")
    return target.getvalue()


def find_image_type(path: Path) -> str | None:
    """Give the media type of an image file by what is in it, or None. Raises FileNotFoundError."""
    with path.open("rb") as file:
        head = file.read(_LOOK_BYTES)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"<svg" in head:
        return "image/svg+xml"
    return next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
