"""Files of runs: their facts and their bytes, on every engine."""

import hashlib
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_columns import NOW, artifact, delivery

from runmill.errors import Conflict, InvalidArgument, NotFound
from runmill.model import Artifact
from runmill.store.artifacts import ArtifactBytes
from runmill.store.upload_parts import KEPT_FOR


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


def broken_off(chunks):
    yield from chunks
    raise ConnectionError("gone")


CONTENT = bytes(range(256)) * 80_000
"""Two parts of what is kept of an upload, and half of one."""


def test_an_upload_goes_on_where_it_broke_off(store):
    """However often it breaks, whatever pieces come; until it is whole nothing is there, then nothing else is left."""
    name, place = sha256(CONTENT), 0
    for size in (3_000_000, 9_999_999, 1):
        with pytest.raises(ConnectionError, match="gone"):
            store.upload_artifact_bytes(name, broken_off([CONTENT[place : place + size]]), start=place)
        place += size
        assert (store.uploaded_artifact_bytes(name), store.has_artifact_bytes(name)) == (place, False)
    for start in (1, place - 1, place + 1):
        with pytest.raises(Conflict, match=f"go on from byte {place}"):
            store.upload_artifact_bytes(name, [b"x"], start=start)
    assert store.upload_artifact_bytes(name, [CONTENT[place:]], start=place) == len(CONTENT)
    assert b"".join(store.artifact_bytes(name)) == CONTENT
    assert store.uploaded_artifact_bytes(name) == 0


def test_an_upload_may_begin_anew(store):
    """What is kept of an earlier one does not matter to who sends all of it, in pieces of other sizes."""
    content = CONTENT[1:]  # the lakes of all tests keep their files in one place
    name = sha256(content)
    with pytest.raises(ConnectionError):
        store.upload_artifact_bytes(name, broken_off([content[:5_000_000], content[5_000_000:9_000_000]]))
    pieces = [content[at : at + 700_001] for at in range(0, len(content), 700_001)]
    assert store.upload_artifact_bytes(name, pieces) == len(content)
    assert b"".join(store.artifact_bytes(name)) == content


def test_parts_of_another_file_are_not_kept(store, tmp_path):
    """When the whole has another hash than it should, what came before goes too: it may be what was wrong."""
    wanted = sha256(b"other")
    with pytest.raises(ConnectionError):
        store.upload_artifact_bytes(wanted, broken_off([CONTENT]))
    with pytest.raises(InvalidArgument, match=wanted):
        store.upload_artifact_bytes(wanted, [b"end"], start=len(CONTENT))
    assert (store.uploaded_artifact_bytes(wanted), store.has_artifact_bytes(wanted)) == (0, False)
    assert [file for file in (tmp_path / "artifacts").rglob("*") if file.is_file()] == []


def test_what_nobody_goes_on_with_is_let_go(tmp_path):
    """After a week, when the next upload breaks off."""
    files = ArtifactBytes(tmp_path / "artifacts")
    for content in (b"old", b"young"):
        with pytest.raises(ConnectionError):
            files.upload(sha256(content), broken_off([content[:2]]))
    a_week_ago = time.time() - KEPT_FOR.total_seconds() - 1
    os.utime(tmp_path / "artifacts" / "partial" / sha256(b"old") / "0-2", (a_week_ago, a_week_ago))
    with pytest.raises(ConnectionError):
        files.upload(sha256(b"next"), broken_off([b"ne"]))
    assert [files.uploaded(sha256(content)) for content in (b"old", b"young", b"next")] == [0, 2, 2]


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
