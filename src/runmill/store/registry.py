"""Models and experiments as folds over their events. Pure, as a run's state is."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runmill.model import Artifact, Attributes, Experiment, ModelVersion, RunEvent

__all__ = ["EXPERIMENT_UPDATED", "MODEL", "ExperimentEvent", "model_versions", "with_labels"]

# As `docs/conventions.md` has them.
MODEL = "run.model"
EXPERIMENT_UPDATED = "experiment.updated"


@dataclass(frozen=True, slots=True)
class ExperimentEvent:
    """One change to an experiment; ``body["experiment"]`` is its name."""

    time_unix_nano: int
    body: Attributes


def model_versions(events: Iterable[RunEvent]) -> list[ModelVersion]:
    """Give a version for each registration; *events* come in the order they arrived, and that numbers them."""
    counts: dict[str, int] = defaultdict(int)
    versions = []
    for event in events:
        body: Any = event.body
        counts[body["name"]] += 1
        versions.append(_version(event, body, counts[body["name"]]))
    return versions


def with_labels(experiments: Sequence[Experiment], events: Iterable[ExperimentEvent]) -> list[Experiment]:
    """Give *experiments* with the tags, and the time of archiving, that *events* say; then those of no run yet."""
    labels: dict[str, _Labels] = defaultdict(_Labels)
    for event in sorted(events, key=lambda event: event.time_unix_nano):
        body: Any = event.body
        labels[body["experiment"]].take(event.time_unix_nano, body)
    named = {each.name: each for each in experiments}
    for name, label in labels.items():
        known = named.get(name) or Experiment(name, run_count=0, running_count=0, last_start_time_unix_nano=0)
        named[name] = replace(known, tags=label.tags, archived_time_unix_nano=label.archived)
    return list(named.values())


@dataclass(slots=True)
class _Labels:
    tags: dict[str, str | None] = field(default_factory=dict)
    archived: int | None = None

    def take(self, time_unix_nano: int, body: Mapping[str, Any]) -> None:
        for key in body.get("removed_tags", ()):
            self.tags.pop(key, None)
        self.tags.update(body.get("tags", {}))
        if "archived" in body:
            self.archived = time_unix_nano if body["archived"] else None


def _version(event: RunEvent, body: Mapping[str, Any], version: int) -> ModelVersion:
    facts = ("description", "framework", "framework_version", "tags", "properties")
    return ModelVersion(
        name=body["name"],
        version=version,
        run_id=event.run_id,
        path=body["path"],
        files=tuple(_file(event, file) for file in body["files"]),
        time_unix_nano=event.time_unix_nano,
        **{key: body[key] for key in facts if key in body},
    )


def _file(event: RunEvent, file: Mapping[str, Any]) -> Artifact:
    keys = ("path", "size_bytes", "media_type", "sha256")
    return Artifact(run_id=event.run_id, time_unix_nano=event.time_unix_nano, **{key: file[key] for key in keys})
