"""What each processor does to records, what it leaves alone, and that all it drops is counted by rule."""

import hashlib

import pytest
from editing_pipeline import Record, logs_batch, through
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from runmill.collector.component import Batch, Producer
from runmill.collector.processors.actions import ActionConfig
from runmill.collector.processors.filter import FilterConfig
from runmill.collector.processors.matching import MatchConfig
from runmill.errors import Rejected

SHA = hashlib.sha256(b"me").hexdigest()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"key": "a", "action": "insert", "value": 2}, {"a": 1, "who": "me@x"}),
        ({"key": "b", "action": "insert", "value": 2.5}, {"a": 1, "who": "me@x", "b": 2.5}),
        ({"key": "a", "action": "update", "value": True}, {"a": True, "who": "me@x"}),
        ({"key": "b", "action": "update", "value": "x"}, {"a": 1, "who": "me@x"}),
        ({"key": "b", "action": "upsert", "value": ["x", 1]}, {"a": 1, "who": "me@x", "b": ["x", 1]}),
        ({"key": "b", "action": "upsert", "from_attribute": "a"}, {"a": 1, "who": "me@x", "b": 1}),
        ({"key": "b", "action": "upsert", "from_attribute": "none"}, {"a": 1, "who": "me@x"}),
        ({"key": "a", "action": "delete"}, {"who": "me@x"}),
        ({"pattern": "^w", "action": "delete"}, {"a": 1}),
        ({"key": "who", "action": "extract", "pattern": "(?P<user>.*)@"}, {"a": 1, "who": "me@x", "user": "me"}),
        ({"key": "a", "action": "convert", "converted_type": "string"}, {"a": "1", "who": "me@x"}),
        ({"key": "who", "action": "convert", "converted_type": "int"}, {"a": 1, "who": "me@x"}),
    ],
)
async def test_actions_change_attributes_of_records_and_of_resources(action, expected):
    """Both processors know the same actions, and touch nothing else."""
    before = {"a": 1, "who": "me@x"}
    batch = logs_batch(Record(attributes=before), resource=before)
    of_records = await through("attributes", batch, actions=[action])
    of_resource = await through("resource", batch, attributes=[action])
    assert ([r.attributes for r in of_records.records()], of_records.resource()) == ([expected], before)
    assert ([r.attributes for r in of_resource.records()], of_resource.resource()) == ([before], expected)


async def test_hash_replaces_the_value_by_its_sha256():
    """Equal values stay equal, and unreadable."""
    done = await through(
        "attributes", logs_batch(Record(attributes={"user": "me"})), actions=[{"key": "user", "action": "hash"}]
    )
    assert done.records() == [Record(attributes={"user": SHA})]


@pytest.mark.parametrize(
    "action",
    [
        {"action": "insert", "value": 1}, {"key": "a", "action": "insert"},
        {"key": "a", "action": "extract", "pattern": "x"},
        {"key": "a", "action": "insert", "value": 1, "from_attribute": "b"}, {"key": "a", "action": "convert"},
        {"pattern": "(", "action": "delete"},
    ],
)  # fmt: skip
def test_action_that_cannot_be_done_is_refused_when_read(action):
    """Before anything starts, and not record by record."""
    with pytest.raises(ValidationError):
        ActionConfig(**action)


async def test_metrics_are_edited_too():
    """Data points have attributes as records have."""
    request = ExportMetricsServiceRequest()
    point = (
        request.resource_metrics.add().scope_metrics.add().metrics.add(name="loss").gauge.data_points.add(as_double=1)
    )
    batch = Batch("metrics", request.SerializeToString(), 1, Producer("p", 1))
    done = await through("attributes", batch, actions=[{"key": "site", "action": "insert", "value": "x"}])
    point.attributes.add(key="site").value.string_value = "x"
    assert done.batches == [Batch("metrics", request.SerializeToString(), 1, Producer("p", 1))]


async def test_batch_that_nothing_applies_to_goes_on_as_it_came():
    """The same object: not even encoded again."""
    batch = logs_batch(Record())
    done = await through("attributes", batch, actions=[{"key": "none", "action": "delete"}])
    assert done.batches[0] is batch


async def test_bytes_that_are_no_otlp_are_rejected():
    """Its sender need not come again."""
    with pytest.raises(Rejected, match="are no OTLP logs"):
        await through("run_context", Batch("logs", b"\xff\xff", 1))


