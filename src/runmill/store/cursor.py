"""Page cursors: opaque text for a reader, a record's place in time order for the store."""

import re
from typing import Final, NamedTuple

from runmill.errors import InvalidArgument

__all__ = ["Position", "decode", "encode"]

_FORM: Final = re.compile(r"(-?[0-9]{1,19})\.([0-9]{1,19})")
_LARGEST: Final = 2**63 - 1


class Position(NamedTuple):
    """A record's place among all: by its own time, and by commit among equals."""

    time_unix_nano: int
    ingest_seq: int


def encode(position: Position) -> str:
    """Write it for a reader."""
    return f"{position.time_unix_nano}.{position.ingest_seq}"


def decode(text: str, *, argument: str) -> Position:
    """Read it back. Raises InvalidArgument naming *argument*."""
    form = _FORM.fullmatch(text)
    if form is None or max(position := Position(int(form[1]), int(form[2]))) > _LARGEST:
        raise InvalidArgument(
            f"{argument} {text!r}: not a page's cursor. Give the 'first' or 'last' of a page as it came."
        )
    return position
