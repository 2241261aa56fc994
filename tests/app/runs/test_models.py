"""Files of runs are registered under a name, and found again by name and version."""

import re

import pytest

from runmill.app.runs.models import Model
from runmill.errors import Conflict, InvalidArgument, NotFound


@pytest.fixture
def name(experiment):
    """A model name of the test's own."""
    return f"model-{experiment.name}"


@pytest.fixture
def trained(run, tmp_path):
    """A run with a model in two files, and a file beside it."""
    for path, text in {"ridge/model.pkl": "weights", "ridge/scaler.pkl": "scale", "notes.txt": "notes"}.items():
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        run.upload_file(f"outputs/{path}", file)
    return run


def test_a_registered_file_is_found_by_name(trained, workspace, name, tmp_path):
    """With everything that was said of it; its run, and its bytes."""
    model = trained.register_model(
        name,
        "./outputs/ridge/model.pkl",
        tags={"alpha": 0.5},
        properties={"rows": 442},
        model_framework="ScikitLearn",
        model_framework_version="1.5",
        description="the best",
    )
    found = workspace.models[name]
    for each in (model, found, Model(workspace, name), Model(workspace, id=f"{name}:1")):
        assert (each.name, each.version, each.id, each.path) == (name, 1, f"{name}:1", "outputs/ridge/model.pkl")
        assert (each.tags, each.properties, each.description) == ({"alpha": "0.5"}, {"rows": "442"}, "the best")
        assert (each.model_framework, each.model_framework_version) == ("ScikitLearn", "1.5")
        assert (each.run_id, each.experiment_name) == (trained.id, trained.experiment.name)
    written = found.download(str(tmp_path / "there"))
    assert (written, (tmp_path / "there" / "model.pkl").read_text()) == (
        str(tmp_path / "there" / "model.pkl"),
        "weights",
    )
    assert repr(found) == f"Model(Name: {name},\nVersion: 1,\nRun: {trained.id})"


def test_versions_count_and_never_change(trained, workspace, name, tmp_path):
    """The same name again is the next version; an old one keeps its bytes when its run uploads others."""
    first = trained.register_model(name, "outputs/ridge")
    (tmp_path / "ridge" / "model.pkl").write_text("better weights")
    trained.upload_file("outputs/ridge/model.pkl", tmp_path / "ridge" / "model.pkl")
    second = trained.register_model(name, "outputs/ridge")
    assert (first.version, second.version, workspace.models[name].version) == (1, 2, 2)
    assert first.files == ["outputs/ridge/model.pkl", "outputs/ridge/scaler.pkl"]
    Model(workspace, name, version=1).download(str(tmp_path / "old"))
    assert (tmp_path / "old" / "ridge" / "model.pkl").read_text() == "weights"
    with pytest.raises(Conflict, match=r"is there already\. Give exist_ok=True to replace it"):
        second.download(str(tmp_path / "old"))
    second.download(str(tmp_path / "old"), exist_ok=True)
    assert (tmp_path / "old" / "ridge" / "model.pkl").read_text() == "better weights"


def test_models_are_listed_as_asked(trained, workspace, name):
    """Newest first; by name, tags, run; one version of each with latest."""
    old = trained.register_model(name, "outputs/ridge", tags={"stage": "old"})
    new = trained.register_model(name, "outputs/ridge", tags={"stage": "new"})

    def ids(**wanted):
        return [model.id for model in Model.list(workspace, name, **wanted)]

    assert ids() == [new.id, old.id]
    assert ids(latest=True) == [new.id]
    assert ids(tags={"stage": "old"}) == [old.id]
    assert ids(run_id="another") == []


def test_a_path_that_is_not_there_is_said_with_those_that_are(trained, name, workspace):
    """Nothing is registered then."""
    files = r"'outputs/notes\.txt', 'outputs/ridge/model\.pkl', 'outputs/ridge/scaler\.pkl'"
    with pytest.raises(NotFound, match=rf"has no file or folder 'outputs/rid'; it has: {files}\.$"):
        trained.register_model(name, "outputs/rid")
    with pytest.raises(NotFound, match=rf"model '{name}', version newest: there is no model of that name\."):
        Model(workspace, name)
    trained.register_model(name, "outputs/ridge")
    with pytest.raises(NotFound, match=r"version 2: it has the versions 1 to 1\."):
        Model(workspace, name, version=2)


def test_what_a_model_cannot_have_is_refused(trained, name, workspace):
    """In words, and nothing is registered."""
    with pytest.raises(InvalidArgument, match=r"datasets=\[1\]: models are files, labels and text here"):
        trained.register_model(name, "outputs/ridge", datasets=[1])
    with pytest.raises(InvalidArgument, match=r"file_name='x': models are files"):
        trained.register_model(name, file_name="x")
    with pytest.raises(InvalidArgument, match=r"a model's name must be text"):
        trained.register_model("", "outputs/ridge")
    with pytest.raises(InvalidArgument, match=r"id must be NAME:VERSION, got 'x'"):
        Model(workspace, id="x")
    assert Model.list(workspace, name) == []


def test_a_model_is_registered_without_a_run_at_hand(workspace, name, tmp_path):
    """Of a file or a folder on this machine; a run of its own keeps the files and says who did it."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "a.bin").write_text("a")
    model = Model.register(workspace, tmp_path / "weights", name, tags={"from": "elsewhere"}, description="found")
    assert (model.id, model.files, model.tags) == (f"{name}:1", ["weights/a.bin"], {"from": "elsewhere"})
    assert (model.experiment_name, model.run.status, model.run.display_name) == ("models", "Completed", name)
    again = Model.register(workspace, model_path=tmp_path / "weights" / "a.bin", model_name=name)
    assert (again.version, again.files, again.path) == (2, ["a.bin"], "a.bin")
    with pytest.raises(NotFound, match=rf"Model\.register\('{name}'\): there is no file or folder 'absent'\."):
        Model.register(workspace, "absent", name)


def test_models_have_pages(trained, server, name):
    """One lists the names, one the versions of a name with their files and their run; the first page leads there."""
    trained.register_model(name, "outputs/ridge", tags={"stage": "<b>"}, description="the best")
    trained.register_model(name, "outputs/ridge/model.pkl", model_framework="ScikitLearn")
    assert 'href="/models"' in server.get("/").text
    assert f'href="/models/{name}">{name}</a></td><td class="number">2</td>' in server.get("/models").text
    page = server.get(f"/models/{name}").text
    assert page.index("<h2>Version 2</h2>") < page.index("<h2>Version 1</h2>")
    assert f'href="/runs/{trained.id}"' in page
    assert "the best" in page
    assert "<dt>stage</dt><dd>&lt;b&gt;</dd>" in page
    files = re.findall(r'href="(/api/v1/artifacts/\w+)" download="([^"]+)"', page)
    assert [file for _, file in files] == ["model.pkl", "model.pkl", "scaler.pkl"]
    assert server.get(files[0][0]).text == "weights"
    assert server.get("/models/absent").status_code == 404


def test_what_was_just_written_to_outputs_can_be_registered(experiment, name, tmp_path, monkeypatch):
    """The folder is uploaded first; the default path is the model's name."""
    monkeypatch.chdir(tmp_path)
    run = experiment.start_logging(outputs="outputs", snapshot_directory=None)
    (tmp_path / "outputs" / "model.pkl").write_text("weights")
    assert run.register_model(name, "outputs/model.pkl").files == ["outputs/model.pkl"]
    assert run.register_model("outputs/model.pkl").name == "outputs/model.pkl"