async def test_filter_drops_what_is_true_and_counts_it_by_condition():
    """Any condition is enough; the first that is true is the one that is counted."""
    batch = logs_batch(*[Record(f"{name}", number) for name, number in [("a", 5), ("b", 9), ("c", 9), ("d", 17)]])
    done = await through("filter", batch, logs={"log_record": ["severity_number < 9"]}, log_conditions=['body == "b"'])
    assert [record.body for record in done.records()] == ["c", "d"]
    assert done.batches[0].record_count == 2
    assert done.dropped == {"severity_number < 9": 1, 'body == "b"': 1}


async def test_batch_of_which_nothing_is_left_ends_there():
    """Nothing empty goes on."""
    done = await through("filter", logs_batch(Record()), log_conditions=["true"])
    assert (done.batches, done.dropped) == ([], {"true": 1})


async def test_large_batch_is_edited_as_a_small_one():
    """In a thread, so that the others go on."""
    done = await through(
        "filter", logs_batch(*[Record("x" * 100, n % 20) for n in range(1000)]), log_conditions=["severity_number != 9"]
    )
    assert (len(done.records()), done.dropped) == (50, {"severity_number != 9": 950})


async def test_redaction_removes_what_is_not_allowed_and_masks_the_rest():
    """Keys by name, values by pattern, secrets by their form, bodies like values; a run's own attributes stay."""
    record = Record(
        body={"note": "card 4111111111111111", "password": "hunter2"},
        attributes={"ok": "card 4111111111111111", "key_id": "x", "other": 1, "left": "4111", "run.step": 3},
    )  # fmt: skip
    done = await through(
        "redaction",
        logs_batch(record, resource={"run.id": "r1", "host.name": "h"}),
        allowed_keys=["ok", "key_id"],
        ignored_keys=["left"],
        blocked_key_patterns=["^key_"],
        blocked_values=["4[0-9]{15}"],
        summary="silent",
    )
    assert done.resource() == {"run.id": "r1"}
    assert done.records() == [
        Record(
            {"note": "card ****", "password": "****"},
            attributes={"ok": "card ****", "key_id": "****", "left": "4111", "run.step": 3},
        )
    ]
    assert done.dropped == {}


async def test_redaction_knows_common_secrets_and_what_is_allowed():
    """The list that programs scrub with is used here too; an allowed value goes before it."""
    token = "hf_" + "a1B2" * 9
    records = [Record(f"login with {token}"), Record(["list", f"token {token} public"])]
    done = await through("redaction", logs_batch(*records), allow_all_keys=True, allowed_values=["public$"])
    assert [record.body for record in done.records()] == ["login with [scrubbed]", records[1].body]
    off = await through("redaction", logs_batch(*records), allow_all_keys=True, secrets=False)
    assert off.records() == records


async def test_dedupe_keeps_the_first_and_counts_the_others_in_it():
    """What differs in anything but time stays apart, and so does a run's every metric value."""
    batch = logs_batch(
        Record("retry", attributes={"n": 1, "b": 2}), Record("else"),
        Record("retry", attributes={"b": 2, "n": 2}, time_unix_nano=5_000_000_001), Record("retry", 13, {"b": 2}),
        Record(1.0, event_name="run.metric"), Record(1.0, event_name="run.metric"),
    )  # fmt: skip
    times = {
        "first_observed_timestamp": "1970-01-01T00:00:00Z", "last_observed_timestamp": "1970-01-01T00:00:05Z"
    }  # fmt: skip
    done = await through("dedupe", batch, exclude_fields=["attributes.n"])
    assert done.records() == [
        Record("retry", attributes={"n": 1, "b": 2, "log_count": 2, **times}), Record("else"),
        Record("retry", 13, {"b": 2}),
        Record(1.0, event_name="run.metric"), Record(1.0, event_name="run.metric"),
    ]  # fmt: skip
    assert done.dropped == {"repeated": 1}


async def test_sample_keeps_its_share_and_all_that_matter():
    """Warnings and events of runs always; the same records each time it is asked."""
    records = [Record(f"step {n}") for n in range(2000)] + [Record("w", 13), Record("e", event_name="run.started")]
    done = await through("sample", logs_batch(*records), sampling_percentage=10)
    again = await through("sample", logs_batch(*records), sampling_percentage=10)
    assert done.records() == again.records()
    assert done.records()[-2:] == records[-2:]
    assert 120 < len(done.records()) < 280
    assert done.dropped == {"sampled_out": 2002 - len(done.records())}


