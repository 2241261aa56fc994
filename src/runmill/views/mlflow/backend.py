"""What the routes stand on: the store to read from, and the way in for what a client says."""

import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeAlias

from anyio import from_thread

from runmill.errors import NotFound, Rejected
from runmill.model import MetricPoint, Run, RunId, Statement
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.mlflow.arrival import Arrivals

__all__ = ["Backend", "Tell"]

Tell: TypeAlias = Callable[[Statement], Coroutine[Any, Any, None]]
"""Returns once the statement is stored; raises Refused or Rejected."""

_MOST_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Backend:
    """Used from the worker threads that answer requests."""

    store: Store
    tell: Tell | None
    """None: this server takes nothing in."""
    arrivals: Arrivals

    def run(self, run_id: str) -> Run:
        """Give a run's state. Raises NotFound, for the beginning of an id too: a client writes to what it names.

        A run that runmill began may be named before it is known, and is waited for.
        """
        self.arrivals.wait_for(RunId(run_id))
        run = self.store.run(RunId(run_id))
        if run.run_id != run_id:
            raise NotFound(f"run {run_id!r}: no such run. Give the whole id.")
        return run

    def runs(self, experiment: str) -> Iterator[Run]:
        """Give every run of an experiment."""
        for offset in count(0, _MOST_AT_ONCE):
            query = RunQuery(experiment=experiment, include_children=True, limit=_MOST_AT_ONCE, offset=offset)
            yield from (runs := self.store.runs(query))
            if len(runs) < _MOST_AT_ONCE:
                return

    def say(self, run: Run, event_name: str, body: Mapping[str, Any], *, time_unix_nano: int | None = None) -> None:
        """Say that something happened to *run*, by default now."""
        now = time.time_ns() if time_unix_nano is None else time_unix_nano
        self.say_all(Statement(run.experiment, run.run_id, now, event_name, body))

    def say_values(self, run: Run, points: Sequence[MetricPoint], changed: Mapping[str, Any]) -> None:
        """Say what *run* measured and what of it changed, each only where there is something."""
        if points or changed:
            name = "run.updated" if changed else ""
            self.say_all(Statement(run.experiment, run.run_id, time.time_ns(), name, changed, points))

    def say_all(self, statement: Statement) -> None:
        """Return once *statement* is stored. Raises Refused, Rejected."""
        if self.tell is None:
            raise Rejected("this server only shows what is stored. Log to one that runs `runmill up`.")
        from_thread.run(self.tell, statement)
