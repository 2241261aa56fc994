"""A sequence whose items are made when someone first looks at one."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

__all__ = ["Deferred"]

T = TypeVar("T")


class Deferred(Sequence[T]):
    """*length* items that *make* gives; made once, whichever thread looks first. Its length costs nothing."""

    def __init__(self, length: int, make: Callable[[], Sequence[T]]) -> None:
        self._length = length
        self._make: Callable[[], Sequence[T]] | None = make
        self._items: Sequence[T] = ()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return iter(self._made())

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._made()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # compares by its items, like a list

    def _made(self) -> Sequence[T]:
        if not self._length:
            return ()
        with self._lock:
            if self._make is not None:
                self._items, self._make = self._make(), None
        return self._items
