"""A run's events become rows of their own tables, and what is malformed stays a log record."""

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from runmill.otlp.columns import decode_logs

TIME = 1_700_000_000_000_000_000
SHA256 = "ab" * 32
RUN = {"run.id": "r1", "service.name": "train", "run.rank": 2}
POINT = {
    "run_id": "r1",
    "metric": "m",
    "kind": "scalar",
    "column": None,
    "index": None,
    "step": None,
    "time_unix_nano": TIME,
    "start_time_unix_nano": None,
    "value": None,
    "value_int": None,
    "value_json": None,
    "attributes": "{}",
    "unit": "",
    "description": "",
    "temporality": None,
    "is_monotonic": None,
    "scope": "runmill",
    "service": "train",
    "rank": 2,
}


FIELDS = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}


def any_value(value):
    """Give the official AnyValue of a plain value."""
    if isinstance(value, list):
        return AnyValue(array_value={"values": map(any_value, value)})
    if isinstance(value, dict):
        return AnyValue(kvlist_value={"values": key_values(value)})
    return AnyValue() if value is None else AnyValue(**{FIELDS[type(value)]: value})


def key_values(members):
    return [KeyValue(key=key, value=any_value(value)) for key, value in members.items()]


def decode(event_name, body, attributes=None, *, resource=RUN):
    """Decode one event between two ordinary records."""
    event = {
        "time_unix_nano": TIME,
        "event_name": event_name,
        "body": any_value(body),
        "attributes": key_values(attributes or {}),
    }
    records = [{"body": any_value("before")}, event, {"body": any_value("after")}]
    request = ExportLogsServiceRequest(
        resource_logs=[
            {
                "resource": {"attributes": key_values(resource)},
                "scope_logs": [{"scope": {"name": "runmill"}, "log_records": records}],
            }
        ]
    )
    return decode_logs(request.SerializeToString())


def decode_points(body, attributes):
    columns = decode("run.metric", body, {"run.metric.name": "m"} | attributes)
    assert columns.logs["body"].to_pylist() == ["before", "after"]
    return columns.points.drop_columns(["resource_id"]).to_pylist()


@pytest.mark.parametrize("name", ["run.started", "run.updated", "run.ended", "run.heartbeat"])
def test_a_lifecycle_event_goes_to_the_events(name):
    """It carries what changed as a JSON object, and is no log record."""
    columns = decode(name, {"status": "Running", "tags": {"a": "b", "c": None}, "loss": 1.0})
    assert columns.events.drop_columns(["resource_id"]).to_pylist() == [
        {
            "run_id": "r1",
            "time_unix_nano": TIME,
            "name": name,
            "body": '{"status":"Running","tags":{"a":"b","c":null},"loss":1.0}',
            "rank": 2,
        }
    ]
    assert columns.logs["body"].to_pylist() == ["before", "after"]
    assert columns.events["resource_id"].to_pylist() == columns.resources["resource_id"].to_pylist()


def test_a_lifecycle_event_without_a_body_changes_nothing():
    """A heartbeat need not say anything."""
    assert decode("run.heartbeat", None).events["body"].to_pylist() == ["{}"]


def test_a_key_without_a_value_says_nothing():
    """A null is left out, so that nobody downstream takes it for a name."""
    assert decode("run.updated", {"name": None, "user": "ada"}).events["body"].to_pylist() == ['{"user":"ada"}']


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        (3, {"value": 3.0, "value_int": 3}),
        (0.5, {"value": 0.5}),
        ("good", {"value_json": '"good"'}),
        (True, {"value_json": "true"}),
        (None, {"value_json": "null"}),
    ],
)
def test_a_value_is_a_point(value, columns):
    """A number fills the number's columns, any other value is JSON."""
    attributes = {"run.metric.kind": "scalar", "run.step": 4, "run.index": 1, "run.metric.description": "d", "x": 1}
    expected = POINT | {"step": 4, "index": 1, "description": "d", "attributes": '{"x":1}'} | columns
    assert decode_points(value, attributes) == [expected]


def test_a_row_is_a_point_for_each_column():
    """Cells keep their types, and share the row's number."""
    row = {"name": "a", "loss": 0.5, "ok": False, "count": 2**63 - 1, "bad": float("inf"), "list": [1]}
    common = POINT | {"kind": "row", "index": 7}
    assert decode_points(row, {"run.metric.kind": "row", "run.row": 7}) == [
        common | {"column": "name", "value_json": '"a"'},
        common | {"column": "loss", "value": 0.5},
        common | {"column": "ok", "value_json": "false"},
        common | {"column": "count", "value": 2.0**63, "value_int": 2**63 - 1},
        common | {"column": "bad", "value": float("inf")},
        common | {"column": "list", "value_json": "[1]"},
    ]


@pytest.mark.parametrize("kind", ["confusion_matrix", "accuracy_table", "residuals", "predictions", "image"])
def test_a_document_is_one_point(kind):
    """The JSON kinds are kept whole."""
    document = {"schema_type": kind, "data": {"matrix": [[1, 2.0]], "nan": float("nan")}}
    text = f'{{"schema_type":"{kind}","data":{{"matrix":[[1,2.0]],"nan":{{"$double":"NaN"}}}}}}'
    assert decode_points(document, {"run.metric.kind": kind}) == [POINT | {"kind": kind, "value_json": text}]


@pytest.mark.parametrize(
    ("kind", "body", "column", "text"),
    [("list", [], None, "[]"), ("table", {}, None, "{}"), ("table", {"a": []}, "a", "[]")],
)
def test_what_was_logged_empty_is_a_point(kind, body, column, text):
    """A list or table without values still has its name, and a table its columns."""
    expected = POINT | {"kind": kind, "column": column, "value_json": text}
    assert decode_points(body, {"run.metric.kind": kind}) == [expected]


