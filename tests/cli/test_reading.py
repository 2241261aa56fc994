"""The reading commands, over a server and over the store itself: the same answers."""

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from processes import DEADLINE_SECONDS, running
from runmill.cli import render
from stored_run import RUN_ID, SECOND, START, post, run_event, run_logs, run_metrics

ZONELESS = datetime.fromtimestamp(START // SECOND + 10).isoformat(sep=" ")  # noqa: DTZ006 - as people type it


def objects(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_runs_lists_a_run(call, stored_home: Path):
    """A line a run, by columns, with its short id."""
    status, out, err = call("runs")
    assert (status, err) == (0, "")
    head, line = out.splitlines()
    assert head.split() == ["RUN", "EXPERIMENT", "NUMBER", "NAME", "STATUS", "STARTED", "DURATION"]
    assert line.split()[:5] == [RUN_ID[:8], "diabetes", "1", "ridge", "Completed"]
    assert line.endswith("1m 30s")


def test_runs_as_json_is_one_object_a_line(call, stored_home: Path):
    """The keys are those of the HTTP API."""
    [run] = objects(call("runs", "--json").out)
    assert (run["run_id"], run["status"], run["tags"], run["end_time_unix_nano"]) == (
        RUN_ID, "Completed", {"data": "small"}, START + 90 * SECOND,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value", "count"),
    [
        ("--experiment", "diabetes", 1),
        ("--status", "Failed", 0),
        ("--tag", "data=small", 1),
        ("--text", "ridg", 1),
        ("--where", "nothing_of_it>1", 0),
    ],
)
def test_runs_filters(call, stored_home: Path, option: str, value: str, count: int):
    """Every filter reaches the store."""
    assert len(objects(call("runs", option, value, "--json").out)) == count


def test_a_name_that_nobody_has_is_said(call, stored_home: Path):
    """An answer without lines is of something that is there; else the names there are are listed."""
    no_experiment = "runmill: There is no experiment 'other'. Those there are: 'diabetes'.\n"
    no_service = "runmill: No service 'other' has logged. Those that have, outside of runs: none.\n"
    assert call("runs", "--experiment", "other") == (1, "", no_experiment)
    assert call("logs", "--service", "other", "--json") == (1, "", no_service)
    assert call("runs", "--experiment", "diabetes", "--status", "Failed", "--json") == (0, "", "")


def test_what_waits_without_a_server_is_said(call, stopped_home: Path, tmp_path: Path):
    """What a program logged while no server ran is in no answer yet; the answer comes all the same."""
    program = "import logging, runmill\nlogging.basicConfig(handlers=[runmill.Handler()])\nlogging.error('x')"
    home = str(shutil.copytree(stopped_home, tmp_path / "home"))
    environment = {**os.environ, "RUNMILL_HOME": home, "RUNMILL_EXIT_SECONDS": "0"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=DEADLINE_SECONDS)
    status, out, err = call("runs", "--json", "--home", home)
    said = f"runmill: 1 records wait in journals below {home!r} and are not shown: no server runs there. "
    assert (status, len(objects(out)), err) == (0, 1, f"{said}They are taken in by: runmill up\n")


@pytest.mark.slow
def test_a_foreign_id_can_be_asked_for(call, tmp_path: Path):
    """A sender may call its run anything: it is kept under an id that every command and page can name."""
    request = run_logs()
    request.resource_logs[0].resource.attributes[0].value.string_value = "team/a b\0#1"
    with running(tmp_path) as server:
        post(server.endpoint, "logs", request)
        [run] = objects(call("show", "team_a_b__1", "--json", "--home", str(tmp_path)).out)
        assert run["run_id"] == "team_a_b__1"
        assert len(objects(call("logs", "team/a_b__1", "--json", "--home", str(tmp_path)).out)) == 30
        assert server.get("/runs/team_a_b__1").status_code == 200


@pytest.mark.parametrize("name", [RUN_ID, RUN_ID[:8], "latest"])
def test_show_takes_an_id_a_prefix_or_latest(call, stored_home: Path, name: str):
    """State, tags, metrics and files, whichever way the run is named."""
    status, out, _ = call("show", name)
    assert status == 0
    for part in (RUN_ID, "diabetes (number 1)", "Completed", "1m 30s", "data=small", "mse", "outputs/model.pkl", "5 B"):
        assert part in out


def test_metrics_sums_up(call, stored_home: Path):
    """Count, last, least and greatest of each metric."""
    [metric] = objects(call("metrics", "latest", "--json").out)
    expected = {"metric": "mse", "kind": "scalar", "count": 3, "last": 0.375, "minimum": 0.25, "maximum": 0.5}
    assert expected.items() <= metric.items()
    assert call("metrics", "latest").out.splitlines()[1].split() == ["mse", "3", "0.375", "0.25", "0.5"]


def test_metrics_of_one_metric_gives_every_point(call, stored_home: Path):
    """In the order it was logged."""
    assert [point["value"] for point in objects(call("metrics", "latest", "mse", "--json").out)] == [0.5, 0.25, 0.375]


def test_metrics_gives_a_curve_over_another_metric(call, stored_home: Path):
    """By ascending x, in slices where it is long; of which metric has to be said."""
    curve = objects(call("metrics", "latest", "mse", "--over", "mse", "--json").out)
    assert [(point["x"], point["last"]) for point in curve] == [(0.25, 0.25), (0.375, 0.375), (0.5, 0.5)]
    [slice_] = objects(call("metrics", "latest", "mse", "--buckets", "1", "--json").out)
    assert (slice_["minimum"], slice_["maximum"], slice_["last"], slice_["count"]) == (0.25, 0.5, 0.375, 3)
    table = call("metrics", "latest", "mse", "--over", "mse").out.splitlines()
    assert (table[0].split(), table[1].split()[:5]) == (
        ["X", "LAST", "MIN", "MAX", "COUNT", "TIME"],
        ["0.25", "0.25", "0.25", "0.25", "1"],
    )
    assert call("metrics", "latest", "--over", "mse").err.startswith("runmill: Of which metric?")


def test_an_unknown_metric_is_status_1_and_named(call, stored_home: Path):
    """Nothing to show is not the same as nothing there."""
    expected = f"runmill: Run {RUN_ID} has no metric 'nope'. Those it has: runmill metrics {RUN_ID}\n"
    assert call("metrics", "latest", "nope") == (1, "", expected)
    assert call("metrics", "latest", "nope", "--json") == (1, "", expected)


@pytest.mark.slow
def test_a_histogram_does_not_widen_the_table(call, tmp_path: Path):
    """A value without end is cut where people read it, and whole as JSON."""
    request = run_metrics()
    metric = request.resource_metrics[0].scope_metrics[0].metrics.add(name="latency")
    metric.histogram.aggregation_temporality = 2
    bounds = [edge / 8 for edge in range(40)]
    metric.histogram.data_points.add(
        time_unix_nano=START, count=41, sum=9.5, explicit_bounds=bounds, bucket_counts=[1] * 41
    )
    with running(tmp_path) as server:
        post(server.endpoint, "metrics", request)
        for command in (("metrics", RUN_ID), ("metrics", RUN_ID, "latency"), ("show", RUN_ID)):
            lines = call(*command, "--home", str(tmp_path)).out.splitlines()
            assert any("…" in line for line in lines)
            assert max(len(line) for line in lines) < 100
        [point] = objects(call("metrics", RUN_ID, "latency", "--json", "--home", str(tmp_path)).out)
    assert bounds == point["value"]["explicit_bounds"]


def test_files_lists_files(call, stored_home: Path):
    """Path, size and hash."""
    [file] = objects(call("files", "latest", "--json").out)
    assert (file["path"], file["size_bytes"]) == ("outputs/model.pkl", 5)


def test_logs_prints_lines_in_time_order(call, stored_home: Path):
    """Time, level, logger, message, and the fields that were added."""
    status, out, err = call("logs", RUN_ID)
    lines = [line.split(maxsplit=2)[2] for line in out.splitlines()]
    assert (status, err, len(lines)) == (0, "", 30)
    assert (lines[0], lines[9]) == ("INFO     train line 00 step=0", "WARNING  train.loop line 09 step=9")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--level", "warning"), ["line 09", "line 19", "line 29"]),
        (("--query", "level>=warning step>10 -step:29"), ["line 19"]),
        (("--grep", "LINE 1"), [f"line {number}" for number in range(10, 20)]),
        (("--logger", "train.loop", "--limit", "2"), ["line 27", "line 29"]),
        (("--since", str(START + 28 * SECOND)), ["line 28", "line 29"]),
        (("--until", str(START + 2 * SECOND)), ["line 00", "line 01"]),
        (("--around", str(START + 10 * SECOND), "--limit", "4"), ["line 08", "line 09", "line 10", "line 11"]),
        (("--around", ZONELESS, "--limit", "2", "--logger", "train.loop"), ["line 09", "line 11"]),
        (("--limit", "1"), ["line 29"]),
    ],
)
def test_logs_filters(call, stored_home: Path, options: tuple[str, ...], expected: list[str]):
    """Every filter reaches the store; the limit keeps the newest."""
    assert [record["body"] for record in objects(call("logs", "latest", "--json", *options).out)] == expected


