"""All runs in memory: listing and filtering them never reads a table.

Kept small: a run is its folded state, not its events. When events of a run are committed it is folded again at the
next look, from what the engine then loads; data and heartbeats only move its times.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from runmill.errors import NotFound
from runmill.model import Experiment, Run, RunEvent, RunId
from runmill.store.fold import RUNNING, Origin, fold, seen_at
from runmill.store.query import RunQuery
from runmill.store.run_condition import searched

__all__ = ["Catalogue", "LoadEvents"]

LoadEvents = Callable[[Collection[RunId]], Mapping[RunId, list[RunEvent]]]
"""Give the events of the runs, heartbeats left out, each run's in the order they arrived."""

_SHORTEST_PREFIX: Final = 6


@dataclass(slots=True)
class _Entry:
    origin: Origin
    run: Run | None = None
    """None: to be folded."""


class Catalogue:
    """The runs of a store. Safe from any thread."""

    def __init__(self, load_events: LoadEvents, clock: Callable[[], int]) -> None:
        self._load_events = load_events
        self._clock = clock
        self._entries: dict[RunId, _Entry] = {}
        self._stale: set[RunId] = set()
        self._miscounted = False
        self._lock = threading.Lock()

    def saw(self, run_id: RunId, origin: Origin) -> None:
        """Take note of data or events of a run; of what a resource says, the first word stays."""
        with self._lock:
            entry = self._entries.get(run_id)
            if entry is None:
                self._entries[run_id] = _Entry(origin)
                self._stale.add(run_id)
                return
            before, entry.origin = entry.origin, _merged(entry.origin, origin)
            if replace(entry.origin, last_seen_unix_nano=before.last_seen_unix_nano) != before:
                self._stale.add(run_id)
            elif entry.run is not None and origin.last_seen_unix_nano > entry.run.last_seen_unix_nano:
                entry.run = replace(entry.run, last_seen_unix_nano=origin.last_seen_unix_nano)

    def changed(self, run_ids: Iterable[RunId]) -> None:
        """Take note that events of these runs, which were seen, are committed."""
        with self._lock:
            self._stale.update(run_ids)

    def find(self, given: str) -> RunId | None:
        """Give the id of the run that *given* names: its id, or a unique prefix of at least 6 characters."""
        with self._lock:
            return self._find(given)

    def get(self, given: str) -> RunId:
        """Do as `find`. Raises NotFound."""
        run_id = self.find(given)
        if run_id is None:
            raise NotFound(f"run {given!r}: no such run, nor exactly one whose id begins so.")
        return run_id

    def run(self, given: str) -> Run:
        """Give a run's state now. Raises NotFound."""
        run_id = self.get(given)
        with self._lock:
            self._refresh()
            run = self._entries[run_id].run
        assert run is not None, "refreshed"
        return seen_at(run, self._clock())

    def runs(self, query: RunQuery) -> list[Run]:
        """Give the runs that fit, newest start first."""
        runs = self.all()
        if query.ancestor_id is not None:
            runs = _below(query.ancestor_id, runs)
        found = [run for run in runs if _fits(run, query)]
        found.sort(key=lambda run: (-run.start_time_unix_nano, run.run_id))
        return found[query.offset : query.offset + query.limit]

    def all(self) -> list[Run]:
        """Give every run's state now."""
        with self._lock:
            self._refresh()
            runs = [entry.run for entry in self._entries.values() if entry.run is not None]
        now = self._clock()
        return [seen_at(run, now) for run in runs]

    def experiments(self) -> list[Experiment]:
        """Give all experiments, the one with the newest run first."""
        by_name: dict[str, list[Run]] = defaultdict(list)
        for run in self.all():
            by_name[run.experiment].append(run)
        found = [_experiment(name, runs) for name, runs in by_name.items()]
        return sorted(found, key=lambda experiment: (-experiment.last_start_time_unix_nano, experiment.name))

    def __len__(self) -> int:
        return len(self._entries)

    def _find(self, given: str) -> RunId | None:
        if given in self._entries:
            return RunId(given)
        if len(given) < _SHORTEST_PREFIX:
            return None
        fitting = [run_id for run_id in self._entries if run_id.startswith(given)]
        return fitting[0] if len(fitting) == 1 else None

    def _refresh(self) -> None:
        if not self._stale:
            return
        events = self._load_events(self._stale)
        for run_id in self._stale:
            self._refold(run_id, events.get(run_id, []))
        self._stale.clear()
        if self._miscounted:
            self._count()

    def _refold(self, run_id: RunId, events: list[RunEvent]) -> None:
        entry = self._entries[run_id]
        run = fold(run_id, events, entry.origin)
        before = entry.run
        if before is not None and _place(before) == _place(run):
            run = replace(run, number=before.number)
        else:
            self._miscounted = True
        entry.run = run

    def _count(self) -> None:
        """Number the runs of each experiment by their start."""
        counts: dict[str, int] = defaultdict(int)
        for entry in sorted(self._entries.values(), key=lambda entry: _place(entry.run)):
            assert entry.run is not None, "all are folded"
            counts[entry.run.experiment] += 1
            if entry.run.number != counts[entry.run.experiment]:
                entry.run = replace(entry.run, number=counts[entry.run.experiment])
        self._miscounted = False


def _place(run: Run | None) -> tuple[str, int, str]:
    assert run is not None, "only folded runs have a place"
    return run.experiment, run.start_time_unix_nano, run.run_id


def _merged(known: Origin, more: Origin) -> Origin:
    return Origin(
        first_seen_unix_nano=min(known.first_seen_unix_nano, more.first_seen_unix_nano),
        last_seen_unix_nano=max(known.last_seen_unix_nano, more.last_seen_unix_nano),
        experiment=known.experiment or more.experiment,
        parent_id=known.parent_id or more.parent_id,
        host=known.host or more.host,
        service=known.service or more.service,
    )


def _experiment(name: str, runs: list[Run]) -> Experiment:
    return Experiment(
        name=name,
        run_count=len(runs),
        child_count=sum(run.parent_id is not None for run in runs),
        running_count=sum(run.status in RUNNING for run in runs),
        last_start_time_unix_nano=max(run.start_time_unix_nano for run in runs),
    )


def _fits(run: Run, query: RunQuery) -> bool:
    return (
        (query.experiment is None or run.experiment == query.experiment)
        and (query.status is None or run.status in query.status)
        and _fits_parent(run, query)
        and all(_has_tag(run, key, value) for key, value in query.tags)
        and (query.text is None or query.text.casefold() in searched(run))
    )


def _fits_parent(run: Run, query: RunQuery) -> bool:
    if query.parent_id is not None:
        return run.parent_id == query.parent_id
    return query.include_children or query.ancestor_id is not None or run.parent_id is None


def _below(ancestor_id: RunId, runs: Iterable[Run]) -> list[Run]:
    """Give the runs below one, each once: a run may name itself, or one below it, as its parent."""
    children: dict[RunId | None, list[Run]] = defaultdict(list)
    for run in runs:
        children[run.parent_id].append(run)
    waiting, found = [ancestor_id], dict[RunId, Run]()
    while waiting:
        for child in children.pop(waiting.pop(), ()):
            if child.run_id != ancestor_id:
                found[child.run_id] = child
                waiting.append(child.run_id)
    return list(found.values())


def _has_tag(run: Run, key: str, value: str | None) -> bool:
    return key in run.tags and (value is None or run.tags[key] == value)
