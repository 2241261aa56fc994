"""``run_context``: give records their run, from what the place they ran in says of it.

A container's label, a pod's annotation or a variable names the run; the store wants it as ``run.id``.
"""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from runmill.collector.component import Signal
from runmill.collector.processors.account import Account
from runmill.collector.processors.records import Element, Request, find, resources
from runmill.collector.values import Section
from runmill.otlp import runs

__all__ = ["RunContext", "RunContextConfig"]


class RunContextConfig(Section):
    """Of each list, the first resource attribute that is there gives the value; what a record already has stays."""

    run_id: list[str] = Field(
        default=[
            "container.label.runmill.run_id",
            "k8s.pod.label.runmill.run_id",
            "k8s.pod.annotation.runmill.run_id",
            "process.environment_variable.RUNMILL_RUN_ID",
        ]
    )
    """Where ``run.id`` comes from."""
    experiment: list[str] = Field(default=["container.label.runmill.experiment", "k8s.pod.label.runmill.experiment"])
    """Where ``run.experiment`` comes from."""
    parent_id: list[str] = Field(default=["container.label.runmill.parent_id", "k8s.pod.label.runmill.parent_id"])
    """Where ``run.parent_id`` comes from."""
    rank: list[str] = Field(default=["process.environment_variable.RANK"])
    """Where ``run.rank`` comes from."""


_ATTRIBUTES: Final = {
    "run_id": runs.RUN_ID,
    "experiment": runs.EXPERIMENT,
    "parent_id": runs.PARENT_ID,
    "rank": runs.RANK,
}


@dataclass(frozen=True, slots=True)
class RunContext:
    """Adds a run's attributes to resources; drops nothing."""

    config: RunContextConfig

    def __call__(self, signal: Signal, request: Request, account: Account, /) -> bool:
        """Complete every resource of *request*."""
        changed = False
        for resource in resources(signal, request):
            for name, attribute in _ATTRIBUTES.items():
                if _complete(resource.attributes, attribute, getattr(self.config, name)):
                    account.changed(Element(resource, None, None), f"{name}, which gives {attribute}")
                    changed = True
        return changed


def _complete(attributes: Any, attribute: str, sources: list[str]) -> bool:
    if find(attributes, attribute) is not None:
        return False
    found = next((pair for key in sources if (pair := find(attributes, key)) is not None), None)
    if found is None:
        return False
    attributes.add(key=attribute).value.CopyFrom(found.value)
    return True
