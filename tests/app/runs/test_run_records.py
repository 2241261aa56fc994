"""The records a run writes, as they leave it, and what is refused at the call."""

import os
import threading
from itertools import pairwise
from typing import IO

import pytest
from recording_outlet import RecordingOutlet

from runmill.app.runs.active import ActiveRun, ActiveRuns
from runmill.app.runs.recorder import Recorder
from runmill.errors import InvalidArgument
from runmill.journal.records import EVENT, POINT, RunIdentity, run_key
from runmill.otlp import runs

PNG = b"\x89PNG\r\n\x1a\n"


class Figure:
    """As matplotlib's: it can save itself, and as which format is said."""

    def savefig(self, target: IO[bytes], *, format: str) -> None:  # noqa: A002 - matplotlib's name
        assert format == "png"
        target.write(PNG + b"pixels")


KEY = run_key(RunIdentity("r1", "recorded", None, None))


def _untimed(outlet: RecordingOutlet) -> list[tuple]:
    """Give all records but the start, without their times."""
    return [(record[0], *record[2:]) for record in outlet.records if record[3] != runs.STARTED]


def test_numbers_are_points(recorded_run, outlet):
    """Scalars and list items are one point each; positions count on through both, per metric."""
    recorded_run.log("m", 1, "about m", step=5)
    recorded_run.log_list("m", [0.5, 2])
    recorded_run.log("other", 3)
    assert _untimed(outlet) == [
        (POINT, KEY, "m", "scalar", 1, 0, 5, None, "about m"),
        (POINT, KEY, "m", "list", 0.5, 1, None, None, ""),
        (POINT, KEY, "m", "list", 2, 2, None, None, ""),
        (POINT, KEY, "other", "scalar", 3, 0, None, None, ""),
    ]


def test_other_values_are_events(recorded_run, outlet):
    """Text, bool and None travel as run.metric events with their position, step and description."""
    recorded_run.log("m", "a", "about m", step=5)
    recorded_run.log("m", value=None)
    place = {runs.METRIC_NAME: "m", runs.KIND: "scalar"}
    assert _untimed(outlet) == [
        (EVENT, KEY, runs.METRIC, "a", {**place, runs.INDEX: 0, runs.STEP: 5, runs.METRIC_DESCRIPTION: "about m"}),
        (EVENT, KEY, runs.METRIC, None, {**place, runs.INDEX: 1}),
    ]


def test_rows_of_numbers_are_points_and_others_events(recorded_run, outlet):
    """Rows and tables of one name count their rows together; one cell that is no number makes the row an event."""
    recorded_run.log_row("m", x=1, y=0.5)
    recorded_run.log_table("m", {"x": [2], "y": [1.5]})
    recorded_run.log_row("m", x=3, y="a")
    attributes = {runs.METRIC_NAME: "m", runs.KIND: "row", runs.ROW: 2}
    assert _untimed(outlet) == [
        (POINT, KEY, "m", "row", 1, 0, None, "x", ""),
        (POINT, KEY, "m", "row", 0.5, 0, None, "y", ""),
        (POINT, KEY, "m", "table", 2, 1, None, "x", ""),
        (POINT, KEY, "m", "table", 1.5, 1, None, "y", ""),
        (EVENT, KEY, runs.METRIC, {"x": 3, "y": "a"}, attributes),
    ]


def test_order_holds_when_the_clock_steps_back(outlet):
    """Times rise strictly with every record, so log order can be told from them."""
    clock = iter([100, 50, 50, 200])
    recorder = Recorder(outlet, KEY, clock_unix_nano=lambda: next(clock))
    for value in range(4):
        recorder.value("m", "scalar", value, None, "")
    assert [point.time_unix_nano for point in outlet.points()] == [100, 101, 102, 200]


