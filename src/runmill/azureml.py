"""Azure ML SDK v1's names for runmill's objects, for code that cannot be edited.

```python
import runmill.azureml

runmill.azureml.install()

from azureml.core import Run  # runmill's
```

Without a line of code: ``runmill run --azureml -- python train.py``, or ``python -m runmill.azureml train.py``.
"""

import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final, NoReturn

import runmill
from runmill import errors
from runmill.app.runs.absent import COMPUTE, DATA, SECRETS, SERVING

__all__ = ["VERSION", "install", "with_azureml"]

VERSION: Final = "1.61.0"
"""What ``azureml.core.VERSION`` says: the version of Azure ML's SDK whose calls these are."""


class AzureMLAggregatedException(errors.RunmillError):
    """Several uploads failed; never raised here."""


class ActivityCanceledException(errors.RunmillError):
    """Something was canceled; never raised here."""


class _OfflineRun:
    """What Azure ML gave a script on a laptop. No run is one: here they can do the same everywhere."""


# What each of Azure ML's exceptions catches. Several become one where runmill's own say as much.
_EXCEPTIONS: Final[Mapping[str, type[errors.RunmillError]]] = {
    "AzureMLException": errors.RunmillError,
    "AzureMLAggregatedException": AzureMLAggregatedException,
    "UserErrorException": errors.UserError,
    "ExperimentExecutionException": errors.UserError,
    "SnapshotException": errors.UserError,
    "RunEnvironmentException": errors.NotFound,
    "ModelNotFoundException": errors.NotFound,
    "ModelPathNotFoundException": errors.NotFound,
    "ProjectSystemException": errors.ConfigError,
    "RunConfigurationException": errors.ConfigError,
    "WorkspaceException": errors.ConfigError,
    "ActivityCanceledException": ActivityCanceledException,
    "ActivityFailedException": errors.RunFailed,
    "TrainingException": errors.RunFailed,
    "ServiceException": errors.Unavailable,
}

_OF_CORE: Final = ("Environment", "Experiment", "Model", "Run", "RunConfiguration", "ScriptRun", "ScriptRunConfig",
                   "Workspace", "get_run")  # fmt: skip

# Module -> the names in it that are runmill's own.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "azureml": (),
    "azureml.core": _OF_CORE,
    "azureml.core.environment": ("Environment",),
    "azureml.core.experiment": ("Experiment",),
    "azureml.core.model": ("Model",),
    "azureml.core.run": ("Run", "get_run"),
    "azureml.core.runconfig": ("RunConfiguration",),
    "azureml.core.script_run": ("ScriptRun",),
    "azureml.core.script_run_config": ("ScriptRunConfig",),
    "azureml.core.workspace": ("Workspace",),
    "azureml.exceptions": (),
    "azureml.widgets": ("RunDetails",),
}
_LOGIN: Final = "there are no accounts: leave auth out. A server that asks for a token is told RUNMILL_TOKEN"
_LAUNCHERS: Final = "start a launcher as the script's command: ScriptRunConfig(command=['torchrun', ..., 'train.py'])"
_CONDA: Final = (
    "conda environments are not made here: use Environment.from_pip_requirements, or point "
    "environment.python.interpreter_path at the Python of one"
)
_LOOPS: Final = "write the loop, with `with run.child_run(name) as child:` for each step or trial"

