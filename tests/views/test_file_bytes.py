"""Bytes of files, out and in, over a real socket."""

import hashlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from training import RUN, add_file, commit, run

from runmill.store.interface import Store

CONTENT = bytes(range(256)) * 100


@pytest.fixture
def file(store: Store) -> str:
    commit(store, events=run(RUN))
    add_file(store, RUN, "out/weights é.bin", CONTENT, "application/octet-stream")
    return f"/api/v1/runs/{RUN}/files/out/weights é.bin"


def test_a_file_comes_whole_with_its_hash_as_etag(file: str, client: httpx.Client) -> None:
    """Bytes, size, name and ETag are those of the file."""
    answer = client.get(file)
    assert answer.content == CONTENT
    assert answer.headers["etag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''weights%20%C3%A9.bin"
    assert client.head(file).headers["content-length"] == str(len(CONTENT))
    assert client.get(file, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=10-19", 206, CONTENT[10:20]),
        ("bytes=25590-", 206, CONTENT[25590:]),
        ("bytes=-5", 206, CONTENT[-5:]),
        ("bytes=25590-99999", 206, CONTENT[25590:]),
        ("bytes=25600-", 416, b""),
        ("bytes=1-2,5-6", 200, CONTENT),
        ("lines=1-2", 200, CONTENT),
    ],
)
def test_a_range_gives_that_part(file: str, client: httpx.Client, wanted: str, status: int, content: bytes) -> None:
    """One range is honoured; what is no such range gives the whole."""
    answer = client.get(file, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (status, content)


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml"])
def test_a_page_a_user_stored_cannot_act_in_our_origin(store: Store, client: httpx.Client, media_type: str) -> None:
    """Markup is caged by its own policy, and nothing is guessed from its bytes."""
    commit(store, events=run(RUN))
    add_file(store, RUN, "page", b"<script>alert(1)</script>", media_type)
    headers = client.get(f"/api/v1/runs/{RUN}/files/page").headers
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_a_media_type_that_is_none_is_not_passed_on(store: Store, client: httpx.Client) -> None:
    """A type with line breaks would be a header of the sender's choice."""
    commit(store, events=run(RUN))
    add_file(store, RUN, "x", b"x", "text/plain\r\nSet-Cookie: a=b")
    headers = client.get(f"/api/v1/runs/{RUN}/files/x").headers
    assert headers["content-type"] == "application/octet-stream"
    assert "set-cookie" not in headers


def test_bytes_are_put_once_under_their_hash(store: Store, client: httpx.Client) -> None:
    """The first PUT stores (201), the next finds them (200), HEAD says whether they are there."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    address = f"/api/v1/artifacts/{sha256}"

    def pieces() -> Iterator[bytes]:
        yield from (CONTENT[start : start + 1000] for start in range(0, len(CONTENT), 1000))

    assert client.head(address).status_code == 404
    assert client.put(address, content=pieces()).status_code == 201
    assert client.put(address, content=CONTENT).status_code == 200
    assert client.head(address).status_code == 200
    assert b"".join(store.artifact_bytes(sha256)) == CONTENT


def test_bytes_with_another_hash_are_refused(store: Store, client: httpx.Client) -> None:
    """A torn upload is 400 and leaves nothing; a path that is no hash is 400 too."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    answer = client.put(f"/api/v1/artifacts/{sha256}", content=CONTENT[:-1])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_argument")
    assert not store.has_artifact_bytes(sha256)
    assert client.put("/api/v1/artifacts/abc", content=b"").status_code == 400


def test_an_upload_goes_on_after_what_came(store: Store, client: httpx.Client) -> None:
    """A connection that is cut costs little: HEAD says how much came, and a PUT of the rest completes it."""
    content = CONTENT * 500
    sha256 = hashlib.sha256(content).hexdigest()
    address = f"/api/v1/artifacts/{sha256}"
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as cut:
        head = f"PUT {address} HTTP/1.1\r\nHost: {client.base_url.host}\r\nContent-Length: {len(content)}\r\n\r\n"
        cut.sendall(head.encode() + content[:-1000])
        deadline = time.monotonic() + 30
        while (place := int(client.head(address).headers["upload-offset"])) == 0:
            assert time.monotonic() < deadline
    wrong = _put_rest(client, address, content, place - 1)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "conflict")
    while (answer := _put_rest(client, address, content, place)).status_code == 409:
        place = int(client.head(address).headers["upload-offset"])  # what came just before the cut is kept by now
        assert time.monotonic() < deadline
    assert (answer.status_code, answer.json()) == (201, {"sha256": sha256, "size_bytes": len(content)})
    assert b"".join(store.artifact_bytes(sha256)) == content


def _put_rest(client: httpx.Client, address: str, content: bytes, place: int) -> httpx.Response:
    headers = {"Content-Range": f"bytes {place}-{len(content) - 1}/{len(content)}"}
    return client.put(address, content=content[place:], headers=headers)


@pytest.mark.parametrize("wrong", ["bytes 0-9/20", "bytes 9-0/1", "bytes 5-/9", "lines 1-2/3", "bytes */x"])
def test_a_part_that_is_not_the_rest_is_refused(store: Store, client: httpx.Client, wrong: str) -> None:
    """The answer says what to send instead."""
    answer = client.put(f"/api/v1/artifacts/{'a' * 64}", content=b"x", headers={"Content-Range": wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_argument")


def test_an_answer_that_was_missed_is_asked_for_again(store: Store, client: httpx.Client) -> None:
    """Who sent all and heard nothing sends an empty rest."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()

    def all_and_then_nothing() -> Iterator[bytes]:
        yield CONTENT
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        store.upload_artifact_bytes(sha256, all_and_then_nothing())
    answer = client.put(f"/api/v1/artifacts/{sha256}", headers={"Content-Range": f"bytes */{len(CONTENT)}"})
    assert answer.status_code == 201
    assert b"".join(store.artifact_bytes(sha256)) == CONTENT