@pytest.mark.parametrize(("keep_from", "kept"), [("WARN", [13, 17]), ("ERROR", [17]), ("none", [])])
async def test_sample_drops_warnings_only_when_told(keep_from, kept):
    """`keep_from` says from which level on nothing is dropped."""
    done = await through(
        "sample", logs_batch(*[Record("x", n) for n in (5, 13, 17)]), sampling_percentage=0, keep_from=keep_from
    )
    assert [record.severity_number for record in done.records()] == kept


async def test_run_context_takes_the_run_from_the_first_attribute_that_names_it():
    """In the order of the list; whoever has a run already keeps it."""
    resource = {"pod.label.run": "r2", "container.label.runmill.experiment": "e", "run.rank": 7, "my.rank": 1}
    done = await through(
        "run_context", logs_batch(Record(), resource=resource), run_id=["none", "pod.label.run"], rank=["my.rank"]
    )
    assert done.resource() == resource | {"run.id": "r2", "run.experiment": "e"}
    assert done.records() == [Record()]


@pytest.mark.parametrize(
    ("match", "chosen"),
    [
        ({"include": {"match_type": "strict", "log_bodies": ["a"]}}, ["a"]),
        ({"include": {"match_type": "regexp", "log_bodies": ["a|c"], "services": ["^app"]}}, ["a", "c"]),
        ({"include": {"match_type": "regexp", "services": ["^other"]}}, []),
        ({"include": {"match_type": "strict", "attributes": [{"key": "n", "value": 2}]}}, ["b"]),
        ({"include": {"match_type": "strict", "attributes": [{"key": "n"}]}}, ["a", "b"]),
        ({"include": {"match_type": "strict", "resources": [{"key": "service.name", "value": "x"}]}}, []),
        ({"exclude": {"match_type": "strict", "log_severity_number": {"min": 13}}}, ["a", "c"]),
        ({"exclude": {"match_type": "strict", "log_severity_number": {"min": 13, "match_undefined": True}}}, ["a"]),
        ({"exclude": {"match_type": "strict", "metric_names": ["x"], "span_names": ["y"]}}, ["a", "b", "c"]),
    ],
)  # fmt: skip
async def test_attributes_of_chosen_records_are_changed(match, chosen):
    """`include` and `exclude`: all that is given must hold, and the others stay as they are."""
    records = [Record("a", 9, {"n": 1}), Record("b", 13, {"n": 2}), Record("c", 0)]
    batch = logs_batch(*records, resource={"service.name": "app-1"})
    done = await through("attributes", batch, actions=[{"key": "x", "action": "insert", "value": 1}], **match)
    assert [record.body for record in done.records() if "x" in record.attributes] == chosen


@pytest.mark.parametrize(
    "match", [{"match_type": "strict"}, {"match_type": "regexp", "services": ["("]}, {"match_type": "glob"}]
)
def test_match_that_cannot_hold_is_refused_when_read(match):
    """Nothing given, no regular expression, a way of matching that is not known."""
    with pytest.raises(ValidationError):
        MatchConfig(**match)


def metrics_batch(**gauges: list[float]) -> Batch:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for name, values in gauges.items():
        points = metrics.add(name=name, unit="1").gauge.data_points
        for step, value in enumerate(values):
            points.add(as_double=value).attributes.add(key="run.step").value.int_value = step
    return Batch("metrics", request.SerializeToString(), sum(map(len, gauges.values())))


def values_of(batch: Batch) -> dict[str, list[float]]:
    request = ExportMetricsServiceRequest.FromString(batch.payload)
    metrics = [m for group in request.resource_metrics for scope in group.scope_metrics for m in scope.metrics]
    return {metric.name: [point.as_double for point in metric.gauge.data_points] for metric in metrics}


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ({"metrics": {"metric": ['name == "lr" or type == METRIC_DATA_TYPE_SUM']}}, {"loss": [1.0, 200.0, 3.0]}),
        ({"metrics": {"datapoint": ["value_double > 100"]}}, {"loss": [1.0, 3.0], "lr": [0.1]}),
        ({"metric_conditions": ['metric.name == "lr" or attributes["run.step"] == 0']}, {"loss": [200.0, 3.0]}),
        ({"log_conditions": ["true"]}, {"loss": [1.0, 200.0, 3.0], "lr": [0.1]}),
    ],
)
async def test_filter_drops_metrics_and_points(conditions, left):
    """By metric or point by point; a metric without points is gone; conditions on logs are not for them."""
    batch = metrics_batch(loss=[1, 200, 3], lr=[0.1])
    done = await through("filter", batch, **conditions)
    assert values_of(done.batches[0]) == left
    assert sum(done.dropped.values()) == 4 - sum(map(len, left.values()))


