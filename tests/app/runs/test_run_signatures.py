"""Every public name of Azure ML v1's run logging, one by one: it is called as it was, or listed as absent."""

import inspect
import json
from pathlib import Path

import pytest

from runmill import Environment, Experiment, Run, RunConfiguration, RunDetails, ScriptRun, ScriptRunConfig, Workspace
from runmill.app.runs.launch.configuration import HistoryConfiguration
from runmill.app.runs.launch.environment import PythonSection
from runmill.app.runs.run import get_run

OLD = json.loads((Path(__file__).parents[2] / "golden" / "azureml" / "signatures.json").read_text())
"""Class -> name -> signature, as ``inspect`` gives them of azureml-core 1.61."""

CLASSES = {
    "Run": Run,
    "ScriptRun": ScriptRun,
    "Experiment": Experiment,
    "Workspace": Workspace,
    "ScriptRunConfig": ScriptRunConfig,
    "RunConfiguration": RunConfiguration,
    "HistoryConfiguration": HistoryConfiguration,
    "Environment": Environment,
    "PythonSection": PythonSection,
    "RunDetails": RunDetails,
}

MADE = {
    "ScriptRunConfig": ScriptRunConfig(".", "train.py"),
    "RunConfiguration": RunConfiguration(),
    "HistoryConfiguration": HistoryConfiguration(),
    "Environment": Environment("mine"),
    "PythonSection": PythonSection(),
}
"""An object of each class whose fields are looked at."""

ABSENT = {
    # No account, no cloud resource.
    "Run": "add_type_provider clean get_docs_url get_environment get_secret get_secrets identity list_by_compute",
    "Experiment": "delete from_directory get_docs_url identity workspace_object",
    "Workspace": "add_private_endpoint compute_targets create datasets datastores delete delete_connection "
    "delete_private_endpoint_connection diagnose_workspace discovery_url get_connection get_default_compute_target "
    "get_default_datastore get_default_keyvault images linked_services list list_connections list_keys "
    "private_endpoints service_context set_connection set_default_datastore setup sku sync_keys tags update "
    "update_dependencies webservices",
    "ScriptRunConfig": "identity",
    # No Docker, Spark, R, Databricks or Conda.
    "RunConfiguration": "auto_prepare_environment credential_passthrough data data_references delete docker "
    "output_data priority",
    "Environment": "add_private_pip_wheel asset_id build build_local databricks docker from_docker_build_context "
    "from_docker_image from_dockerfile get_image_details inferencing_stack_version label r spark",
    "PythonSection": "conda_dependencies_file",
}

CALLED_OTHERWISE = {"Workspace.__init__"}
"""Every old argument has a default here; `sku` and `tags` were those of a cloud resource."""

NAMES = {f"{kind}.{name}": old for kind, names in OLD.items() for name, old in names.items()}
GONE = [f"{kind}.{name}" for kind, names in ABSENT.items() for name in names.split()]
HERE = [name for name in NAMES if name not in GONE and name not in CALLED_OTHERWISE]


@pytest.mark.parametrize("name", GONE)
def test_what_is_listed_as_absent_is(name):
    """The list says neither too much nor too little."""
    kind, _, attribute = name.partition(".")
    assert name in NAMES
    assert not hasattr(CLASSES[kind], attribute)
    assert not hasattr(MADE.get(kind), attribute)


@pytest.mark.parametrize("name", HERE)
def test_a_name_is_used_as_it_was(name):
    """A call takes the old arguments in order, with their defaults; a field is there, settable where it was."""
    (kind, _, attribute), old = name.partition("."), NAMES[name]
    if old.startswith(("property", "attribute", "constant")):
        found = inspect.getattr_static(CLASSES[kind], attribute, None)
        is_settable = found.fset is not None if isinstance(found, property) else hasattr(MADE.get(kind), attribute)
        assert found is not None or is_settable
        assert is_settable or "settable" not in old
    else:
        assert _accepts(_signature(getattr(CLASSES[kind], attribute)), old.partition("(")[2])


def _accepts(ours: list[str], old: str) -> bool:
    """Say whether *ours* begins with the old parameters; private ones and those that take anything are left aside."""
    theirs = [each for each in old.removesuffix(")").split(", ") if each and each[0] not in "_*"]
    return ours[: len(theirs)] == theirs


def _signature(call) -> list[str]:
    parameters = inspect.signature(call).parameters.values()
    shown = [str(each.replace(annotation=inspect.Parameter.empty)) for each in parameters if each.name != "self"]
    return [each for each in shown if each[0] not in "_*"]


def test_get_run_is_a_function_too():
    """As `azureml.core` exports it."""
    assert _signature(get_run) == ["experiment", "run_id", "rehydrate=True", "clean_up=True"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("get_secret", r"^Run\.get_secret is not there: runmill keeps no secrets: read them from the environment\.$"),
        ("log_metric", r"^Run\.log_metric is not there: write run\.log\(name, value, step=None\)\.$"),
        ("logg", r"^'Run' object has no attribute 'logg'$"),
    ],
)
def test_what_is_absent_says_where_to_go_on(recorded_run, name, advice):
    """As an AttributeError, so that a program may ask whether it is there."""
    assert not hasattr(recorded_run, name)
    with pytest.raises(AttributeError, match=advice):
        getattr(recorded_run, name)
