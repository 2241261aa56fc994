"""The part of a Run that gives its files a name and a version."""
# ruff: noqa: PLR0917 - the signature is that of Azure ML v1

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runmill import model
from runmill.app.runs.models import Model
from runmill.app.runs.run_files import FileCalls
from runmill.app.runs.spool import check_path
from runmill.errors import InvalidArgument, NotFound
from runmill.otlp import runs

if TYPE_CHECKING:
    from runmill.app.runs.experiment import Experiment

__all__ = ["ModelCalls"]


class ModelCalls(FileCalls):
    """A registration is an event of the run, so it is where the run is; the store counts the versions."""

    _experiment: "Experiment"

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: Mapping[str, object] | None = None,
        properties: Mapping[str, object] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: object = None,
        sample_input_dataset: object = None,
        sample_output_dataset: object = None,
        resource_configuration: object = None,
        **kwargs: object,
    ) -> Model:
        """Make the next version of a model of one of the run's files, or of all below a folder of the run.

        The outputs folder is uploaded first, so that what was just written to it can be named.

        Args:
            model_name: What to find it by.
            model_path: The file or folder in the run; by default *model_name*.
            tags: Kept with the version.
            properties: Kept with the version.
            model_framework: Kept with the version.
            model_framework_version: Kept with the version.
            description: Kept with the version.
            datasets: Must be None.
            sample_input_dataset: Must be None.
            sample_output_dataset: Must be None.
            resource_configuration: Must be None.
            **kwargs: Must not be there.

        Raises:
            NotFound: The run has no such file; the text lists what it has.
            InvalidArgument: Something else was given than a name, a path, labels and text.
            Unavailable: The store cannot be read.
        """
        where = f"run.register_model({model_name!r})"
        _refuse(
            where,
            {
                "datasets": datasets,
                "sample_input_dataset": sample_input_dataset,
                "sample_output_dataset": sample_output_dataset,
                "resource_configuration": resource_configuration,
                **kwargs,
            },
        )
        path = check_path(posixpath.normpath(model_path or model_name), where)
        facts = {
            "name": _name(model_name, where),
            "path": path,
            "files": self._files_at(path, where),
            "description": description,
            "framework": model_framework,
            "framework_version": model_framework_version,
            "tags": {str(key): None if value is None else str(value) for key, value in (tags or {}).items()},
            "properties": {str(key): str(value) for key, value in (properties or {}).items()},
        }
        return self._register({key: fact for key, fact in facts.items() if fact})

    def _files_at(self, path: str, where: str) -> list[dict[str, Any]]:
        self._keep_outputs()
        there = self._link.fresh_client().files(self.id)
        found = [file for file in there if file.path == path or file.path.startswith(f"{path}/")]
        if not found:
            names = ", ".join(repr(file.path) for file in there)
            raise NotFound(f"{where}: run {self.id} has no file or folder {path!r}; it has: {names or 'none'}.")
        return [_said(file) for file in found]

    def _register(self, body: dict[str, Any]) -> Model:
        registered = self._recorder.event(runs.MODEL, body)
        versions = self._link.fresh_client().models()
        [state] = [each for each in versions if (each.run_id, each.time_unix_nano) == (self.id, registered)]
        return Model(self._experiment.workspace, state=state)


def _name(name: object, where: str) -> str:
    if isinstance(name, str) and name:
        return str.__str__(name)
    raise InvalidArgument(f"{where}: a model's name must be text that is not empty.")


def _said(file: model.Artifact) -> dict[str, Any]:
    return {
        "path": file.path,
        "size_bytes": file.size_bytes,
        "media_type": file.media_type,
        "sha256": file.sha256,
    }


def _refuse(where: str, given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value is not None:
            raise InvalidArgument(f"{where}: {name}={value!r}: models are files, labels and text here; leave it out.")