def test_threads_get_positions_of_their_own(recorded_run, outlet):
    """Four threads logging one metric leave no gap and no position twice."""
    threads = [threading.Thread(target=lambda: [recorded_run.log("m", 1) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(point.position for point in outlet.points()) == list(range(2000))


def test_the_start_says_what_is_known(outlet, recorded_run):
    """One event carries status, experiment, names, user and host."""
    [started] = outlet.events(runs.STARTED)
    assert {key: started.body[key] for key in ("status", "experiment", "name", "display_name")} == {
        "status": "Running",
        "experiment": "recorded",
        "name": "run_r1",
        "display_name": "r1",
    }
    assert {"user", "host"} < started.body.keys()


def test_an_end_is_written_once(recorded_run, outlet):
    """The first end counts: completing a failed run changes nothing."""
    recorded_run.fail("out of memory", error_code="OOM")
    recorded_run.complete()
    [ended] = outlet.events(runs.ENDED)
    assert ended.body == {"status": "Failed", "error": {"code": "OOM", "message": "out of memory"}}


def test_a_failure_keeps_the_exception(recorded_run, outlet):
    """As a context manager, a run fails with what leaves the block, which goes on to the caller."""
    with pytest.raises(ZeroDivisionError), recorded_run:
        _ = 1 / 0
    [ended] = outlet.events(runs.ENDED)
    error = ended.body["error"]
    trace = error.pop("debug_stack_trace")
    assert error == {
        "code": "UserError",
        "message": "ZeroDivisionError: division by zero",
        "debug_type": "ZeroDivisionError",
        "debug_message": "division by zero",
    }
    assert trace.startswith("Traceback (most recent call last):")


@pytest.mark.parametrize(
    ("code", "status"), [(0, "Completed"), (None, "Completed"), (3, "Failed"), ("no data", "Failed")]
)
def test_an_exit_in_a_with_block_ends_the_run(recorded_run, outlet, code, status):
    """sys.exit with 0 or nothing is a normal end; anything else is a failure."""
    with pytest.raises(SystemExit), recorded_run:
        raise SystemExit(code)
    assert [ended.body["status"] for ended in outlet.events(runs.ENDED)] == [status]


def test_a_heart_beats_while_the_run_is_active(outlet):
    """Beats come until the run is taken out."""
    recorder = Recorder(outlet, KEY)
    registry = ActiveRuns(heartbeat_seconds=0.01)
    registry.add(ActiveRun(recorder=recorder, run=None, end=lambda _: None, keep=lambda: None, owner_pid=os.getpid()))
    try:
        beats = outlet.wait_for_events(runs.HEARTBEAT, 3)
    finally:
        registry.remove(KEY)
        registry.close()
    assert [beat.body for beat in beats[:3]] == [{}, {}, {}]
    assert all(earlier.time_unix_nano < later.time_unix_nano for earlier, later in pairwise(beats))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda run: run.log("m", [1]), r"^run\.log\('m'\): got \[1\] \(list\); log several values with log_list\.$"),
        (lambda run: run.log("", 1), r"^run\.log\(''\): the metric's name must be text that is not empty, got ''\.$"),
        (lambda run: run.log(3, 1), r"the metric's name must be text"),
        (lambda run: run.log("m", 1, step="x"), r"step must be a whole number or None, got 'x'"),
        (lambda run: run.log_list("m", [[1]]), r"^run\.log_list\('m'\)\[0\]: "),
        (lambda run: run.log_row("m", x=[1]), r"^run\.log_row\('m'\), column 'x': got \[1\] \(list\)"),
        (lambda run: run.log_row("m"), r"^run\.log_row\('m'\): a row needs a column"),
        (lambda run: run.log_table("m", [1]), r"^run\.log_table\('m'\): a table is a dict of columns"),
        (lambda run: run.log_table("m", {"x": [1], "y": []}), r"columns must be equally long; 'x' has 1, 'y' has 0"),
        (lambda run: run.log_predictions("m", "{"), r"^run\.log_predictions\('m'\): not a JSON document"),
        (lambda run: run.log_image("m"), r"^run\.log_image\('m'\): give either path="),
        (lambda run: run.log_image("m", path="a.png", plot=Figure()), r"give either path="),
        (lambda run: run.log_image("m", plot="a.png"), r"plot must have a savefig method"),
        (lambda run: run.log_image("m", 5), r"path must name an image file, got 5"),
        (lambda run: run.set_tags({"": 1}), r"^run\.set_tags: a key must be text that is not empty, got ''\.$"),
        (lambda run: run.fail(5), r"^run\.fail: error_details must be text or an exception, got 5\.$"),
        (lambda run: run.upload_file("../x", "x"), r"'\.\./x' leaves the run"),
        (lambda run: run.upload_file("/etc/x", "x"), r"'/etc/x' leaves the run"),
        (lambda run: run.upload_file("", "x"), r"must be a path like 'outputs/model\.pkl', got ''"),
        (lambda run: run.upload_file("x", 5), r"path_or_stream must be a path or an open file, got 5"),
        (lambda run: run.upload_file("x", "x", "store"), r"datastore_name='store'"),
        (lambda run: run.upload_files(["a"], []), r"1 names for 0 paths"),
        (lambda run: run.upload_folder("x", "nowhere"), r"'nowhere' is not a folder"),
        (lambda run: run.create_children(), r"give either count="),
        (lambda run: run.create_children(2, tag_key="a"), r"give either count="),
        (lambda run: run.create_children(0), r"at least one child"),
    ],
)
def test_what_cannot_be_taken_is_refused_at_the_call(recorded_run, outlet, call, text):
    """The text names the call, the value and the way out; nothing is written."""
    before = list(outlet.records)
    with pytest.raises(InvalidArgument, match=text):
        call(recorded_run)
    assert outlet.records == before


@pytest.mark.parametrize(
    "second",
    [lambda run: run.log_row("m", x=1), lambda run: run.log_table("m", {}), lambda run: run.log_residuals("m", {})],
)
def test_a_name_holds_one_family_of_values(recorded_run, second):
    """Values, rows and documents under one name were lost without a word once; now the call says it."""
    recorded_run.log("m", 1)
    with pytest.raises(InvalidArgument, match=r"^metric 'm' already holds values and cannot hold "):
        second(recorded_run)


def test_a_figure_is_taken_by_name_and_by_position(recorded_run, outlet):
    """`log_image("ROC", figure)` works as documents show it, and two plots in one instant are two files."""
    figure = Figure()
    recorded_run.log_image("roc", figure)
    recorded_run.log_image("roc", plot=figure)
    paths = [event.body["path"] for event in outlet.events(runs.METRIC)]
    kept = outlet.events(runs.ARTIFACT)
    assert [event.body["path"] for event in kept] == paths
    assert len(set(paths)) == 2
    assert {event.body["media_type"] for event in kept} == {"image/png"}
    head = (outlet.home.spool / kept[0].body["sha256"]).read_bytes()[:8]
    assert head == PNG


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"P6\n", "image/x-portable-pixmap"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
    ],
)
def test_an_image_is_known_by_its_bytes(recorded_run, outlet, tmp_path, head, media_type):
    """The file's name says nothing; an absolute path keeps its last part."""
    (tmp_path / "picture").write_bytes(head)
    recorded_run.log_image("m", path=tmp_path / "picture")
    [kept] = outlet.events(runs.ARTIFACT)
    assert (kept.body["path"], kept.body["media_type"]) == ("picture", media_type)


def test_a_file_that_is_no_image_is_refused(recorded_run, tmp_path):
    """The text names the formats that are images."""
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(InvalidArgument, match=r"'notes\.png' is not a PNG, JPEG"):
        recorded_run.log_image("m", "notes.png")
