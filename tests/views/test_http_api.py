"""The HTTP API over a real socket, as docs/http-api.md says it."""

import base64
import math
import struct

import httpx
import pytest
from portal_server import serving
from training import FAILED, RUN, add_file, commit, fill, record, run, scalar

from runmill.store.interface import Store


def test_health_says_it_is_ready(client: httpx.Client) -> None:
    """The health route answers with the version."""
    answer = client.get("/health").json()
    assert (answer["status"], answer["version"]) == ("ok", "1.2.3")


def test_a_run_is_answered_with_all_its_fields(store: Store, client: httpx.Client) -> None:
    """A run comes with the keys of the model, and a unique prefix of its id is enough."""
    commit(store, events=run(RUN))
    answer = client.get(f"/api/v1/runs/{RUN[:8]}").json()
    assert answer == client.get(f"/api/v1/runs/{RUN}").json()
    assert (answer["run_id"], answer["status"]) == (RUN, "Running")
    assert answer["tags"] == {"optimizer": "adamw", "baseline": None}


def test_an_unknown_run_is_404_and_named(client: httpx.Client) -> None:
    """Every route of a run that is not there says which run that is."""
    for part in ("", "/events", "/metrics", "/points", "/logs", "/loggers", "/files", "/files/a.txt", "/stream"):
        answer = client.get(f"/api/v1/runs/nobody{part}")
        assert answer.status_code == 404, part
        error = answer.json()["error"]
        assert error["code"] == "not_found"
        assert "'nobody'" in error["message"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "query parameter limit='0': input should be greater than or equal to 1."),
        ("q=level:loud", "query, column 1: 'level:loud' is no level;"),
        ("level=LOUD", "level='LOUD' is no level."),
        ("since=yesterday", "since='yesterday' is no time."),
        ("stream=tape", "query parameter stream='tape': input should be"),
    ],
)
def test_a_wrong_parameter_is_400_naming_it_and_its_value(client: httpx.Client, query: str, message: str) -> None:
    """What cannot be understood is said in our error shape."""
    answer = client.get(f"/api/v1/logs?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_argument")
    assert error["message"].startswith(message)


def test_runs_are_found_by_a_metrics_value(store: Store, client: httpx.Client) -> None:
    """The last value counts; a mistake is pointed at."""
    commit(store, events=run(RUN), points=[scalar(RUN, "loss", 1.0 - n / 10, index=n) for n in range(9)])
    for where, ids in (("loss<0.3", [RUN]), ("loss>0.3", []), ("", [RUN])):
        found = client.get("/api/v1/runs", params={"where": where}).json()["runs"]
        assert [each["run_id"] for each in found] == ids
    answer = client.get("/api/v1/runs", params={"where": "loss<low"})
    assert (answer.status_code, answer.json()["error"]["message"][:15]) == (400, "query, column 1")


def test_attributes_of_a_run_are_listed(trained: Store, client: httpx.Client) -> None:
    """By name, with how many records have them."""
    found = client.get(f"/api/v1/runs/{RUN}/logs/attributes").json()["attributes"]
    assert found == client.get("/api/v1/logs/attributes").json()["attributes"]
    assert all(each["count"] > 0 for each in found)
    assert found


def test_nothing_there_and_wrong_method_have_the_same_shape(client: httpx.Client) -> None:
    """The router's own refusals look like the others."""
    assert client.get("/api/v1/nothing").json()["error"]["code"] == "not_found"
    assert client.delete("/api/v1/runs").json()["error"]["code"] == "method_not_allowed"


def test_runs_are_filtered_by_repeated_status_and_tags(store: Store, client: httpx.Client) -> None:
    """`status` and `tag` may be repeated; a tag's value may be left out."""
    commit(store, events=run(RUN))
    commit(store, events=run(FAILED, status="Failed", took=3, tags={"optimizer": "sgd"}))

    def found(query: str) -> list[str]:
        return [each["run_id"] for each in client.get(f"/api/v1/runs?{query}").json()["runs"]]

    assert found("status=Failed") == [FAILED]
    assert set(found("status=Failed&status=Running")) == {RUN, FAILED}
    assert found("tag=optimizer=adamw&tag=baseline") == [RUN]


