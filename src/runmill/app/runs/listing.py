"""Which runs are wanted: filters as the callers write them, asked of the server and checked here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runmill.app.runs.client import Client
from runmill.model import Run

__all__ = ["Labels", "Wanted", "descendants", "has_labels", "wanted_runs"]

Labels = str | Mapping[str, str | None]
"""A key that must be there, or keys with the values they must have."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is given must hold."""

    type: str | None = None
    tags: Labels | None = None
    properties: Labels | None = None
    status: str | None = None

    def fits(self, run: Run) -> bool:
        """Say whether the run is wanted."""
        return (
            self.type in (None, run.type)
            and self.status in (None, run.status)
            and has_labels(run.tags, self.tags)
            and has_labels(run.properties, self.properties)
        )


def wanted_runs(client: Client, experiment: str, wanted: Wanted, *, include_children: bool) -> Iterator[Run]:
    """Yield the experiment's runs that fit, newest first."""
    found = client.runs(experiment=experiment, include_children=include_children, status=wanted.status)
    return (run for run in found if wanted.fits(run))


def descendants(client: Client, run_id: str, *, recursive: bool) -> Iterator[Run]:
    """Yield the runs below a run, each before its own."""
    for child in client.runs(parent_id=run_id):
        yield child
        if recursive:
            yield from descendants(client, child.run_id, recursive=True)


def has_labels(labels: Mapping[str, str | None], wanted: Labels | None) -> bool:
    """Say whether *labels* have all that is wanted; None wants nothing."""
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in labels
    return all(key in labels and labels[key] == value for key, value in wanted.items())
