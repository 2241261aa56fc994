"""What an engine tells of a container: whose its lines are, and whether it is one to follow."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from runmill.collector.receivers.docker.config import DockerConfig, Selection
from runmill.otlp import runs

__all__ = ["Container", "is_selected", "resource_of"]

# By attribute, where it is looked for: the first that says something counts.
_RUN_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    runs.RUN_ID: ("runmill.run.id", "runmill.run_id"),
    runs.EXPERIMENT: ("runmill.run.experiment", "runmill.experiment"),
    runs.PARENT_ID: ("runmill.run.parent_id", "runmill.parent_id"),
    runs.RANK: ("runmill.run.rank", "runmill.rank"),
}
_RUN_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    runs.RUN_ID: ("RUNMILL_RUN_ID", "AZUREML_RUN_ID"),
    runs.EXPERIMENT: ("RUNMILL_EXPERIMENT",),
    runs.PARENT_ID: ("RUNMILL_PARENT_RUN_ID",),
    runs.RANK: ("RANK",),
}
_COMPOSE_SERVICE: Final = "com.docker.compose.service"
_IMAGE: Final = re.compile(r"(?P<name>.+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>[\w+.-]+:[0-9a-f]+))?")


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine describes it."""

    container_id: str
    name: str
    image: str
    """As it was started with."""
    image_id: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    is_terminal: bool
    """Whether it has one: then its output has one stream."""
    is_running: bool

    @staticmethod
    def read(found: Mapping[str, Any]) -> "Container":
        """Read what ``GET /containers/ID/json`` gave."""
        config = found["Config"]
        return Container(
            container_id=found["Id"],
            name=found["Name"].removeprefix("/"),
            image=config["Image"],
            image_id=found["Image"],
            labels=config["Labels"] or {},
            environment=dict(pair.split("=", 1) for pair in config["Env"] or () if "=" in pair),
            is_terminal=config["Tty"],
            is_running=found["State"]["Running"],
        )


def is_selected(container: Container, config: DockerConfig) -> bool:
    """Say whether to follow *container*."""
    given = _matches(container, config.include)
    return all(given) and not any(_matches(container, config.exclude))


def resource_of(container: Container, config: DockerConfig, *, runtime: str) -> dict[str, Any]:
    """Give the resource of what *container* prints. Source: OpenTelemetry semantic conventions, Container."""
    image = _IMAGE.fullmatch(container.image)
    tag = image["tag"] if image else None
    return {
        "container.id": container.container_id,
        "container.name": container.name,
        "container.image.id": container.image_id,
        "container.image.name": image["name"] if image else container.image,
        **({"container.image.tags": [tag]} if tag else {}),
        "container.runtime": runtime,
        "service.name": container.environment.get("OTEL_SERVICE_NAME")
        or container.labels.get(_COMPOSE_SERVICE)
        or container.name,
        **_chosen(container.labels, config.container_labels, "container.label."),
        **_chosen(container.environment, config.env, "process.environment_variable."),
        **dict(_run(container)),
        **config.resource,
    }


def _run(container: Container) -> Iterator[tuple[str, str]]:
    """Yield the attributes of the run that a container says it belongs to; labels count more."""
    for attribute, labels in _RUN_LABELS.items():
        told = [container.labels.get(label) for label in labels]
        told += [container.environment.get(variable) for variable in _RUN_VARIABLES[attribute]]
        value = next(filter(None, told), None)
        if value is not None:
            yield attribute, value


def _matches(container: Container, selection: Selection) -> Iterator[bool]:
    """Yield for each list that is given whether it matches."""
    if selection.names:
        yield _any_matches([container.name], selection.names)
    if selection.images:
        yield _any_matches([container.image], selection.images)
    if selection.labels:
        told = [text for key, value in container.labels.items() for text in (key, f"{key}={value}")]
        yield _any_matches(told, selection.labels)


def _any_matches(texts: Iterable[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for text in texts for pattern in patterns)


def _chosen(found: Mapping[str, str], patterns: Sequence[str], prefix: str) -> dict[str, str]:
    return {prefix + key: value for key, value in found.items() if _any_matches([key], patterns)}
