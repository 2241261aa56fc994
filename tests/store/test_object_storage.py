"""The clouds beside S3: rows and files of runs on Azure's blob storage, and on Google's as an S3 server speaks for it.

Google's storage takes an HMAC key and S3's requests for rows; what obstore asks it for files is of the same shape, so
the S3 server of the other tests stands for both. What ``abfss://`` asks for, no server to be had answers.
"""

import hashlib
import json
from collections import Counter
from contextlib import closing

import duckdb
import pytest
from azure_server import BlobStorage
from store_columns import artifact, delivery, event, log, point

from runmill import store as stores
from runmill.errors import ConfigError, Conflict, InvalidArgument, NotFound
from runmill.store.artifact_place import open_place
from runmill.store.artifacts import ArtifactBytes
from runmill.store.duckdb import object_storage as access
from runmill.store.query import LogQuery, PruneQuery

CONTENT = bytes(range(256)) * 80_000
"""Two parts of what is kept of an upload, and half of one."""
NAME = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def azure():
    server = BlobStorage()
    yield server.environment
    server.stop()


@pytest.fixture(scope="module")
def google(object_storage, tmp_path_factory):
    # A service account that needs no sign-in, as obstore takes it for such servers.
    file = tmp_path_factory.mktemp("google") / "account.json"
    account = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    file.write_text(json.dumps(account | {"gcs_base_url": object_storage.endpoint}), encoding="utf-8")
    return {
        "GCS_HMAC_KEY_ID": "any",
        "GCS_HMAC_SECRET": "any",
        "GCS_ENDPOINT_URL": object_storage.endpoint,
        "GOOGLE_SERVICE_ACCOUNT": str(file),
    }


@pytest.fixture(params=["az", "gs"])
def bucket(request, monkeypatch) -> str:
    """A bucket of each cloud, which the environment gives access to."""
    environment = request.getfixturevalue({"az": "azure", "gs": "google"}[request.param])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return f"{request.param}://runs"


@pytest.fixture
def files(bucket, request) -> ArtifactBytes:
    return ArtifactBytes(f"{bucket}/{request.node.originalname}")


@pytest.mark.engines
def test_files_come_out_of_each_cloud_as_they_went_in(files):
    """Whole or in part, in pieces; a file can be taken away, and then it is not there."""
    assert files.put(NAME, [CONTENT[:7_000_000], CONTENT[7_000_000:]]) == len(CONTENT)
    assert files.has(NAME)
    pieces = list(files.get(NAME))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) < 5_000_000
    assert b"".join(files.get(NAME, start=9_000_001, end=9_000_100)) == CONTENT[9_000_001:9_000_100]
    assert b"".join(files.get(NAME, start=len(CONTENT) + 1)) == b""
    files.remove(NAME)
    files.remove(NAME)
    assert not files.has(NAME)
    with pytest.raises(NotFound, match=NAME):
        files.get(NAME)


@pytest.mark.engines
def test_an_upload_to_each_cloud_goes_on_where_it_broke_off(files):
    """Until it is whole nothing is there; then its parts are gone."""
    with pytest.raises(ConnectionError):
        files.upload(NAME, broken_off(CONTENT[:9_999_999]))
    assert (files.uploaded(NAME), files.has(NAME)) == (9_999_999, False)
    with pytest.raises(Conflict, match="go on from byte 9999999"):
        files.upload(NAME, [b"x"], start=1)
    assert files.upload(NAME, [CONTENT[9_999_999:]], start=9_999_999) == len(CONTENT)
    assert b"".join(files.get(NAME)) == CONTENT
    assert files.uploaded(NAME) == 0


def broken_off(content):
    yield content
    raise ConnectionError


@pytest.mark.engines
def test_bytes_of_another_hash_are_kept_in_no_cloud(files, bucket, request):
    """Small or large, nothing of them can be seen."""
    wanted = hashlib.sha256(b"other").hexdigest()
    for content in (b"xxx", CONTENT):
        with pytest.raises(InvalidArgument, match=wanted):
            files.put(wanted, [content])
    assert not files.has(wanted)
    assert [*open_place(f"{bucket}/{request.node.originalname}").list()] == []