def test_an_artifact_goes_to_the_artifacts():
    """The event says where the bytes are found, by their hash."""
    body = {"path": "outputs/model.pkl", "size_bytes": 3, "media_type": "application/octet-stream", "sha256": SHA256}
    columns = decode("run.artifact", body)
    assert columns.artifacts.to_pylist() == [{"run_id": "r1", **body, "time_unix_nano": TIME}]
    assert columns.logs["body"].to_pylist() == ["before", "after"]


ARTIFACT = {"path": "a", "size_bytes": 1, "media_type": "text/plain", "sha256": SHA256}
SCALAR = {"run.metric.name": "m", "run.metric.kind": "scalar"}


@pytest.mark.parametrize(
    ("name", "body", "attributes"),
    [
        ("run.started", "Running", {}),
        ("run.started", {"status": "Sleeping"}, {}),
        ("run.started", {"status": 1}, {}),
        ("run.updated", {"tags": ["a"]}, {}),
        ("run.updated", {"tags": {"a": 1}}, {}),
        ("run.updated", {"removed_tags": {"a": "b"}}, {}),
        ("run.updated", {"properties": {"a": None}}, {}),
        ("run.updated", {"logged_model": {"name": "without an id"}}, {}),
        ("run.updated", {"logged_model": {"model_id": "m", "path": "../up"}}, {}),
        ("run.updated", {"logged_model": {"model_id": "m", "metrics": [{"key": "loss", "value": "low"}]}}, {}),
        ("run.ended", {"error": "boom"}, {}),
        ("run.ended", {"name": b"x"}, {}),
        ("run.metric", 1, {"run.metric.kind": "scalar"}),
        ("run.metric", 1, {"run.metric.name": "m"}),
        ("run.metric", 1, SCALAR | {"run.metric.name": ""}),
        ("run.metric", 1, SCALAR | {"run.metric.kind": "gauge"}),
        ("run.metric", 1, SCALAR | {"run.step": "3"}),
        ("run.metric", 1, SCALAR | {"run.index": True}),
        ("run.metric", 1, SCALAR | {"run.metric.description": 1}),
        ("run.metric", [1], SCALAR),
        ("run.metric", 1, SCALAR | {"run.metric.kind": "row"}),
        ("run.metric", [1], SCALAR | {"run.metric.kind": "list"}),
        ("run.metric", "text", SCALAR | {"run.metric.kind": "residuals"}),
        ("run.artifact", None, {}),
        ("run.artifact", {"path": "a"}, {}),
        ("run.artifact", ARTIFACT | {"path": "../a"}, {}),
        ("run.artifact", ARTIFACT | {"path": "/a"}, {}),
        ("run.artifact", ARTIFACT | {"path": "a\0"}, {}),
        ("run.artifact", ARTIFACT | {"size_bytes": -1}, {}),
        ("run.artifact", ARTIFACT | {"size_bytes": True}, {}),
        ("run.artifact", ARTIFACT | {"sha256": "AB" * 32}, {}),
        ("run.artifact", ARTIFACT | {"media_type": None}, {}),
        ("run.unheard_of", {"a": 1}, {}),
        ("app.event", {"a": 1}, {}),
    ],
)
def test_what_is_malformed_stays_a_log_record(name, body, attributes):
    """It is lost nowhere, and adds nothing to a table that expects the right form."""
    columns = decode(name, body, attributes)
    assert columns.logs["event_name"].to_pylist() == ["", name, ""]
    assert [len(columns.events), len(columns.points), len(columns.artifacts)] == [0, 0, 0]


@pytest.mark.parametrize(("name", "body"), [("run.started", {}), ("run.artifact", ARTIFACT)])
def test_an_event_of_no_run_stays_a_log_record(name, body):
    """Without run.id on the resource nobody knows whose it is."""
    columns = decode(name, body, resource={})
    assert columns.logs["event_name"].to_pylist() == ["", name, ""]


FILE = {"path": "a.pkl", "size_bytes": 3, "media_type": "text/plain", "sha256": SHA256}
MODEL = {"name": "ridge", "path": "a.pkl", "files": [FILE]}


@pytest.mark.parametrize(
    ("name", "body", "resource", "run_id"),
    [
        ("run.model", {**MODEL, "tags": {"a": None}, "framework": "ScikitLearn"}, RUN, "r1"),
        (
            "experiment.updated",
            {"experiment": "e", "archived": True, "tags": {"a": "b"}},
            {"run.experiment": "e"},
            None,
        ),
    ],
)
def test_models_and_experiments_have_events_too(name, body, resource, run_id):
    """That of an experiment is nobody's run's."""
    [row] = decode(name, body, resource=resource).events.to_pylist()
    assert (row["name"], row["run_id"], orjson.loads(row["body"])) == (name, run_id, body)


@pytest.mark.parametrize(
    ("name", "body", "resource"),
    [
        ("run.model", MODEL, {}),
        ("run.model", {**MODEL, "name": ""}, RUN),
        ("run.model", {**MODEL, "path": "../a.pkl"}, RUN),
        ("run.model", {**MODEL, "files": [{**FILE, "sha256": "no hash"}]}, RUN),
        ("run.model", {**MODEL, "tags": ["a"]}, RUN),
        ("run.model", "ridge", RUN),
        ("experiment.updated", {"tags": {"a": "b"}}, {}),
        ("experiment.updated", {"experiment": "e", "archived": "yes"}, {}),
    ],
)
def test_a_malformed_one_stays_a_log_record(name, body, resource):
    """Nothing downstream has to expect it, and it is not lost."""
    columns = decode(name, body, resource=resource)
    assert (columns.events.num_rows, columns.logs.num_rows) == (0, 3)
