"""What a file's path says of its lines."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runmill.collector.lines.encoding import Origin
from runmill.collector.receivers.file_log_config import FileLogConfig

__all__ = ["FileOrigins", "kubernetes_resource"]

_MOST_KEPT: Final = 20_000

# /var/log/pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log, also rotated: 0.log.20261122-010426.gz
_POD_PATH: Final = re.compile(
    r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_(?P<uid>[0-9a-fA-F-]+)/(?P<container>[^/]+)/(?P<restarts>\d+)\.log[^/]*$"
)
# /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, a link to the former
_CONTAINER_PATH: Final = re.compile(
    r"/(?P<pod>[^/_]+)_(?P<namespace>[^/_]+)_(?P<container>[^/_]+)-(?P<id>[0-9a-f]{64})\.log$"
)
_NAMES: Final = {
    "namespace": "k8s.namespace.name",
    "pod": "k8s.pod.name",
    "uid": "k8s.pod.uid",
    "container": "k8s.container.name",
    "restarts": "k8s.container.restart_count",
    "id": "container.id",
}


class FileOrigins:
    """Makes the origin of a file's lines, once for each path."""

    def __init__(self, config: FileLogConfig) -> None:
        self._config = config
        self._reads_path = config.container is not None and config.container.add_metadata_from_filepath
        self._made: dict[str, Origin] = {}

    def of(self, path: str) -> Origin:
        """Give the origin of lines of the file at *path*."""
        made = self._made.get(path)
        if made is None:
            if len(self._made) >= _MOST_KEPT:
                self._made.clear()
            resource = {**self._config.resource, **(kubernetes_resource(path) if self._reads_path else {})}
            made = self._made[path] = Origin(resource, {**self._config.attributes, **dict(self._attributes(path))})
        return made

    def _attributes(self, path: str) -> Iterator[tuple[str, str]]:
        config, resolved = self._config, os.path.realpath(path)
        if config.include_file_name:
            yield "log.file.name", os.path.basename(path)  # noqa: PTH119 - paths are text here
        if config.include_file_path:
            yield "log.file.path", path
        if config.include_file_name_resolved:
            yield "log.file.name_resolved", os.path.basename(resolved)  # noqa: PTH119 - as above
        if config.include_file_path_resolved:
            yield "log.file.path_resolved", resolved
        # A file that is gone, or whose owner has no name here, is read all the same.
        if config.include_file_owner_name:
            with contextlib.suppress(OSError, KeyError, NotImplementedError):
                yield "log.file.owner.name", Path(path).owner()
        if config.include_file_owner_group_name:
            with contextlib.suppress(OSError, KeyError, NotImplementedError):
                yield "log.file.owner.group.name", Path(path).group()


def kubernetes_resource(path: str) -> dict[str, str]:
    """Give the resource attributes that the path of a container's log file tells; none for another path."""
    found = _POD_PATH.search(path) or _CONTAINER_PATH.search(path)
    return {_NAMES[name]: value for name, value in found.groupdict().items()} if found else {}
