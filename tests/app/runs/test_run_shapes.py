"""What was logged comes back in the shapes of the old `get_metrics`."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording_outlet import RecordingOutlet

from runmill.app.runs.link import Link
from runmill.app.runs.metric_files import address_of
from runmill.app.runs.recorder import Recorder
from runmill.app.runs.run import Run
from runmill.app.runs.shapes import old_shapes
from runmill.journal.records import POINT, RunIdentity, run_key
from runmill.model import MetricPoint, MetricPoints
from runmill.otlp import runs

DOCUMENT = {"schema_type": "residuals", "schema_version": "1.0.0", "data": {"bin_edges": [0, 1], "bin_counts": [2]}}


def _log_twice(run: Run) -> None:
    run.log("m", 1)
    run.log("m", 2)


def _log_rows_and_table(run: Run) -> None:
    run.log_row("m", x=1, y=0.5)
    run.log_table("m", {"x": [2, 3], "y": [1.5, 2.5]})


def _rows_with_other_columns(run: Run) -> None:
    run.log_row("m", x=1, y=0.5)
    run.log_row("m", x=2, z="late")


def _twice(call: Callable[[Run], None]) -> Callable[[Run], None]:
    def calls(run: Run) -> None:
        call(run)
        call(run)

    return calls


ROWS_OF_THE_SHEET = {
    "a scalar once is bare": (lambda run: run.log("m", 1), 1),
    "a scalar twice is a list": (_log_twice, [1, 2]),
    "text, bool and None are values": (lambda run: run.log_list("m", ["a", True, None]), ["a", True, None]),
    "a list is a list": (lambda run: run.log_list("m", [1, 2]), [1, 2]),
    "a list of one is bare": (lambda run: run.log_list("m", [1]), 1),
    "an empty list is empty": (lambda run: run.log_list("m", []), []),
    "a list twice is one list": (_twice(lambda run: run.log_list("m", [1, 2])), [1, 2, 1, 2]),
    "an int beside floats is a float": (lambda run: run.log_list("m", [1, 2.5]), [1.0, 2.5]),
    "a row once is bare cells": (lambda run: run.log_row("m", x=1, y=0.5), {"x": 1, "y": 0.5}),
    "rows are columns": (_twice(lambda run: run.log_row("m", x=1, y="a")), {"x": [1, 1], "y": ["a", "a"]}),
    "a table is columns": (
        lambda run: run.log_table("m", {"x": [1, 2], "y": [0, 0.5]}),
        {"x": [1, 2], "y": [0.0, 0.5]},
    ),
    "a table of one row is bare cells": (lambda run: run.log_table("m", {"x": [1], "y": 2}), {"x": 1, "y": 2}),
    "a table without rows has its columns": (lambda run: run.log_table("m", {"x": [], "y": []}), {"x": [], "y": []}),
    "a table without columns is empty": (lambda run: run.log_table("m", {}), {}),
    "rows and tables append": (_log_rows_and_table, {"x": [1, 2, 3], "y": [0.5, 1.5, 2.5]}),
    "a missing cell is None": (_rows_with_other_columns, {"x": [1, 2], "y": [0.5, None], "z": [None, "late"]}),
    "a document is its address": (
        lambda run: run.log_residuals("m", DOCUMENT),
        "aml://artifactId/ExperimentRun/dcid.RUN/m",
    ),
}


@pytest.mark.parametrize(("call", "shape"), ROWS_OF_THE_SHEET.values(), ids=ROWS_OF_THE_SHEET)
def test_get_metrics_gives_the_old_shape(run, call, shape):
    """What a call returned from is in the next get_metrics, over the wire and out of the store, in the old shape."""
    call(run)
    expected = shape.replace("RUN", run.id) if isinstance(shape, str) else shape
    metrics = run.get_metrics()
    assert (metrics, repr(metrics["m"])) == ({"m": expected}, repr(expected))


def test_non_finite_values_come_back(run):
    """NaN and the infinities are stored like any number, in cells too."""
    run.log_list("m", [math.nan, math.inf, -math.inf])
    run.log_row("row", x=math.nan, label="text")
    assert repr(run.get_metrics()) == "{'m': [nan, inf, -inf], 'row': {'x': nan, 'label': 'text'}}"


def test_series_have_steps_times_and_descriptions(run, server):
    """The typed accessor gives every point, always as a list, with step and time; descriptions are kept."""
    run.log("loss", 0.5, "of training", step=10)
    run.log("loss", 0.25, "of training", step=20)
    [series] = run.get_series("loss")
    times = [point.time_unix_nano for point in series.points]
    assert (series.metric, series.kind, series.column, series.values) == ("loss", "scalar", None, [0.5, 0.25])
    assert [(point.index, point.step) for point in series.points] == [(0, 10), (1, 20)]
    assert times == sorted(set(times))
    [summary] = server.get(f"/api/v1/runs/{run.id}/metrics").json()["metrics"]
    assert (summary["description"], summary["count"]) == ("of training", 2)


def test_one_name_alone(run):
    """Only the metric asked for is given; one that nobody logged is no error."""
    run.log("a", 1)
    run.log("b", 2)
    assert (run.get_metrics(name="a"), run.get_metrics("unknown")) == ({"a": 1}, {})


def test_documents_and_images_are_read_with_populate(run, tmp_path):
    """With populate, a document comes as its JSON and an image as its bytes."""
    picture = b"\x89PNG\r\n\x1a\n..."
    (tmp_path / "roc.png").write_bytes(picture)
    run.log_residuals("residuals", DOCUMENT)
    run.log_image("roc", "roc.png")
    files = run.get_metrics(populate=True)
    assert (files["residuals"].convert_to_object(), files["roc"].filename, files["roc"].data) == (
        DOCUMENT,
        "roc.png",
        picture,
    )


def test_metrics_of_a_family_in_one_answer(run):
    """Recursive gives every run below that has metrics; a type keeps other descendants out."""
    run.log("mse", 1)
    with run.child_run("a") as child, child.child_run("b") as grandchild:
        child.log("mse", 2)
        grandchild.log("mse", 3)
    with run.child_run("silent"):
        pass
    assert run.get_metrics(recursive=True) == {run.id: {"mse": 1}, child.id: {"mse": 2}, grandchild.id: {"mse": 3}}
    assert run.get_metrics(recursive=True, run_type="other") == {run.id: {"mse": 1}}


def _point(**facts: Any) -> MetricPoint:
    usual = {
        "metric": "m", "kind": "scalar", "column": None, "index": 0, "step": None, "time_unix_nano": 1, "value": 1,
        "attributes": {}, "rank": None,
    }  # fmt: skip
    return MetricPoint(**{**usual, **facts})


def _shaped(points: list[MetricPoint]) -> object:
    """Give what `get_metrics` makes of the points of metric ``m``."""
    names = ("kind", "column", "rank", "attributes", "index", "step", "time_unix_nano", "value")
    columns = {name: [getattr(point, name) for point in points] for name in names}
    [shapes] = old_shapes([MetricPoints("r1", "m", len(points), **columns)], lambda _, point: str(point)).values()
    return shapes["m"]


def test_the_lowest_rank_is_the_default_view():
    """Several ranks logging one metric do not mix their curves."""
    points = [_point(rank=1, value=10), _point(rank=0, value=1), _point(rank=1, value=20), _point(rank=0, value=2)]
    assert _shaped(points) == [1, 2]


def test_two_families_under_one_name_do_not_break_reading():
    """Two processes may disagree about a name; the first family is given."""
    points = [_point(value=1), _point(kind="row", column="x", value=2), _point(kind="image", value={"path": "a.png"})]
    assert _shaped(points) == 1


def test_rows_of_a_forked_process_are_rows_of_their_own():
    """A child that goes on counting where its parent was does not overwrite the parent's rows."""
    points = [_point(kind="row", column=name, index=0, value=value) for value in (1, 2) for name in "xy"]
    assert _shaped(points) == {"x": [1, 2], "y": [1, 2]}


