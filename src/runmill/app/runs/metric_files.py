"""Images and JSON documents among the metrics: what stands for them in ``get_metrics``."""

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from runmill.app.runs.client import Client
from runmill.model import MetricPoint

__all__ = ["MetricFile", "address_of", "metric_file"]


@dataclass(frozen=True, slots=True)
class MetricFile:
    """An image or a JSON document that was logged."""

    filename: str
    data: bytes = field(repr=False)

    def convert_to_object(self) -> Any:
        """Give a JSON document as Python values, an image as its bytes."""
        return self.data if PurePosixPath(self.filename).suffix else json.loads(self.data)


def address_of(run_id: str, point: MetricPoint) -> str:
    """Give the address as Azure ML wrote it."""
    return f"aml://artifactId/ExperimentRun/dcid.{run_id}/{_path(point)}"


def metric_file(client: Client, run_id: str, point: MetricPoint) -> MetricFile:
    """Read what was logged. Raises NotFound when an image's file is not there."""
    path = _path(point)
    if point.kind == "image":
        return MetricFile(path, client.file_bytes(run_id, path))
    return MetricFile(path, json.dumps(point.value).encode())


def _path(point: MetricPoint) -> str:
    # A document is stored with its metric and called like it; an image says where its file is.
    if point.kind == "image" and isinstance(point.value, dict):
        return str(point.value["path"])
    return point.metric
