"""Attributes that hold an integer, all of a batch at once: steps and positions differ in every point.

What is left of such an attribute when its key is cut off is the number as protobuf writes it, and many of those one
after the other are the list that its C parser reads: a tenth of the time they take one by one.
"""

from collections.abc import Sequence
from typing import Final

from runmill.errors import WireError
from runmill.otlp.schema import Integers, parse
from runmill.otlp.wire import varint

__all__ = ["read_integers"]

_LONGEST_KEY: Final = 100
"""So that no length here takes more than a byte."""
_LONGEST_NUMBER: Final = 10
_GOES_ON: Final = 0x80
"""The bit that all bytes of a number have but its last."""


def read_integers(raws: Sequence[bytes], key: str) -> Sequence[int] | None:
    """Give the integer in each of *raws*, KeyValues in bytes; None when one is not *key* with an integer.

    None also for another way to write the same, which no known sender has: those are read one by one.
    """
    name = key.encode()
    if len(name) > _LONGEST_KEY:
        return None
    before = b"\x0a%c%b\x12" % (len(name), name)
    start = len(before) + 2  # after the AnyValue's length and the tag of its int_value
    sizes = set(map(len, raws))
    if not sizes or min(sizes) <= start or max(sizes) > start + _LONGEST_NUMBER:
        return None
    starts = {size: before + bytes((size - start + 1, 0x18)) for size in sizes}
    if not all(raw.startswith(starts[len(raw)]) and raw[-1] < _GOES_ON for raw in raws):
        return None
    numbers = b"".join([raw[start:] for raw in raws])
    try:
        values: Sequence[int] = parse(Integers, b"\x0a" + varint(len(numbers)) + numbers).values[:]
    except WireError:
        return None
    # Each ends one number at least, so as many numbers as there are means that none ends two.
    return values if len(values) == len(raws) else None