# What is there instead, by the module or the name in one that was asked for.
_INSTEAD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Dataset", "Datastore", "dataset", "datastore"), DATA),
    **dict.fromkeys(("azureml.data", "azureml.dataprep", "azureml.opendatasets"), DATA),
    **dict.fromkeys(("ComputeTarget", "compute", "compute_target"), COMPUTE),
    **dict.fromkeys(("Image", "Webservice", "image", "webservice"), SERVING),
    **dict.fromkeys(("Keyvault", "keyvault"), SECRETS),
    **dict.fromkeys(("MpiConfiguration", "PyTorchConfiguration", "TensorflowConfiguration"), _LAUNCHERS),
    "CondaDependencies": _CONDA,
    "conda_dependencies": _CONDA,
    "authentication": _LOGIN,
    **dict.fromkeys(("azureml.pipeline", "azureml.train"), _LOOPS),
    "azureml.mlflow": "MLflow's client logs to workspace.get_mlflow_tracking_uri(), in a submitted script by itself",
}
_PACKAGES: Final = ("azureml", "azureml.core")
_PATH: Final = Path(__file__).parent / "azureml_path"


def install(*, replace: bool = False) -> None:
    """Make ``azureml.core``, ``azureml.widgets`` and ``azureml.exceptions`` importable, with runmill's objects in them.

    A second call changes nothing.

    Args:
        replace: True: also where Azure ML's own package is installed; its modules are hidden in this process then.

    Raises:
        Conflict: Azure ML's own package is installed, and *replace* does not say to hide it.
    """
    if not replace and not _is_ours() and find_spec("azureml") is not None:
        raise errors.Conflict(
            "runmill.azureml.install: Azure ML's own package is installed. Call install(replace=True) to have its "
            "names mean runmill's objects in this process."
        )
    modules = {name: _module(name) for name in _NAMES}
    modules["azureml.core"].__dict__["VERSION"] = modules["azureml.core"].__dict__["__version__"] = VERSION
    modules["azureml.core.run"].__dict__["_OfflineRun"] = _OfflineRun
    modules["azureml.exceptions"].__dict__.update(_EXCEPTIONS)
    for name, module in modules.items():
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(modules[parent], last, module)
    for name in [name for name in sys.modules if name.partition(".")[0] == "azureml"]:
        del sys.modules[name]
    sys.modules.update(modules)
    if _Absent not in sys.meta_path:
        sys.meta_path.append(_Absent)


def with_azureml(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give *environment* so changed that a Python process started with it finds runmill under Azure ML's names."""
    found = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": os.pathsep.join([str(_PATH), *([found] if found else [])])}


def _is_ours() -> bool:
    return isinstance(sys.modules.get("azureml"), _Module)


class _Module(ModuleType):
    """One of the modules; asked for what it has not, it says what can be done instead."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        # ImportError: of an AttributeError the import statement would drop the text.
        raise ImportError(_absence(f"{self.__name__}.{name}"), name=self.__name__)


class _Absent:
    """The last one who is asked for a module: says of those below ``azureml`` what there is instead."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Raise for a module that would have been Azure ML's; others are no business of ours."""
        del path, target
        if name.startswith("azureml.") and _is_ours():
            raise ModuleNotFoundError(_absence(name), name=name)


def _absence(name: str) -> str:
    """Say of a module, or a name in one, what to do without it."""
    package, last = ".".join(name.split(".")[:2]), name.rpartition(".")[2]
    instead = _INSTEAD.get(last) or _INSTEAD.get(package) or "it has Azure ML's run logging, and no cloud"
    return f"{name} is not in runmill: {instead}. See docs/migrate-from-azureml.md."


def _module(name: str) -> ModuleType:
    is_package = name in _PACKAGES
    module = _Module(name, f"runmill's objects under the names of {name}.")
    # Others ask for the specification: find_spec raises where a module has none.
    module.__spec__ = ModuleSpec(name, loader=None, origin=__file__, is_package=is_package)
    if is_package:
        module.__path__ = []
    module.__dict__.update(_objects(_NAMES[name]))
    return module


def _objects(names: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    return ((name, getattr(runmill, name)) for name in names if hasattr(runmill, name))


def _main() -> None:
    """Run the script that the arguments name as if Python had been given it."""
    if not sys.argv[1:]:
        sys.exit("usage: python -m runmill.azureml SCRIPT [ARGUMENT ...]")
    install(replace=True)
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    _main()