@pytest.mark.engines
def test_a_lake_is_filled_packed_and_pruned_on_each_cloud(bucket, postgres):
    """Rows that wait in the catalog, rows in files, files of runs; opened again, the catalog says where they are."""
    database = f"cloud_{bucket[:2]}"
    postgres.sql(f"create database {database}")
    url = f"ducklake:postgres:{postgres.connection(database)}"
    with closing(stores.open(f"{url} data_path={bucket}/lake")) as store:
        for number, rows in enumerate((1, 300, 500)):
            logs = [log(body=str(number), run_id="run-000001")] * rows
            points = [point(float(number), run_id="run-000001")] * rows
            store.append([delivery("p", number, logs=logs, points=points)])
        store.put_artifact_bytes(NAME, [CONTENT])
        ended = event("run.ended", {"status": "Completed"}, run_id="run-000001")
        store.append([delivery("p", 3, artifacts=[artifact(sha256=NAME)], events=[ended])])
        store.compact()
    with closing(stores.open(url)) as store:
        assert Counter(body(store)) == {"0": 1, "1": 300, "2": 500}
        assert b"".join(store.artifact_bytes(NAME, start=len(CONTENT) - 3)) == CONTENT[-3:]
        assert store.append([delivery("p", 1, logs=[log()])]) == 1
        pruned = store.prune(PruneQuery(older_than_unix_nano=2**62))
        assert (pruned.log_count, pruned.point_count, pruned.file_count) == (801, 801, 1)
        assert (body(store), store.has_artifact_bytes(NAME)) == ([], False)


def body(store) -> list[str]:
    return [record.body for record in store.logs(LogQuery(limit=10_000)).records]


@pytest.mark.parametrize(
    ("data_path", "environment", "said"),
    [
        ("abfss://c@acme.dfs.core.windows.net/p/", {}, ("azure", "credential_chain", "account_name=acme")),
        ("az://c/p/", {"AZURE_STORAGE_ACCOUNT_NAME": "acme"}, ("azure", "credential_chain", "account_name=acme")),
        (
            "abfss://c/p/",
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=acme;AccountKey=c2VjcmV0"},
            ("azure", "config", "connection_string=redacted"),
        ),
        ("gs://b/p/", {"GCS_HMAC_KEY_ID": "me", "GCS_HMAC_SECRET": "x"}, ("gcs", "config", "key_id=me")),
    ],
    ids=["account-in-url", "account-in-environment", "connection-string", "hmac"],
)
def test_the_engine_is_told_what_the_environment_says(data_path, environment, said, monkeypatch):
    """For accounts that no test reaches: of what kind the access is, and to which account."""
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING", *environment):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with closing(duckdb.connect()) as connection:
        access.prepare(connection, data_path)
        [(kind, provider, text)] = connection.execute(
            "select type, provider, secret_string from duckdb_secrets()"
        ).fetchall()
    assert (kind, provider) == said[:2]
    assert said[2] in text


@pytest.mark.parametrize(
    ("data_path", "missing"),
    [("gs://b/p/", "GCS_HMAC_KEY_ID"), ("az://c/p/", "AZURE_STORAGE_CONNECTION_STRING")],
)
def test_access_that_nothing_gives_is_named(data_path, missing, monkeypatch):
    """By the variable that is missing."""
    for name in ("GCS_HMAC_KEY_ID", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    with closing(duckdb.connect()) as connection, pytest.raises(ConfigError, match=f"set {missing}"):
        access.prepare(connection, data_path)


@pytest.mark.parametrize("place", ["ftp://host/x", "az://container-of-nobody/x"])
def test_a_place_that_is_none_is_refused_with_what_would_be_one(place, monkeypatch):
    """In one line, before anything is written."""
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=rf"^{place}: no place for files\. Give a folder, s3://[^\n]*$"):
        open_place(place)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net",
            {"account_name": "acme", "account_key": "c2VjcmV0", "endpoint": "https://acme.blob.core.windows.net"},
        ),
        (
            "BlobEndpoint=https://acme.blob.core.windows.net;SharedAccessSignature=sv=2021-01-01&sig=x%3D",
            {
                "account_name": "acme",
                "sas_key": "sv=2021-01-01&sig=x%3D",
                "endpoint": "https://acme.blob.core.windows.net",
            },
        ),
    ],
    ids=["key", "signature"],
)
def test_files_are_reached_by_a_connection_string_in_both_of_its_forms(said, expected, monkeypatch):
    """As Azure's portal gives them out: with the account's key, or with a signature and no account's name."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", said)
    assert open_place("az://c/p").config == {**expected, "container_name": "c"}