def test_keys_says_what_can_be_asked_for(call, stored_home: Path):
    """Each attribute of the lines that fit, with how many have it and some of its values."""
    status, out, err = call("logs", "latest", "--keys", "--query", "step:28")
    assert (status, err, [line.split() for line in out.splitlines()]) == (
        0, "", [["ATTRIBUTE", "LINES", "EXAMPLES"], ["step", "1", "28"]],
    )  # fmt: skip
    [key] = objects(call("logs", "--keys", "--json").out)
    assert (key["name"], key["count"], len(key["examples"])) == ("step", 30, 5)


def test_logs_as_json_has_the_documented_keys(call, stored_home: Path):
    """What a script reads from a line is named as in OTLP."""
    [record] = objects(call("logs", "latest", "--json", "--limit", "1").out)
    wanted = "time_unix_nano severity_number severity_text logger body attributes event_name stream run_id"
    assert set(wanted.split()) <= record.keys()


def test_store_info_counts(call, stored_home: Path):
    """What the store holds, through the server as well."""
    [facts] = objects(call("store", "info", "--json").out)
    assert (facts["run_count"], facts["log_count"], facts["point_count"]) == (1, 30, 3)


@pytest.mark.parametrize("command", ["show", "logs", "metrics", "files"])
def test_an_unknown_run_is_status_1_and_named(call, stored_home: Path, command: str):
    """Nothing on stdout, a sentence on stderr."""
    status, out, err = call(command, "ffffffff")
    assert (status, out) == (1, "")
    assert err.startswith("runmill: ")
    assert "ffffffff" in err


