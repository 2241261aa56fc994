"""Files of a run: kept at once, delivered behind the caller's back, read back whole."""

import hashlib
import io
import os
import re
import time
from pathlib import Path

import pytest

from runmill.app.runs.active import active_runs
from runmill.app.runs.experiment import Experiment
from runmill.app.runs.workspace import Workspace
from runmill.errors import NotFound
from runmill.otlp import runs


def test_an_upload_needs_no_network(recorded_run, outlet, tmp_path):
    """The bytes are copied aside under their hash before the call returns; changing the file changes nothing."""
    (tmp_path / "model.pkl").write_bytes(b"weights")
    recorded_run.upload_file("./outputs//model.pkl", tmp_path / "model.pkl")
    (tmp_path / "model.pkl").write_bytes(b"changed")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    [event] = outlet.events(runs.ARTIFACT)
    assert event.body == {
        "path": "outputs/model.pkl",
        "size_bytes": 7,
        "media_type": "application/octet-stream",
        "sha256": sha256,
    }
    assert {path.name: path.read_bytes() for path in outlet.home.spool.iterdir()} == {sha256: b"weights"}


def test_a_file_that_is_not_there_is_the_callers_error(recorded_run, outlet):
    """Nothing is left in the spool."""
    with pytest.raises(FileNotFoundError):
        recorded_run.upload_file("outputs/model.pkl", "nowhere.pkl")
    assert outlet.events(runs.ARTIFACT) == []


@pytest.mark.parametrize("stream", [io.BytesIO(b"text \xc3\xa4"), io.StringIO("text ä")])
def test_streams_are_files_too(run, tmp_path, stream):
    """A stream of bytes is kept as it is, a stream of text as UTF-8."""
    run.upload_file("notes.txt", stream)
    run.download_file("notes.txt", "copy.txt")
    assert (tmp_path / "copy.txt").read_bytes() == "text ä".encode()


def test_files_come_back_as_they_were(run, tmp_path):
    """Upload, list and download, one by one and a folder at once; a second upload of a path replaces the first."""
    _write(tmp_path / "src", {"a.txt": "a", "deep/b.txt": "b"})
    run.upload_file("outputs/a.txt", "src/deep/b.txt")
    run.upload_file("outputs/a.txt", "src/a.txt")
    run.upload_folder("all", "src")
    run.upload_files(["x 1.txt", "y#?.txt"], ["src/a.txt", "src/deep/b.txt"])
    assert run.get_file_names() == ["all/a.txt", "all/deep/b.txt", "outputs/a.txt", "x 1.txt", "y#?.txt"]
    run.download_files(output_directory="back")
    assert _read(tmp_path / "back") == {
        "all/a.txt": "a",
        "all/deep/b.txt": "b",
        "outputs/a.txt": "a",
        "x 1.txt": "a",
        "y#?.txt": "b",
    }


def test_a_download_goes_where_it_is_told(run, tmp_path):
    """Without a target the base name in the current folder, into a folder the base name, else the path given."""
    (tmp_path / "folder").mkdir()
    run.upload_file("outputs/a.txt", io.BytesIO(b"a"))
    run.download_file("outputs/a.txt")
    run.download_file("outputs/a.txt", "folder")
    run.download_file("outputs/a.txt", "new/b.txt")
    assert _read(tmp_path) == {"a.txt": "a", "folder/a.txt": "a", "new/b.txt": "a"}


def test_a_prefix_chooses_files_and_may_be_cut(run, tmp_path):
    """`append_prefix=False` takes the prefix off what is written."""
    run.upload_file("outputs/a.txt", io.BytesIO(b"a"))
    run.upload_file("logs/b.txt", io.BytesIO(b"b"))
    run.download_files("outputs", "back", append_prefix=False)
    assert _read(tmp_path) == {"back/a.txt": "a"}


def test_an_unknown_file_is_answered_with_what_there_is(run):
    """The reader sees the right name at once."""
    run.upload_file("outputs/a.txt", io.BytesIO(b"a"))
    with pytest.raises(NotFound, match=r"has no file 'a\.txt'; it has: 'outputs/a\.txt'\."):
        run.download_file("a.txt")