def test_non_finite_numbers_are_words(store: Store, client: httpx.Client) -> None:
    """NaN and infinities survive JSON, in points and inside attributes."""
    values = [1, 0.5, math.nan, math.inf, -math.inf, "text", True, None]
    points = [scalar(RUN, "m", value, index=place) for place, value in enumerate(values)]
    commit(store, events=run(RUN), points=points, logs=[record(RUN, "body", loss=[1.5, {"deep": None}])])
    answered = client.get(f"/api/v1/runs/{RUN}/points?metric=m").json()["points"]
    assert [each["value"] for each in answered] == [[1, 0.5, "NaN", "Infinity", "-Infinity", "text", True, None]]
    [line] = client.get(f"/api/v1/runs/{RUN}/logs").json()["records"]
    assert line["attributes"] == {"loss": [1.5, {"deep": None}]}
    [summary] = client.get(f"/api/v1/runs/{RUN}/metrics").json()["metrics"]
    assert (summary["count"], summary["numeric_count"], summary["last"]) == (8, 5, "-Infinity")


def test_points_are_columns_of_what_was_asked(store: Store, client: httpx.Client) -> None:
    """Columns that were not asked for are null; with `recursive` the runs below come too, all or of a type."""
    commit(store, events=run(RUN), points=[scalar(RUN, "m", value, index=value) for value in range(3)])
    commit(store, events=run(FAILED, parent_id=RUN, type="trial"), points=[scalar(FAILED, "m", 0.5, index=0)])

    def found(query: str) -> dict[str, list[object]]:
        points = client.get(f"/api/v1/runs/{RUN}/points?{query}").json()["points"]
        return {each["run_id"]: [each[name] for name in ("value", "index", "time_unix_nano")] for each in points}

    assert found("column=index") == {RUN: [[0, 1, 2], [0, 1, 2], None]}
    assert found("column=index&recursive=true") == {RUN: [[0, 1, 2], [0, 1, 2], None], FAILED: [[0.5], [0], None]}
    assert list(found("recursive=true&type=trial")) == [RUN, FAILED]
    assert list(found("recursive=true&type=other")) == [RUN]
    [whole] = found("metric=m").values()
    assert None not in whole


def test_packed_numbers_are_the_bytes_of_an_array(store: Store, client: httpx.Client) -> None:
    """Floats and ints come as little-endian base64, NaN among them; a column with anything else stays a list."""
    values = {
        "floats": [0.5, math.nan],
        "ints": [1, -2],
        "mixed": [1, 0.5],
        "texts": ["NaN", "b"],
        "none": [None, None],
    }
    points = [scalar(RUN, name, value, index=n) for name, column in values.items() for n, value in enumerate(column)]
    commit(store, events=run(RUN), points=points)
    found = client.get(f"/api/v1/runs/{RUN}/points?pack=true&column=index").json()["points"]
    assert {each["metric"]: each["value"] for each in found} == {
        "floats": {"float64": base64.b64encode(struct.pack("<2d", 0.5, math.nan)).decode()},
        "ints": {"int64": base64.b64encode(struct.pack("<2q", 1, -2)).decode()},
        "mixed": [1, 0.5],
        "texts": ["NaN", "b"],
        "none": [None, None],
    }
    assert {each["index"]["int64"] for each in found} == {base64.b64encode(struct.pack("<2q", 0, 1)).decode()}