CELLS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=3) | st.booleans() | st.none()
NAMES = st.sampled_from(["x", "y", "z"])


def _read_back(outlet: RecordingOutlet) -> list[MetricPoint]:
    """Make of records what a store makes of them."""
    points = []
    for record in outlet.records:
        if record[0] == POINT:
            _, time, _, metric, kind, value, index, step, column, _ = record
            points.append(MetricPoint(metric, kind, column, index, step, time, value, {}, None))
        else:
            _, time, _, _, body, attributes = record
            index = attributes.get(runs.INDEX, attributes.get(runs.ROW))
            metric, kind = attributes[runs.METRIC_NAME], attributes[runs.KIND]
            points.append(MetricPoint(metric, kind, None, index, attributes.get(runs.STEP), time, body, {}, None))
    return points


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=5))
def test_lists_under_one_name_are_one_list_in_order(tmp_path, calls):
    """Whatever was logged in however many calls comes back in log order, nothing lost, nothing turned to text."""
    outlet = RecordingOutlet(tmp_path)
    run = _bare_run(outlet)
    for items in calls:
        run.log_list("m", items)
    assert repr(_shaped(_read_back(outlet))) == repr(_one_list(calls))


def _one_list(calls: list[list[object]]) -> object:
    flat = [item for items in calls for item in items]
    floats_only = {type(item) for item in flat} <= {int, float, type(None)} and float in map(type, flat)
    expected = [float(item) if floats_only and type(item) is int else item for item in flat]
    return expected[0] if len(expected) == 1 else expected


