"""Bytes that the official SDK's exporters sent are decoded to what the program said.

They are kept in ``tests/golden/otlp`` with the script that captured them: a mistake made twice, once in our classes and
once in our expectation of them, would show here.
"""

from pathlib import Path

from runmill.otlp.columns import decode_logs, decode_metrics
from runmill.otlp.count import count_records

GOLDEN = Path(__file__).parent.parent / "golden" / "otlp"
TIME = 1_700_000_000_000_000_000


def test_logs_of_the_official_sdk():
    """A record with everything and one with next to nothing."""
    payload = (GOLDEN / "sdk_logs.binpb").read_bytes()
    columns = decode_logs(payload)
    whose = {
        "logger": "train.loop",
        "dropped_attributes_count": 0,
        "run_id": "r1",
        "service": "golden",
        "stream": None,
        "rank": None,
        "resource_id": "ac0d0d34fa79ccccf00806a96a890d8a",
    }
    assert count_records("logs", payload) == 2
    assert columns.logs.to_pylist() == [
        {
            "time_unix_nano": TIME,
            "observed_time_unix_nano": TIME + 1,
            "severity_number": 13,
            "severity_text": "WARNING",
            "body": "disk at 91 %",
            "body_is_json": False,
            "attributes": '{"a":"b","n":-3,"x":0.5,"ok":true,"list":[1,2],"map":{"k":{"$bytes":"AQ=="}}}',
            "event_name": "disk.full",
            "trace_id": "5b8efff798038103d269b633813fc60c",
            "span_id": "eee19b7ec3c1b174",
            **whose,
        },
        {
            "time_unix_nano": TIME + 2,
            "observed_time_unix_nano": TIME + 2,
            "severity_number": 0,
            "severity_text": "",
            "body": '{"step":3,"loss":{"$double":"NaN"}}',
            "body_is_json": True,
            "attributes": "{}",
            "event_name": "",
            "trace_id": None,
            "span_id": None,
            **whose,
        },
    ]
    assert columns.resources.to_pylist() == [
        {
            "resource_id": "ac0d0d34fa79ccccf00806a96a890d8a",
            "attributes": '{"run.id":"r1","service.name":"golden"}',
        }
    ]


def test_metrics_of_the_official_sdk():
    """A counter, a gauge and both histograms; their times are the SDK's own clock."""
    payload = (GOLDEN / "sdk_metrics.binpb").read_bytes()
    points = decode_metrics(payload).points
    point = {
        "run_id": "r1",
        "column": None,
        "index": None,
        "step": None,
        "value": None,
        "value_int": None,
        "value_json": None,
        "attributes": "{}",
        "unit": "",
        "description": "",
        "temporality": "cumulative",
        "is_monotonic": None,
        "scope": "train.meter",
        "service": "golden",
        "rank": None,
        "resource_id": "ac0d0d34fa79ccccf00806a96a890d8a",
    }
    steps = {"value": 5.0, "value_int": 5, "attributes": '{"rank":0}', "unit": "1", "description": "Steps done"}
    latency = '{"count":1,"sum":3.0,"min":3.0,"max":3.0,"bucket_counts":[0,1,0],"explicit_bounds":[1.0,10.0]}'
    sizes = (
        '{"count":1,"sum":4.0,"min":4.0,"max":4.0,"scale":20,"zero_count":0,"zero_threshold":0.0,'
        '"positive":{"offset":2097151,"bucket_counts":[1]},"negative":{"offset":0,"bucket_counts":[0]}}'
    )
    assert count_records("metrics", payload) == 4
    assert points.drop_columns(["time_unix_nano", "start_time_unix_nano"]).to_pylist() == [
        point | {"metric": "steps", "kind": "sum", "is_monotonic": True} | steps,
        point | {"metric": "loss", "kind": "gauge", "temporality": None, "value": 0.25},
        point | {"metric": "latency", "kind": "histogram", "value_json": latency},
        point | {"metric": "sizes", "kind": "exponential_histogram", "value_json": sizes},
    ]
