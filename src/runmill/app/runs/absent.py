"""What objects of Azure ML v1 have and those here have not: asked for it, they say what there is instead."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

__all__ = ["COMPUTE", "DATA", "SECRETS", "SERVING", "SaysWhatIsAbsent"]

DATA: Final = "runmill keeps no data sets: read files by their paths; run.upload_file keeps a run's own"
COMPUTE: Final = "scripts run on this machine; elsewhere, start them with `runmill run --` in the job"
SECRETS: Final = "runmill keeps no secrets: read them from the environment"
SERVING: Final = "runmill deploys nothing: model.download(folder) gives a model's files to what does"
_DOCKER: Final = "scripts run as processes of this machine, in no container: leave the line out"

_ABSENT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("datasets", "datastores", "get_default_datastore", "set_default_datastore"), DATA),
    **dict.fromkeys(("input_datasets", "output_datasets"), DATA),
    **dict.fromkeys(("compute_targets", "get_default_compute_target"), COMPUTE),
    **dict.fromkeys(("get_secret", "get_secrets", "get_default_keyvault"), SECRETS),
    **dict.fromkeys(("webservices", "images"), SERVING),
    **dict.fromkeys(("docker", "spark"), _DOCKER),
    "get_environment": "run.get_details()['runDefinition']['environment'] says what a submitted script ran in",
    "clean": "a submitted script's working copy is removed when its run ends",
    "delete": "remove its home folder, or old runs with `runmill store prune`",
    "log_metric": "write run.log(name, value, step=None)",
    "log_param": "write run.log(name, value), or run.tag(name, value)",
    "log_artifact": "write run.upload_file(name, path)",
}


class SaysWhatIsAbsent:
    """Raises AttributeError as any object does, in words that say where to go on."""

    if not TYPE_CHECKING:  # a type checker would take it for a promise that every attribute is there

        def __getattr__(self, name: str) -> Any:
            """Called for what is not there."""
            kind = type(self).__name__
            if name in _ABSENT:
                raise AttributeError(f"{kind}.{name} is not there: {_ABSENT[name]}.", name=name, obj=self)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)