ROWS = st.lists(st.dictionaries(NAMES, CELLS, min_size=1), min_size=2, max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_rows_come_back_as_aligned_columns(tmp_path, rows):
    """Cell n of every column is of row n, whatever the rows had in common."""
    outlet = RecordingOutlet(tmp_path)
    run = _bare_run(outlet)
    for row in rows:
        run.log_row("m", **row)
    _check_rows(_shaped(_read_back(outlet)), rows)


def _check_rows(columns: dict[str, list[object]], rows: list[dict[str, object]]) -> None:
    assert [{name: columns[name][number] for name in row} for number, row in enumerate(rows)] == rows
    assert {len(cells) for cells in columns.values()} == {len(rows)}


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(
    lists=st.lists(st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=5), max_size=8),
    tables=st.lists(ROWS, max_size=8),
)
def test_what_is_logged_comes_back_through_the_store(experiment, lists, tables):
    """The same over the wire and out of a real store, of many metrics of a run at once."""
    run = experiment.start_logging(outputs=False, snapshot_directory=None)
    for number, calls in enumerate(lists):
        for items in calls:
            run.log_list(f"list {number}", items)
    for number, rows in enumerate(tables):
        for row in rows:
            run.log_row(f"table {number}", **row)
    metrics = run.get_metrics()
    run.complete()
    assert len(metrics) == len(lists) + len(tables)
    for number, calls in enumerate(lists):
        assert repr(metrics[f"list {number}"]) == repr(_one_list(calls))
    for number, rows in enumerate(tables):
        _check_rows(metrics[f"table {number}"], rows)


def _bare_run(outlet: RecordingOutlet) -> Run:
    """Give a run that only writes."""
    run = Run.__new__(Run)
    run._link = Link(outlet)
    run._recorder = Recorder(outlet, run_key(RunIdentity("r1", "e", None, None)))
    return run


def test_an_address_is_written_as_it_always_was():
    """Programs look for this form."""
    assert (
        address_of("r1", _point(kind="image", value={"path": "a.png"}))
        == "aml://artifactId/ExperimentRun/dcid.r1/a.png"
    )
