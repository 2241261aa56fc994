"""What the YAML says of the ``docker`` receiver."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from runmill.collector.receivers.stream_config import StreamConfig
from runmill.collector.values import Duration, Section

__all__ = ["DockerConfig", "Selection"]

_ENDPOINT: Final = re.compile(r"unix:///.+|(tcp|http)://[^/]+/?")
_API_VERSION: Final = re.compile(r"\d+\.\d+")


def _check_endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError(
            f"{value!r} is no address of a container engine. Write for example unix:///var/run/docker.sock, "
            "unix:///run/podman/podman.sock or tcp://HOST:2375"
        )
    return value


def _check_api_version(value: str) -> str:
    if value and not _API_VERSION.fullmatch(value):
        raise ValueError(f"{value!r} is no version of the Engine API. Write for example '1.41', in quotes")
    return value


class Selection(Section):
    """Containers by patterns with `*`, `?` and `[a-z]`; in a list that is given, one has to match."""

    names: list[str] = Field(default_factory=list)
    """Of containers, without the slash in front."""
    images: list[str] = Field(default_factory=list)
    """As the container was started with: `trainer:*`, `registry.example/team/*`."""
    labels: list[str] = Field(default_factory=list)
    """`KEY` for any value, or `KEY=VALUE`."""


class DockerConfig(StreamConfig):
    """Follows the containers of Docker or podman through the Engine API."""

    endpoint: Annotated[str, AfterValidator(_check_endpoint)] = "unix:///var/run/docker.sock"
    """The engine's socket; `tcp://HOST:PORT` for one that listens on a network."""
    api_version: Annotated[str, AfterValidator(_check_api_version)] = ""
    """Of the Engine API; by default the newest that both know."""
    timeout: Duration = 5
    """How long the engine may take to answer."""
    poll_interval: Duration = 10
    """How often to look which containers there are, beside what the engine tells of itself."""
    include: Selection = Field(default_factory=Selection)
    """Which containers to follow: those that match every list given here. By default all."""
    exclude: Selection = Field(default_factory=Selection)
    """Which to leave out: those that match any list given here."""
    start_at: Literal["beginning", "end"] = "end"
    """Where to begin when this receiver first starts: with what containers print from then on, or with all that the
    engine still has, of ended containers too. Later it always goes on where it ended."""
    container_labels: list[str] = Field(default=["*"])
    """Patterns of labels to have in the resource, as `container.label.KEY`."""
    env: list[str] = Field(default_factory=list)
    """Patterns of variables of the container to have in the resource, as `process.environment_variable.NAME`. Think of
    secrets."""
    storage: str | None = None
    """The file that keeps what is under way and how far containers are read; by default, and for `file_storage`, one in
    the home directory."""