async def test_filter_drops_spans():
    """By name, kind, status and attributes."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(name="GET /health", kind=2)
    spans.add(name="train").status.code = 2
    conditions = ['name == "GET /health" and kind == SPAN_KIND_SERVER', "span.status.code == STATUS_CODE_OK"]
    done = await through("filter", Batch("traces", request.SerializeToString(), 2), traces={"span": conditions})
    del spans[0]
    assert [one.payload for one in done.batches] == [request.SerializeToString()]
    assert done.dropped == {conditions[0]: 1}


@pytest.mark.parametrize(
    ("conditions", "mistake"),
    [
        ({"metrics": {"metric": ['body == "x"']}}, "the path 'body' is not supported .supported: name, unit"),
        ({"traces": {"span": ["severity_number < 9"]}}, "the path 'severity_number' is not supported .supported: name"),
        ({}, "no condition is given"),
    ],
)
def test_condition_on_what_a_record_does_not_have_is_refused(conditions, mistake):
    """With the paths that are known there."""
    with pytest.raises(ValidationError, match=mistake):
        FilterConfig(**conditions)


@pytest.mark.parametrize(
    ("summary", "added"),
    [
        ("silent", {}),
        ("info", {"redaction.redacted.count": 2, "redaction.masked.count": 1}),
        (
            "debug",
            {
                "redaction.redacted.count": 2, "redaction.redacted.keys": "a,b",
                "redaction.masked.count": 1, "redaction.masked.keys": "card",
            },
        ),
    ],
)  # fmt: skip
async def test_redaction_says_what_it_did(summary, added):
    """As much as `summary` asks for; a second redaction adds to it."""
    batch = logs_batch(Record(attributes={"a": 1, "b": 2, "card": "4111111111111111"}))
    settings = {"allowed_keys": ["card"], "blocked_values": ["4[0-9]{15}"], "summary": summary}
    done = await through("redaction", batch, **settings)
    assert done.records() == [Record(attributes={"card": "****", **added})]
    again = await through("redaction", done.batches[0], **settings)
    assert again.records() == done.records()


async def test_redaction_of_other_types_and_with_hashes():
    """Numbers are searched when that is asked for, and equal values have equal hashes."""
    batch = logs_batch(Record(attributes={"card": 4111111111111111, "text": "is 4111111111111111!"}))
    settings = {"allow_all_keys": True, "blocked_values": ["4[0-9]{15}"], "hash_function": "md5", "summary": "silent"}
    digest = hashlib.md5(b"4111111111111111").hexdigest()
    left = await through("redaction", batch, **settings)
    assert left.records() == [Record(attributes={"card": 4111111111111111, "text": f"is {digest}!"})]
    done = await through("redaction", batch, redact_all_types=True, **settings)
    assert done.records() == [Record(attributes={"card": digest, "text": f"is {digest}!"})]


async def test_sample_keeps_or_drops_together_what_has_the_same_value():
    """Of an attribute; another seed makes another choice."""
    records = [Record(f"{n}", attributes={"user": f"u{n % 50}"}) for n in range(500)]
    settings = {"sampling_percentage": 50, "from_attribute": "user"}
    chosen = [
        {record.attributes["user"] for record in (await through("sample", logs_batch(*records), **more)).records()}
        for more in (settings, {**settings, "hash_seed": 1})
    ]
    done = await through("sample", logs_batch(*records), **settings)
    assert len(done.records()) == 10 * len(chosen[0])
    assert chosen[0] != chosen[1]


async def test_dedupe_joins_only_where_a_condition_holds():
    """And knows the names upstream has for it."""
    batch = logs_batch(*[Record("a", 9), Record("b", 9)] * 2)
    done = await through("logdedup", batch, conditions=['body == "a"'], log_count_attribute="n")
    assert [(record.body, record.attributes.get("n")) for record in done.records()] == [
        ("a", 2),
        ("b", None),
        ("b", None),
    ]