def test_a_series_can_be_cut_and_reduced(trained: Store, client: httpx.Client) -> None:
    """The series route passes x, the metric that is x, their ends and the buckets on."""
    query = {"metric": "loss", "buckets": 50, "x_min": 100, "x_max": 299}
    answer = client.get(f"/api/v1/runs/{RUN}/series", params=query).json()
    assert (answer["x"], answer["count"], len(answer["buckets"])) == ("step", 200, 50)
    over_itself = query | {"x_metric": "loss", "x_min": 0, "x_max": 1e9, "buckets": 1}
    answer = client.get(f"/api/v1/runs/{RUN}/series", params=over_itself).json()
    [whole] = answer["buckets"]
    assert (answer["x"], whole["x"], whole["count"]) == ("metric", whole["minimum"], answer["count"])


def test_logs_are_paged_in_both_directions(trained: Store, client: httpx.Client) -> None:
    """A page's `first` leads to the older page, whose `last` leads back."""
    newest = client.get(f"/api/v1/runs/{RUN}/logs?limit=10").json()
    older = client.get(f"/api/v1/runs/{RUN}/logs?limit=10&before={newest['first']}").json()
    again = client.get(f"/api/v1/runs/{RUN}/logs?limit=10&after={older['last']}").json()
    assert again["records"] == newest["records"]
    assert (newest["more_before"], newest["more_after"]) == (True, False)


def test_logs_without_a_run_have_services(store: Store, client: httpx.Client) -> None:
    """Records outside runs are listed by service."""
    commit(store, logs=[record(None, "GET /"), record(RUN, "epoch 1")])
    assert client.get("/api/v1/services").json() == {"services": [{"name": "api", "count": 1}]}
    [line] = client.get("/api/v1/logs?service=api").json()["records"]
    assert line["body"] == "GET /"


def test_a_record_says_what_it_came_from(store: Store, client: httpx.Client) -> None:
    """The resource that a record names is one request away; one that is not there is named."""
    commit(store, logs=[record(RUN, "epoch 1")], resources=[{"resource_id": "r1", "attributes": '{"process.pid": 7}'}])
    [line] = client.get("/api/v1/logs").json()["records"]
    found = client.get(f"/api/v1/resources/{line['resource_id']}").json()
    assert found == {"resource_id": "r1", "attributes": {"process.pid": 7}}
    assert "'nope'" in client.get("/api/v1/resources/nope").json()["error"]["message"]


def test_openapi_lists_every_documented_route(client: httpx.Client) -> None:
    """The description is complete without the pages."""
    paths = set(client.get("/api/v1/openapi.json").json()["paths"])
    assert paths == {
        "/compare", "/experiments", "/runs", "/runs/{run_id}", "/runs/{run_id}/events", "/runs/{run_id}/metrics",
        "/runs/{run_id}/points", "/runs/{run_id}/series", "/runs/{run_id}/logs", "/runs/{run_id}/logs/counts",
        "/runs/{run_id}/loggers", "/runs/{run_id}/files", "/runs/{run_id}/files/{path}", "/runs/{run_id}/stream",
        "/logs", "/logs/counts", "/logs/stream", "/services", "/store", "/artifacts/{sha256}", "/models",
        "/sql", "/resources/{resource_id}", "/logs/attributes", "/runs/{run_id}/logs/attributes",
    }  # fmt: skip


def test_a_token_is_wanted_where_one_is_set(store: Store) -> None:
    """Without the token 401; a program brings it as Bearer, a browser by ?token= once, which becomes a cookie."""
    fill(store, RUN, steps=20)
    add_file(store, RUN, "a.txt", b"a", "text/plain")
    with serving(store, token="s3cret") as base, httpx.Client(base_url=base) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/api/v1/runs").json()["error"]["code"] == "unauthenticated"
        assert client.get("/api/v1/runs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/api/v1/runs", headers={"Authorization": "Bearer s3cret"}).status_code == 200
        welcome = client.get("/runs/3f9a1c04?level=INFO&token=s3cret")
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/runs/3f9a1c04?level=INFO")
        assert client.get("/api/v1/runs").status_code == 200
