"""Which runs have had their time. Pure: no clock, no store."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from runmill.model import Run, RunId
from runmill.store.fold import RUNNING

__all__ = ["Family", "families"]

_LOST_AFTER_NANO: Final = 86_400 * 10**9
"""A run that never ended may be at work on a machine that cannot reach us; after so long a silence it is given up."""


@dataclass(frozen=True, slots=True)
class Family:
    """A run and all below it: they stay or go together."""

    run_ids: tuple[RunId, ...]
    last_seen_unix_nano: int
    """When anything of any of them last arrived."""


def families(runs: Iterable[Run], *, kept: Collection[RunId], now_unix_nano: int) -> list[Family]:
    """Give the families that may go, the one that was silent for longest first.

    One with a run at work, with one that fell silent less than a day ago, or with one of *kept*, may not.
    """
    lost = now_unix_nano - _LOST_AFTER_NANO
    by_id = {run.run_id: run for run in runs}
    members: dict[RunId, list[Run]] = defaultdict(list)
    for run in by_id.values():
        members[_root(run, by_id).run_id].append(run)
    found = [
        Family(tuple(run.run_id for run in each), max(run.last_seen_unix_nano for run in each))
        for each in members.values()
        if not any(run.run_id in kept or _may_be_at_work(run, lost) for run in each)
    ]
    return sorted(found, key=lambda family: family.last_seen_unix_nano)


def _may_be_at_work(run: Run, lost_unix_nano: int) -> bool:
    return run.status in RUNNING or (run.status == "NotResponding" and run.last_seen_unix_nano >= lost_unix_nano)


def _root(run: Run, by_id: dict[RunId, Run]) -> Run:
    seen = {run.run_id}
    while run.parent_id in by_id and run.parent_id not in seen:  # a run may name one below it as its parent
        run = by_id[run.parent_id]
        seen.add(run.run_id)
    return by_id[min(seen)] if run.parent_id in seen else run
