"""A cache of what recurs: bounded, and a hit costs one dictionary look-up in C."""

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

__all__ = ["Recent"]

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")

MAX_KEY_BYTES: Final = 1024
"""Longer keys hardly recur, and a few of them would hold much memory."""


class Recent(dict[_Key, _Value]):
    """Gives ``make(key)`` for any key, and remembers the keys used lately: at most twice *capacity*.

    Two generations: when the young one is full it becomes the old one, and what is asked for again moves back. So a
    stream of keys that never recur cannot push out those that do, and no hit has to keep an order (a ``lru_cache``
    does, at twice the price). Threads may share it: at worst a value is made twice.
    """

    def __init__(self, make: Callable[[_Key], _Value], *, capacity: int = 2048) -> None:
        super().__init__()
        self._make = make
        self._capacity = capacity
        self._old: dict[_Key, _Value] = {}

    def __missing__(self, key: _Key) -> _Value:
        value = self._old[key] if key in self._old else self._make(key)
        if isinstance(key, bytes) and len(key) > MAX_KEY_BYTES:
            return value
        if len(self) >= self._capacity:
            self._old = dict(self)
            self.clear()
        self[key] = value
        return value
