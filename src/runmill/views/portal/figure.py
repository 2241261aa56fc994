"""What a document is shown as: curves, bars or cells, always with the numbers beside them; and how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from runmill.errors import InvalidArgument

__all__ = ["Curve", "Fields", "Figure", "Matrix", "Numbers", "Plot", "Role"]

Role = Literal["class", "average", "guide"]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points; a *guide* is there to compare with, an *average* stands for all classes."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    role: Role = "class"
    spread: tuple[float, ...] | None = None
    """Half the height of each point's error bar."""
    note: str = ""
    """The curve in one number, for the legend."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One way to look at a document."""

    title: str
    x_title: str
    y_title: str
    curves: tuple[Curve, ...] = ()
    edges: tuple[float, ...] = ()
    """Of a histogram: one more than there are bars."""
    bars: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of true classes (rows) that were taken for classes (columns), and each as a share of its row."""

    labels: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]

    @property
    def greatest(self) -> float:
        """The greatest count."""
        return max((cell for row in self.counts for cell in row), default=0)

    @property
    def accuracy(self) -> float | None:
        """The share that was taken for what it is; None when nothing was counted."""
        total = sum(map(sum, self.counts))
        return sum(row[place] for place, row in enumerate(self.counts)) / total if total else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a picture shows, for who cannot see it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A document as it is shown."""

    numbers: Numbers
    plots: tuple[Plot, ...] = ()
    matrix: Matrix | None = None


class Fields:
    """The ``data`` of a document, read with errors that say which field is not as its schema wants it."""

    def __init__(self, document: object) -> None:
        data = document.get("data") if isinstance(document, Mapping) else None
        if not isinstance(data, Mapping):
            raise InvalidArgument("data is no JSON object")
        self._data = data

    def numbers(self, name: str) -> tuple[float, ...]:
        """Give a list of numbers."""
        return _numbers(self._data.get(name), name)

    def rows(self, name: str) -> tuple[tuple[float, ...], ...]:
        """Give a list of lists of numbers."""
        return _rows(self.items(name), name)

    def tables(self, name: str) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """Give a list of lists of lists of numbers."""
        return tuple(_rows(_items(table, place := f"{name}[{n}]"), place) for n, table in enumerate(self.items(name)))

    def items(self, name: str) -> Sequence[object]:
        """Give a list of anything."""
        return _items(self._data.get(name), name)

    def labels(self) -> tuple[str, ...]:
        """Give the names of the classes."""
        return tuple(str(label) for label in self.items("class_labels"))


def _items(value: object, name: str) -> Sequence[object]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidArgument(f"data.{name} is no list")
    return value


def _rows(rows: Sequence[object], name: str) -> tuple[tuple[float, ...], ...]:
    return tuple(_numbers(row, f"{name}[{place}]") for place, row in enumerate(rows))


def _numbers(value: object, name: str) -> tuple[float, ...]:
    numbers: list[float] = []
    for place, each in enumerate(_items(value, name)):
        if isinstance(each, bool) or not isinstance(each, (int, float)):
            raise InvalidArgument(f"data.{name}[{place}] is {each!r}, no number")
        numbers.append(each)
    return tuple(numbers)