@pytest.mark.parametrize("name", ["../x", "..", "\x1b[31m", "a b/?#", "\udcff"])
def test_a_run_that_no_id_could_be_is_not_there(call, stored_home: Path, name: str):
    """Whatever was typed is looked up as one name: nothing else of the API is asked, and nothing breaks."""
    status, out, err = call("show", name)
    assert (status, out) == (1, "")
    assert err.startswith(("runmill: run '", "runmill: Nothing is at '/api/v1/runs/"))


@pytest.mark.parametrize("option", [("logs", "--grep"), ("runs", "--text"), ("runs", "--tag")])
def test_a_filter_that_is_no_text_matches_nothing(call, stored_home: Path, option: tuple[str, str]):
    """Bytes that are no UTF-8 reach a command as lone surrogates; they are looked for as question marks."""
    assert call(*option, "\udcff", "--json") == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", ""),
        ("logs", "a" * 100_000),
        ("logs", "--level", "LOUD"),
        ("logs", "--since", "yesterdayish"),
        ("logs", "latest", "--service", "x"),
        ("logs", "-f", "--until", "1h"),
        ("runs", "--status", "Asleep"),
        ("logs", "--limit", "0"),
        ("nonsense",),
    ],
)
def test_a_wrong_call_is_status_2(call, stored_home: Path, arguments: tuple[str, ...]):
    """The message is on stderr and has no traceback."""
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert err
    assert "Traceback" not in err


def test_a_home_without_a_store_is_status_1(call, home: Path):
    """Reading makes nothing, and says how to begin."""
    status, _, err = call("runs")
    assert (status, str(home) in err, list(home.iterdir())) == (1, True, [])


def test_follow_without_a_server_ends_with_a_word(call, stopped_home: Path):
    """Nothing can arrive, so waiting would be for ever."""
    status, out, err = call("logs", "-f", "--home", str(stopped_home))
    assert (status, len(out.splitlines())) == (0, 30)
    assert err == "No server runs in this home, so nothing new can arrive. Start one with: runmill up\n"


def test_control_characters_of_a_message_never_reach_the_terminal(call, stored_home: Path):
    """An escape sequence in a log line is shown, not obeyed."""
    [record] = objects(call("logs", "--limit", "1", "--json").out)
    line = render.log_line(record | {"body": "\x1b[2Jgone\r", "logger": "\x07", "attributes": {"\x00": "\x9b"}})
    assert line.plain.endswith(r"\x07 \x1b[2Jgone\x0d \x00=\x9b")


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error(stored_run):
    """`runmill logs | head -1` prints one line and nothing else."""
    command = f"{sys.executable} -m runmill logs --home {stored_run.home} --json | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


@pytest.mark.slow
def test_follow_goes_on_until_the_run_ends(tmp_path: Path):
    """Lines that come later are printed as they come, in time order; the run's end ends the command."""
    with running(tmp_path) as server:
        post(server.endpoint, "logs", run_logs())
        command = [
            sys.executable,
            "-m",
            "runmill",
            "logs",
            RUN_ID,
            "-f",
            "--home",
            str(tmp_path),
            "--limit",
            "1",
            "--json",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
            assert json.loads(following.stdout.readline())["body"] == "line 29"
            late = run_event("", 41)
            late.resource_logs[0].scope_logs[0].log_records[0].body.string_value = "last"
            late.resource_logs[0].scope_logs.add().log_records.add(time_unix_nano=START + 40 * SECOND)
            late.resource_logs[0].scope_logs[1].log_records[0].body.string_value = "late"
            post(server.endpoint, "logs", late)
            assert [json.loads(following.stdout.readline())["body"] for _ in range(2)] == ["late", "last"]
            post(server.endpoint, "logs", run_event("run.ended", 50, status="Completed"))
            assert following.wait(timeout=20) == 0