def test_the_outputs_folder_is_made_and_uploaded(experiment, tmp_path):
    """`./outputs` is there at once; what is in it at the end is kept, and what was uploaded by hand not twice."""
    run = experiment.start_logging(snapshot_directory=None)
    (tmp_path / "outputs" / "model.txt").write_text("model")
    (tmp_path / "outputs" / "late.txt").write_text("late")
    run.upload_file("outputs/model.txt", "outputs/model.txt")
    run.complete()
    assert run.get_file_names() == ["outputs/late.txt", "outputs/model.txt"]


def test_outputs_elsewhere_are_found_after_a_change_of_folder(experiment, tmp_path, monkeypatch):
    """The folder is settled when the run starts."""
    run = experiment.start_logging(outputs="results/today", snapshot_directory=None)
    _write(tmp_path / "results" / "today", {"a.txt": "a"})
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    run.complete()
    assert run.get_file_names() == ["results/today/a.txt"]


def test_logs_are_files_of_their_own_folders(run, tmp_path):
    """`get_all_logs` writes them; `get_details` names their addresses, or gives their text."""
    run.upload_file("user_logs/std_log.txt", io.BytesIO(b"epoch 1\n"))
    run.upload_file("outputs/a.txt", io.BytesIO(b"a"))
    [path] = run.get_all_logs("here")
    assert (path, (tmp_path / path).read_text()) == ("here/user_logs/std_log.txt", "epoch 1\n")
    assert run.get_details_with_logs()["logFiles"] == {"user_logs/std_log.txt": "epoch 1\n"}
    address = f"/api/v1/runs/{run.id}/files/user_logs/std_log.txt"
    assert run.get_details()["logFiles"]["user_logs/std_log.txt"].endswith(address)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _read(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_logs_are_kept_while_the_run_goes_on(experiment, tmp_path):
    """What the program writes to ./logs is there with the next heartbeat, and whole at the end; older files are not."""
    _write(tmp_path, {"logs/before.txt": "of another run"})
    made_unix_nano = (tmp_path / "logs" / "before.txt").stat().st_ctime_ns
    while time.time_ns() < made_unix_nano + 20_000_000:
        pass  # file times tick every few milliseconds: the run must begin clearly later
    run = experiment.start_logging(snapshot_directory=None)
    _write(tmp_path, {"logs/tb/events": "step 1\n"})
    active_runs().find(run._recorder.key).confirm()
    assert run.get_file_names() == ["logs/tb/events"]
    _write(tmp_path, {"logs/tb/events": "step 1\nend\n", "outputs/model": "weights"})
    run.complete()
    assert run.get_file_names() == ["logs/tb/events", "outputs/model"]
    assert run.get_details_with_logs()["logFiles"] == {"logs/tb/events": "step 1\nend\n"}


def test_without_outputs_logs_are_not_kept(run, tmp_path):
    """`outputs=False` keeps a program's folders out of its run."""
    _write(tmp_path, {"logs/loss.txt": "0.5"})
    run.complete()
    assert run.get_file_names() == []


def test_a_file_that_cannot_be_kept_is_no_reason_not_to_end(outlet, tmp_path, capsys):
    """As on a full disk: an upload raises and says where; an end says it, leaves the file out and is the run's end."""
    run = Experiment(Workspace(outlet=outlet), "recorded").start_logging(snapshot_directory=None)
    (tmp_path / "outputs" / "model.pkl").write_bytes(b"weights")
    outlet.home.spool.parent.mkdir(exist_ok=True)
    outlet.home.spool.write_text("in the way")
    with pytest.raises(OSError, match=re.escape(str(outlet.home.spool))):
        run.upload_file("a", io.BytesIO(b"a"))
    run.complete()
    [ended] = outlet.events(runs.ENDED)
    assert (run.status, ended.body, outlet.events(runs.ARTIFACT)) == ("Completed", {"status": "Completed"}, [])
    assert "outputs/model.pkl' is not kept: [Errno 17] File exists" in capsys.readouterr().err


def test_what_a_killed_process_half_copied_is_removed(recorded_run, outlet):
    """After an hour, by the next one that keeps a file; what is being copied now stays."""
    outlet.home.spool.mkdir(parents=True)
    old, new = outlet.home.spool / ".old", outlet.home.spool / ".new"
    for draft in (old, new):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    recorded_run.upload_file("a", io.BytesIO(b"a"))
    assert (old.exists(), new.exists()) == (False, True)
