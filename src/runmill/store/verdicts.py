"""Whether a run measured what somebody looks for."""

from collections.abc import Iterable, Sequence

from runmill.model import MetricSummary
from runmill.store.condition import COMPARISONS, Amount

__all__ = ["measures"]


def measures(metrics: Iterable[MetricSummary], where: Sequence[Amount]) -> bool:
    """Say whether the last number of each metric that *where* names compares so; NaN never does."""
    last = {each.metric: each.last for each in metrics if each.column is None and each.last is not None}
    return all(each.key in last and COMPARISONS[each.comparison](last[each.key], each.number) for each in where)
