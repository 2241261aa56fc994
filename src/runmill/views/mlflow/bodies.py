"""What the bodies of several requests hold."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

__all__ = ["Metric", "Milliseconds", "Tag"]

_INT64_END = 2**63

Milliseconds = Annotated[int, Field(ge=0, le=(2**63 - 1) // 1_000_000)]
"""Since the epoch, as MLflow counts; no later than nanoseconds in 64 bits can say."""


class Tag(BaseModel):
    """A key with its text; of a parameter too."""

    key: str
    value: str = ""


class Metric(BaseModel):
    """One value of a metric."""

    key: Annotated[str, StringConstraints(min_length=1)]
    value: int | float
    timestamp: Milliseconds
    step: Annotated[int, Field(ge=-_INT64_END, lt=_INT64_END)] = 0
    model_id: str = ""
    """The model that was measured, too; empty: only the run."""
