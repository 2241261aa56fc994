"""Which of a run's properties somebody chose: what MLflow calls its parameters."""

from typing import Final

from runmill.model import Run

__all__ = ["chosen_properties"]

_NOTED: Final = ("azureml.", "mlflow.", "runmill.", "ContentSnapshotId")
"""How properties begin that a library noted."""


def chosen_properties(run: Run) -> dict[str, str]:
    """Give the properties of *run* without those that a library noted of its origin."""
    return {key: value for key, value in run.properties.items() if not key.startswith(_NOTED)}
