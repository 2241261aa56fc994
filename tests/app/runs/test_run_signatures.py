"""Every call can be written as it was for Azure ML v1: the same names, in the same order, with the same defaults."""

import inspect

import pytest

from runmill.app.runs.experiment import Experiment
from runmill.app.runs.run import Run, get_run
from runmill.app.runs.run_details import RunDetails
from runmill.app.runs.workspace import Workspace

OLD = {
    Run.add_properties: "(properties)",
    Run.cancel: "()",
    Run.child_run: "(name=None, run_id=None, outputs=None)",
    Run.complete: "(_set_status=True)",
    Run.create_children: "(count=None, tag_key=None, tag_values=None)",
    Run.download_file: "(name, output_file_path=None, _validate_checksum=False)",
    Run.download_files: "(prefix=None, output_directory=None, output_paths=None, batch_size=100, append_prefix=True, "
    "timeout_seconds=None)",
    Run.fail: "(error_details=None, error_code=None, _set_status=True)",
    Run.flush: "(timeout_seconds=300)",
    Run.get: "(workspace, run_id)",
    Run.get_all_logs: "(destination=None)",
    Run.get_children: "(recursive=False, tags=None, properties=None, type=None, status=None)",
    Run.get_context: "(allow_offline=True, used_for_context_manager=False, **kwargs)",
    Run.get_detailed_status: "()",
    Run.get_details: "()",
    Run.get_details_with_logs: "()",
    Run.get_file_names: "()",
    Run.get_metrics: "(name=None, recursive=False, run_type=None, populate=False)",
    Run.get_portal_url: "()",
    Run.get_properties: "()",
    Run.get_status: "()",
    Run.get_tags: "()",
    Run.list: "(experiment, type=None, tags=None, properties=None, status=None, include_children=False)",
    Run.log: "(name, value, description='', step=None)",
    Run.log_accuracy_table: "(name, value, description='')",
    Run.log_confusion_matrix: "(name, value, description='')",
    Run.log_image: "(name, path=None, plot=None, description='')",
    Run.log_list: "(name, value, description='')",
    Run.log_predictions: "(name, value, description='')",
    Run.log_residuals: "(name, value, description='')",
    Run.log_row: "(name, description=None, **kwargs)",
    Run.log_table: "(name, value, description='')",
    Run.register_model: "(model_name, model_path=None, tags=None, properties=None, model_framework=None, "
    "model_framework_version=None, description=None, datasets=None, sample_input_dataset=None, "
    "sample_output_dataset=None, resource_configuration=None, **kwargs)",
    Run.remove_tags: "(tags)",
    Run.set_tags: "(tags)",
    Run.start: "()",
    Run.tag: "(key, value=None)",
    Run.upload_file: "(name, path_or_stream, datastore_name=None)",
    Run.upload_files: "(names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None)",
    Run.upload_folder: "(name, path, datastore_name=None)",
    Run.wait_for_completion: "(show_output=False, wait_post_processing=False, raise_on_error=True)",
    get_run: "(experiment, run_id, rehydrate=True, clean_up=True)",
    Experiment.get_runs: "(type=None, tags=None, properties=None, include_children=False)",
    Experiment.get_portal_url: "()",
    Experiment.refresh: "()",
    Experiment.list: "(workspace, experiment_name=None, view_type='ActiveOnly', tags=None)",
    Experiment.tag: "(key, value=None)",
    Experiment.set_tags: "(tags)",
    Experiment.remove_tags: "(tags)",
    Experiment.archive: "()",
    Experiment.reactivate: "(new_name=None)",
    RunDetails.show: "(render_lib=None, widget_settings=None)",
    RunDetails.get_widget_data: "(widget_settings=None)",
    Workspace.get_mlflow_tracking_uri: "(_with_auth=False)",
    Workspace.from_config: "(path=None, auth=None, _file_name=None)",
    Workspace.get_details: "()",
    Workspace.get_run: "(run_id)",
    Workspace.write_config: "(path=None, file_name=None)",
}


@pytest.mark.parametrize(("call", "old"), OLD.items(), ids=lambda each: getattr(each, "__qualname__", ""))
def test_a_call_has_its_old_signature(call, old):
    """Positional and keyword calls go on working."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(call).parameters.items()
        if name != "self"
    ]
    assert str(inspect.Signature(parameters)) == old


@pytest.mark.parametrize(
    "name",
    [
        "description",
        "display_name",
        "experiment",
        "id",
        "name",
        "number",
        "parent",
        "properties",
        "status",
        "tags",
        "type",
    ],
)
def test_a_property_has_its_old_name(name):
    """Read without parentheses; the two names can be set."""
    found = inspect.getattr_static(Run, name)
    assert isinstance(found, property)
    assert (found.fset is not None) == (name in {"description", "display_name"})
