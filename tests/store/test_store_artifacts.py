"""Files of runs: their facts and their bytes, on every engine."""

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, artifact, delivery

from runmill.errors import InvalidArgument, NotFound
from runmill.model import Artifact
from runmill.store.artifacts import ArtifactBytes


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@given(st.lists(st.binary(max_size=100), max_size=5), st.integers(0, 300), st.none() | st.integers(0, 600))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_come_out_as_they_went_in(store, chunks, start, end):
    """Whole or any part of them; a part that begins beyond their end is empty."""
    content = b"".join(chunks)
    assert store.put_artifact_bytes(sha256(content), iter(chunks)) == len(content)
    assert store.has_artifact_bytes(sha256(content))
    assert b"".join(store.artifact_bytes(sha256(content))) == content
    assert b"".join(store.artifact_bytes(sha256(content), start=start, end=end)) == content[start:end]


def test_large_bytes_come_in_pieces(store):
    """No piece holds all of a large file."""
    content = bytes(range(256)) * 50_000
    store.put_artifact_bytes(sha256(content), [content[:7_000_000], content[7_000_000:]])
    pieces = list(store.artifact_bytes(sha256(content), start=1))
    assert b"".join(pieces) == content[1:]
    assert max(map(len, pieces)) < 5_000_000


def test_bytes_of_another_hash_are_not_kept(store, tmp_path):
    """Nothing of them is left in the folder, small or large."""
    wanted = sha256(b"other")
    for size in (3, 20_000_000):
        with pytest.raises(InvalidArgument, match=wanted):
            store.put_artifact_bytes(wanted, [b"x" * size])
    assert not store.has_artifact_bytes(wanted)
    assert [file for file in (tmp_path / "artifacts").rglob("*") if file.is_file()] == []


def test_an_upload_that_breaks_off_is_not_kept(store):
    """What the sender raises comes out, and nothing is there."""

    def broken():
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        store.put_artifact_bytes(sha256(b"half"), broken())
    assert not store.has_artifact_bytes(sha256(b"half"))


def test_the_same_bytes_are_kept_once(tmp_path):
    """Putting them again changes nothing."""
    bytes_of_files = ArtifactBytes(tmp_path / "artifacts")
    for _ in range(2):
        assert bytes_of_files.put(sha256(b"abc"), [b"abc"]) == 3
    name = sha256(b"abc")
    files = [file for file in (tmp_path / "artifacts").rglob("*") if file.is_file()]
    assert files == [tmp_path / "artifacts" / name[:2] / name]


@pytest.mark.parametrize("name", ["", "abc", "A" * 64, "../" * 20 + "pass", "g" * 64])
def test_a_name_that_is_no_hash_is_refused(store, name):
    """So no name leads out of the folder."""
    for call in (store.has_artifact_bytes, store.artifact_bytes, lambda name: store.put_artifact_bytes(name, [b""])):
        with pytest.raises(InvalidArgument, match="not a SHA-256"):
            call(name)


def test_bytes_that_are_not_there_are_named(store):
    """NotFound comes at the call, not when the first piece is read."""
    with pytest.raises(NotFound, match="a" * 64):
        store.artifact_bytes("a" * 64)
    with pytest.raises(InvalidArgument, match="-1"):
        store.artifact_bytes("a" * 64, start=-1)


def test_a_run_has_the_newest_of_each_path(store):
    """Files come by path; what was put later under the same path, by its own time, counts."""
    store.append(
        [
            delivery(
                artifacts=[
                    artifact(path="b.txt", sha256="b" * 64, time_unix_nano=NOW + 1),
                    artifact(path="b.txt", sha256="0" * 64, time_unix_nano=NOW),
                    artifact(path="a.txt", sha256="1" * 64),
                    artifact(path="a.txt", sha256="2" * 64),
                    artifact(run_id="run-000002", path="c.txt"),
                ]
            )
        ]
    )
    expected = [
        Artifact("run-000001", "a.txt", 3, "application/octet-stream", "2" * 64, NOW),
        Artifact("run-000001", "b.txt", 3, "application/octet-stream", "b" * 64, NOW + 1),
    ]
    assert store.artifacts("run-000001") == expected
    assert store.artifact("run-000001", "b.txt") == expected[1]
    with pytest.raises(NotFound, match=r"no file 'c\.txt'"):
        store.artifact("run-000001", "c.txt")
    with pytest.raises(NotFound, match="nobody"):
        store.artifacts("nobody")
