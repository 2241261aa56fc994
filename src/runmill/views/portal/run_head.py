"""What stands on every page of a run: its facts, the parts it has, and the rank that is looked at."""

from dataclasses import dataclass
from typing import Final

from runmill.model import MetricSummary, ModelVersion, Run, RunId
from runmill.store.interface import Store
from runmill.store.query import RunQuery
from runmill.views.chosen import chosen_properties
from runmill.views.portal.panels import is_system
from runmill.views.portal.ranks import rank_count

__all__ = ["RunHead", "run_head"]

_MOST_PARAMS: Final = 8
_LONGEST_PARAM: Final = 24


@dataclass(frozen=True, slots=True)
class RunHead:
    """A run with what is known before any of its parts is read."""

    run: Run
    metrics: tuple[MetricSummary, ...]
    models: tuple[ModelVersion, ...]
    """What was registered of its files."""
    child_count: int
    rank_count: int
    asked_rank: int | None
    """As it stands in the address: lines and curves are of this rank alone."""

    @property
    def rank(self) -> int | None:
        """Whose curves are drawn: those of many ranks on one line would say nothing, so rank 0 stands for all."""
        if self.asked_rank is None and self.rank_count > 1:
            return 0
        return self.asked_rank

    @property
    def params(self) -> list[tuple[str, str]]:
        """The parameters that have room beside the run's name; all its properties are a click away."""
        short = [pair for pair in chosen_properties(self.run).items() if len(pair[1]) <= _LONGEST_PARAM]
        return short[:_MOST_PARAMS]

    @property
    def parts(self) -> list[tuple[str, str, int | None]]:
        """The parts there are: the end of their address, their name, and how many things are in it."""
        system = any(is_system(each) for each in self.metrics)
        images = len({each.metric for each in self.metrics if each.kind == "image"})
        return [
            ("", "Overview", None),
            ("/metrics", "Metrics", None),
            ("/logs", "Logs", None),
            *([("/images", "Images", images)] if images else []),
            ("/files", "Files", None),
            *([("/children", "Children", self.child_count)] if self.child_count else []),
            *([("/system", "System", None)] if system else []),
            ("/events", "Events", None),
        ]

    @property
    def query(self) -> str:
        """What every link within the run takes along."""
        return "" if self.asked_rank is None else f"?rank={self.asked_rank}"


def run_head(store: Store, run_id: str, *, rank: int | None = None) -> RunHead:
    """Read it. Raises NotFound."""
    run = store.run(RunId(run_id))
    metrics = store.metrics([run.run_id]).get(run.run_id, [])
    return RunHead(
        run=run,
        metrics=tuple(metrics),
        models=tuple(each for each in store.models() if each.run_id == run.run_id),
        child_count=len(store.runs(RunQuery(parent_id=run.run_id, limit=1000))),
        rank_count=rank_count(store, run.run_id, metrics),
        asked_rank=rank,
    )
