"""What the bodies of several requests hold."""

from typing import Annotated

from pydantic import BaseModel, Field

__all__ = ["Milliseconds", "Tag"]

Milliseconds = Annotated[int, Field(ge=0, le=(2**63 - 1) // 1_000_000)]
"""Since the epoch, as MLflow counts; no later than nanoseconds in 64 bits can say."""


class Tag(BaseModel):
    """A key with its text; of a parameter too."""

    key: str
    value: str = ""
