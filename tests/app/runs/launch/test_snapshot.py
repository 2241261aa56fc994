"""The code a run ran: which files it is, that it comes back, that it is stored once, and that it never harms."""

import subprocess
import zipfile
from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runmill import Conflict, InvalidArgument, NotFound
from runmill.app.runs.launch.source_tree import source_entries

NOWHERE = Path("/nowhere")

segments = st.text(ascii_lowercase[:3], min_size=1, max_size=2)
paths = st.lists(segments, min_size=1, max_size=3).map("/".join)
rules = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/", "**/"]),
    st.one_of(paths, st.sampled_from(["*", "a*", "?", "[ab]", "a/**", "**"])),
    st.sampled_from(["", "/"]),
)
trees = st.fixed_dictionaries(
    {"files": st.sets(paths, max_size=8), "ignores": st.dictionaries(paths | st.just("."), st.lists(rules), max_size=3)}
)


def grow(folder: Path, tree: dict) -> None:
    for name in tree["files"]:
        write(folder / name, "")
    for name, lines in tree["ignores"].items():
        write(folder / name / ".gitignore", "\n".join(lines))


def write(path: Path, text: str) -> None:
    """Write a file, unless a file stands where a folder is needed, or a folder where the file is."""
    if not path.is_dir() and not any(parent.is_file() for parent in path.parents):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path) -> set[str]:
    return {entry.name for entry in source_entries(folder, leave_out=NOWHERE)}


def names_by_git(folder: Path) -> set[str]:
    asked = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    said = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True).stdout
    return set(filter(None, said.split("\0")))


@pytest.mark.slow
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_gitignore_means_what_git_says(tmp_path_factory, tree):
    """Whatever the tree and its ignore files: the files are those that git itself would add."""
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    grow(folder, tree)
    assert names(folder) == names_by_git(folder)


def test_amlignore_wins(tmp_path):
    """Where it is, .gitignore files say nothing."""
    grow(tmp_path, {"files": ["a", "b", "c/a"], "ignores": {".": ["b"], "c": ["a"]}})
    (tmp_path / ".amlignore").write_text("/a\n")
    assert names(tmp_path) == {".amlignore", ".gitignore", "b", "c/.gitignore", "c/a"}


def test_what_is_never_code_is_left_out(tmp_path):
    """Version control, caches, Python environments, the home itself; links to folders are not entered."""
    for name in (".git/x", "__pycache__/x", "env/pyvenv.cfg", "env/lib/x", "conda/conda-meta/x", "home/x", "src/x"):
        write(tmp_path / name, "")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    found = list(source_entries(tmp_path, leave_out=tmp_path / "home"))
    assert [(entry.name, entry.is_folder_link) for entry in found] == [("loop", True), ("src/x", False)]


@pytest.fixture
def run(experiment):
    with experiment.start_logging(outputs=False, snapshot_directory=None) as run:
        yield run


def test_a_snapshot_comes_back(run, source, tmp_path):
    """What was taken is in the archive, byte for byte; its id is a property; a run has one."""
    write(source / "train.py", "print(1)")
    write(source / "lib" / "a.py", "A = 1")
    snapshot_id = run.take_snapshot(source)
    assert (run.get_snapshot_id(), run.get_properties()["ContentSnapshotId"]) == (snapshot_id, snapshot_id)
    archive = run.restore_snapshot(path=tmp_path / "back")
    assert archive == str(tmp_path / "back" / f"{snapshot_id}.zip")
    with zipfile.ZipFile(archive) as back:
        content = {name: back.read(name) for name in back.namelist()}
    assert content == {"train.py": b"print(1)", "lib/a.py": b"A = 1"}
    with pytest.raises(Conflict, match=rf"has a snapshot: '{snapshot_id}'"):
        run.take_snapshot(source)
    with pytest.raises(NotFound, match=rf"has the snapshot '{snapshot_id}', not 'other'"):
        run.restore_snapshot("other")


def test_without_a_snapshot_there_is_none(run):
    """Asking for it says so, as does a folder that is not there."""
    with pytest.raises(NotFound, match=r"has no snapshot of its code"):
        run.get_snapshot_id()
    with pytest.raises(InvalidArgument, match=r"^run\.take_snapshot\('absent'\): there is no such file or folder\.$"):
        run.take_snapshot("absent")


def test_only_what_changed_is_stored(experiment, source, server):
    """The same code has the same id and is stored once; of changed code, the file that changed."""

    def snapshot() -> tuple[str, int]:
        with experiment.start_logging(outputs=False, snapshot_directory=None) as run:
            snapshot_id = run.take_snapshot(source)
        return snapshot_id, sum(path.is_file() for path in (server.home / "artifacts").rglob("*"))

    for name in ("a.py", "b.py"):
        write(source / name, f"{name} of the test that only what changed is stored")
    (first, count), (again, count_again) = snapshot(), snapshot()
    write(source / "a.py", "changed")
    changed, count_changed = snapshot()
    assert (again, count_again) == (first, count)
    assert (changed != first, count_changed) == (True, count + 1)


def test_data_is_no_code(run, source, capfd):
    """A large file and a folder of very many are left out, and said; the rest is there."""
    write(source / "train.py", "")
    with (source / "weights.bin").open("wb") as file:
        file.truncate(11 << 20)
    (source / "images").mkdir()
    for number in range(1001):
        (source / "images" / str(number)).touch()
    run.take_snapshot(source)
    assert run.get_file_names() == ["snapshot/train.py"]
    said = capfd.readouterr().err
    assert "runmill: 'weights.bin' is not in the snapshot: it has 11 MiB; name it in .amlignore" in said
    assert "runmill: folder 'images' is not in the snapshot: it has 1001 files of 0 MiB;" in said


@pytest.mark.slow
def test_a_submitted_script_has_its_code_and_its_changes(submit, source):
    """The code below snapshot/, git's facts as properties, and what was not committed as a patch that applies."""
    (source / "lib.py").write_text("A = 1\n")
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "lib.py"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "a"],
    ):
        subprocess.run(["git", *command], cwd=source, check=True)
    (source / "lib.py").write_text("A = 2\n")
    run = submit("import lib")
    run.wait_for_completion()
    assert {"snapshot/lib.py", "snapshot/train.py", "git/uncommitted.patch"} <= set(run.get_file_names())
    assert run.get_properties().items() >= {"azureml.git.branch": "main", "azureml.git.dirty": "True"}.items()
    run.download_file("git/uncommitted.patch", "changes.patch")
    (source / "lib.py").write_text("A = 1\n")
    subprocess.run(["git", "apply", str(Path("changes.patch").absolute())], cwd=source, check=True)
    assert (source / "lib.py").read_text() == "A = 2\n"
