"""One export request as several smaller ones, for a backend that takes no more than so much at once.

The parse stops at the records, and what the short schema does not know passes as it is: of no record anything is lost.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from runmill.otlp.schema import LogsRequest, Message, MetricsRequest, TracesRequest, parse

__all__ = ["DividedSignal", "Piece", "Sizer", "divide"]

DividedSignal = Literal["logs", "metrics", "traces"]
"""Not profiles: the samples of a request share a dictionary, which each piece would need whole."""
Sizer = Literal["items", "bytes"]

_REQUESTS: Final[Mapping[DividedSignal, type[Message]]] = {
    "logs": LogsRequest,
    "metrics": MetricsRequest,
    "traces": TracesRequest,
}
_BELOW: Final[Mapping[str, str]] = {
    "LogsRequest": "resource_logs", "ResourceLogs": "scope_logs", "ScopeLogs": "log_records",
    "MetricsRequest": "resource_metrics", "ResourceMetrics": "scope_metrics", "ScopeMetrics": "metrics",
    "TracesRequest": "resource_spans", "ResourceSpans": "scope_spans", "ScopeSpans": "spans",
}  # fmt: skip
_MOST_FRAME_BYTES: Final = 12
"""Tag and length of a message in another one; a metric has two of them around its points."""


class Piece(NamedTuple):
    """A request of its own."""

    payload: bytes
    record_count: int


def divide(signal: DividedSignal, payload: bytes, *, most: int, sizer: Sizer) -> Iterator[Piece]:
    """Yield requests of at most so many records (log records, data points, spans) or bytes, in their order.

    A record that is larger than that for itself is a piece of its own. Resources and scopes are repeated in each piece;
    those without records are left out.

    Raises:
        WireError: The bytes are no such request.
    """
    making = _Making(_weigh_bytes if sizer == "bytes" else _weigh_items)
    for above, record in _records(parse(_REQUESTS[signal], payload)):
        if making.record_count and making.weight_with(above, record) > most:
            yield making.finish()
        making.add(above, record)
    if making.record_count:
        yield making.finish()


def _records(message: Message, above: tuple[Message, ...] = ()) -> Iterator[tuple[tuple[Message, ...], Message]]:
    """Take the records out of a message; yield each with the messages around it, which are empty by then."""
    children = _children(message)
    if children is None:
        yield above, message
        return
    taken = list(children)
    del children[:]
    below = (*above, message)
    for child in taken:
        yield from _records(child, below)


def _children(message: Message) -> Any:
    """Give what a message repeats; None for a record."""
    name = message.DESCRIPTOR.name
    if name == "Metric":
        kind = message.WhichOneof("data")
        return getattr(message, kind).data_points if kind else []
    return getattr(message, _BELOW[name]) if name in _BELOW else None


def _weigh_items(message: Message) -> int:
    return 1 if _children(message) is None else 0


def _weigh_bytes(message: Message) -> int:
    size: int = message.ByteSize()
    return size + _MOST_FRAME_BYTES


class _Making:
    """The piece that is being made: a copy of each message around the last record, still open for the next one."""

    def __init__(self, weigh: Callable[[Message], int]) -> None:
        self._weigh = weigh
        self._begin()

    def _begin(self) -> None:
        self._around: tuple[Message, ...] = ()
        self._open = list[Message]()
        self._records: Any = None
        self._weight = 0
        self.record_count = 0

    def weight_with(self, above: tuple[Message, ...], record: Message) -> int:
        """Give what the piece would weigh with one record more."""
        around = 0 if above is self._around else sum(map(self._weigh, above[self._shared(above) :]))
        return self._weight + around + self._weigh(record)

    def add(self, above: tuple[Message, ...], record: Message) -> None:
        """Put a record into the piece, below what it was below."""
        self._weight = self.weight_with(above, record)
        if above is not self._around:
            self._surround(above)
        self._records.append(record)
        self.record_count += 1

    def finish(self) -> Piece:
        """Give the piece, and begin the next one."""
        piece = Piece(self._open[0].SerializeToString(), self.record_count)
        self._begin()
        return piece

    def _surround(self, above: tuple[Message, ...]) -> None:
        shared = self._shared(above)
        del self._open[shared:]
        for one in above[shared:]:
            copy = _children(self._open[-1]).add() if self._open else type(one)()
            copy.CopyFrom(one)
            self._open.append(copy)
        self._around, self._records = above, _children(self._open[-1])

    def _shared(self, above: tuple[Message, ...]) -> int:
        pairs = zip(self._around, above, strict=False)
        return next((depth for depth, (mine, its) in enumerate(pairs) if mine is not its), len(self._around))
