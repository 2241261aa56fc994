"""A run's pen: gives each value its position and time and writes it, at the cost of one tuple.

There is no lock. ``next`` of a counter and the dictionary calls are atomic, so threads get positions of their own,
and a process that forks while another thread logs leaves nothing locked in the child.
"""

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final, Protocol

from runmill.app.runs.lines import Line, Stream
from runmill.errors import InvalidArgument
from runmill.journal.records import EVENT, LOG, POINT, Record
from runmill.otlp import runs

__all__ = ["Recorder", "Writes"]


class Writes(Protocol):
    """Where records go."""

    @property
    def write(self) -> Callable[[Record], None]:
        """Keep one record; returns at once."""


class Recorder:
    """Writes the records of one run; every method returns at once, whatever the network does."""

    __slots__ = ("_clock", "_families", "_last_unix_nano", "_others", "_outlet", "_values", "key")

    def __init__(self, outlet: Writes, key: str, *, clock_unix_nano: Callable[[], int] = time.time_ns) -> None:
        self.key: Final = key
        # Not its bound `write`: an outlet changes that when it opens and after a fork.
        self._outlet = outlet
        self._clock = clock_unix_nano
        self._last_unix_nano = 0
        self._families: dict[str, str] = {}
        # Counters of positions by metric. Those of scalars and lists stand alone: one look-up there tells both that
        # the name was seen and that it holds values.
        self._values: dict[str, Iterator[int]] = {}
        self._others: dict[str, Iterator[int]] = {}

    def now_unix_nano(self) -> int:
        """Give a time after every earlier one of this run, so that order holds even when the clock steps back."""
        now = self._clock()
        if now <= self._last_unix_nano:
            now = self._last_unix_nano + 1
        self._last_unix_nano = now
        return now

    def event(self, name: str, body: dict[str, Any]) -> int:
        """Write a lifecycle or artifact event and give its time."""
        now = self.now_unix_nano()
        self._outlet.write((EVENT, now, self.key, name, body, None))
        return now

    def value(self, metric: str, kind: str, value: "float | str | bool | None", step: int | None, text: str) -> None:
        """Write one value of a scalar or list metric; *text* describes the metric."""
        counter = self._values.get(metric) or self._claim(metric, "values")
        if type(value) is float or type(value) is int:
            self._outlet.write(
                (POINT, self.now_unix_nano(), self.key, metric, kind, value, next(counter), step, None, text)
            )
        else:
            self._metric_event(metric, kind, value, {runs.INDEX: next(counter), runs.STEP: step}, text)

    def row(self, metric: str, kind: str, cells: "dict[str, Any]", text: str, *, numeric: bool) -> None:
        """Write one row: a point a cell when all of them are numbers, else the row as one event."""
        number = next(self._claim(metric, "rows"))
        if not numeric:
            self._metric_event(metric, kind, cells, {runs.ROW: number}, text)
            return
        for column, cell in cells.items():
            self._outlet.write((POINT, self.now_unix_nano(), self.key, metric, kind, cell, number, None, column, text))

    def line(self, stream: Stream, line: Line) -> None:
        """Write one line that was printed, as a log record. No level: most of what goes to stderr is no error."""
        attributes: dict[str, object] = {"log.iostream": stream}
        if line.part is not None:
            attributes["log.record.part"] = line.part
        now = self.now_unix_nano()
        self._outlet.write(
            (LOG, now, self.key, stream, 0, "", line.text, attributes, "", 0, "", 0, "", None, None, 0, 0)
        )

    def nothing(self, metric: str, kind: str, empty: "list[Any] | dict[str, Any]", text: str) -> None:
        """Say that a list or a table was logged and is empty, so that its name is there."""
        self._claim(metric, "values" if kind == "list" else "rows")
        self._metric_event(metric, kind, empty, {}, text)

    def document(self, metric: str, kind: str, body: "dict[str, Any]", text: str) -> None:
        """Write a JSON document (for an image: where its file is) as one value of a metric."""
        counter = self._claim(metric, "files")
        self._metric_event(metric, kind, body, {runs.INDEX: next(counter)}, text)

    def _metric_event(self, metric: str, kind: str, body: Any, place: "dict[str, int | None]", text: str) -> None:
        attributes: dict[str, Any] = {runs.METRIC_NAME: metric, runs.KIND: kind}
        attributes.update((key, value) for key, value in place.items() if value is not None)
        if text:
            attributes[runs.METRIC_DESCRIPTION] = text
        self._outlet.write((EVENT, self.now_unix_nano(), self.key, runs.METRIC, body, attributes))

    def _claim(self, metric: str, family: str) -> Iterator[int]:
        """Give the metric's counter. Raises InvalidArgument when the name holds another family of values.

        The old service dropped such values with no more than a line in its own log.
        """
        settled = self._families.setdefault(metric, family)
        if settled != family:
            raise InvalidArgument(
                f"metric {metric!r} already holds {settled} and cannot hold {family} too: choose another name for one."
            )
        counters = self._values if family == "values" else self._others
        return counters.setdefault(metric, count())
