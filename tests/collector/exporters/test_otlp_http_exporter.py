"""Exporter otlp_http before backends that take, throttle, refuse, hang and die: what is sent again, and what is not."""

import asyncio
import json
import random
from email.utils import formatdate
from itertools import islice

import pytest
from backends import CUT, HANG, Answer, Backend, serving
from collector_fakes import batch, logs, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from runmill.collector.component import Batch, Producer
from runmill.collector.exporters.otlp_http import retry_after_seconds
from runmill.collector.exporters.retry import RetryConfig, Retrying, pauses
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected

DIRECT = {"enabled": False}


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_payload_goes_out_as_it_came(exporting, compression):
    """The same bytes, never decoded: what is no OTLP at all arrives just as well."""
    payload = bytes(range(256)) * 100
    async with serving(Backend()) as backend:
        exporter = await exporting(backend.url, queue=DIRECT, compression=compression, headers={"x-tenant": "a"})
        await exporter.consumer.consume(Batch("metrics", payload, 7, Producer("p1", 3)))
    [request] = backend.accepted
    assert (request.path, request.body) == ("/v1/metrics", payload)
    wanted = {
        "content-type": "application/x-protobuf",
        "x-tenant": "a",
        "runmill-producer": "p1",
        "runmill-sequence": "3",
    }
    assert wanted.items() <= request.headers.items()
    assert request.headers.get("content-encoding", "none") == compression
    assert exporter.counted("otelcol_exporter_sent") == {"otelcol_exporter_sent_metric_points": 7}


async def test_each_signal_may_have_an_address_of_its_own(exporting):
    """`logs_endpoint` is taken as it stands, and goes before `endpoint`."""
    async with serving(Backend()) as backend:
        exporter = await exporting(f"{backend.url}/base/", queue=DIRECT, logs_endpoint=f"{backend.url}/mine")
        for signal in ("logs", "traces"):
            await exporter.consumer.consume(Batch(signal, b"", 0))
    assert [request.path for request in backend.accepted] == ["/mine", "/base/v1/traces"]


@pytest.mark.parametrize("trouble", [CUT, Answer(429), Answer(502), Answer(503), Answer(504)], ids=str)
async def test_trouble_that_passes_is_sent_again(exporting, trouble):
    """A connection that breaks and the four retryable statuses cost nothing."""
    async with serving(Backend(trouble, trouble)) as backend:
        exporter = await exporting(backend.url, queue=DIRECT)
        await exporter.consumer.consume(batch("a"))
    assert (backend.bodies(), len(backend.requests)) == (["a"], 3)
    assert exporter.counted("runmill_exporter_retries") == {"runmill_exporter_retries_total": 2}


async def test_backend_that_hangs_is_given_up_after_the_timeout_and_asked_again(exporting):
    """One attempt has a limit; the batch has none."""
    async with serving(Backend(HANG)) as backend:
        exporter = await exporting(backend.url, queue=DIRECT, timeout="50ms")
        await exporter.consumer.consume(batch("a"))
    assert backend.bodies() == ["a"]


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500, 501, 302])
async def test_other_answers_are_never_sent_again(exporting, status):
    """Rejected at the first answer, which is in the text."""
    async with serving(Backend(Answer(status, body=b"no such tenant"))) as backend:
        exporter = await exporting(backend.url, queue=DIRECT)
        with pytest.raises(Rejected, match=f"answered {status} 'no such tenant'"):
            await exporter.consumer.consume(batch("a"))
    assert len(backend.requests) == 1
    assert exporter.counted("otelcol") == {"otelcol_exporter_send_failed_log_records": 1}


async def test_partial_success_is_not_sent_again_and_its_rest_is_counted(exporting, caplog):
    """What the backend rejected is a drop with a reason, and its words are repeated."""
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = 2
    answer.partial_success.error_message = "too old"
    async with serving(Backend(Answer(200, body=answer.SerializeToString()))) as backend:
        exporter = await exporting(backend.url)
        await exporter.consumer.consume(batch("a", "b", "c"))
        await until(lambda: exporter.counted("runmill_dropped"))
    assert exporter.counted("runmill_dropped") == {
        'runmill_dropped_records_total{reason="partial_success",signal="logs"}': 2
    }
    assert len(backend.requests) == 1
    assert "2 records dropped (partial_success, 2 by now): of 3, by the backend: too old" in caplog.text


async def test_json_is_sent_where_it_is_asked_for(exporting):
    """With the same records; and what the backend says of them, in JSON too, is heard. Profiles go as protobuf."""
    said = {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}
    async with serving(Backend(Answer(200, body=json.dumps(said).encode()), Answer(200, body=b"{}"))) as backend:
        exporter = await exporting(backend.url, queue=DIRECT, encoding="json")
        await exporter.consumer.consume(batch("a", "b"))
        await exporter.consumer.consume(Batch("profiles", b"\x0a\x00", 1))
    [text, profiles] = backend.accepted
    records = json.loads(text.body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert [record["body"] for record in records] == [{"stringValue": "a"}, {"stringValue": "b"}]
    assert [one.headers["content-type"] for one in (text, profiles)] == ["application/json", "application/x-protobuf"]
    assert profiles.body == b"\x0a\x00"
    assert exporter.counted("runmill_dropped") == {
        'runmill_dropped_records_total{reason="partial_success",signal="logs"}': 1
    }


async def test_retries_end_after_max_elapsed_time(exporting):
    """Without a queue the sender gets its Refused back, and still has the data."""
    retry = {"initial_interval": "1ms", "max_interval": "1ms", "max_elapsed_time": "1s"}
    async with serving(Backend(always=Answer(503))) as backend:
        exporter = await exporting(backend.url, queue=DIRECT, retry=retry)
        with pytest.raises(Refused, match="answered 503"):
            await exporter.consumer.consume(batch("a"))
    assert len(backend.requests) > 1


async def test_retries_can_be_switched_off(exporting):
    """One attempt, and what came of it."""
    async with serving(Backend(always=Answer(503))) as backend:
        exporter = await exporting(backend.url, queue=DIRECT, retry={"enabled": False})
        with pytest.raises(Refused):
            await exporter.consumer.consume(batch("a"))
    assert len(backend.requests) == 1


class _Fails:
    """Refuses with what is given, then takes."""

    def __init__(self, *errors):
        self.errors = list(errors)

    async def consume(self, _batch):
        if self.errors:
            raise self.errors.pop(0)


async def waits(*errors, **settings) -> list[float]:
    """The pauses a Retrying makes for *errors*, without making them."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    config = RetryConfig(randomization_factor=0, **settings)
    retrying = Retrying(config, _Fails(*errors), exporter_id="otlp", is_kept=True, telemetry=Telemetry(), sleep=sleep)
    await retrying.consume(batch("a"))
    return slept


async def test_pause_is_what_the_backend_asks_for_else_grows():
    """Retry-After is honoured, longer or shorter than our own; 0 is not a busy loop."""
    own, asked, none = Refused(""), Refused("", retry_after_seconds=40), Refused("", retry_after_seconds=0)
    assert await waits(own, asked, own, none, own) == [5, 40, 11.25, 0.1, 25.3125]


async def test_bug_in_a_sender_costs_no_records():
    """It is counted and tried again, as a refusal is."""
    assert await waits(RuntimeError("bug"), initial_interval="1s") == [1]


def test_pauses_grow_to_the_limit_with_jitter():
    """Each is within the factor of its interval, and not all of them in its middle."""
    found = list(islice(pauses(RetryConfig(), uniform=random.Random(1).uniform), 8))
    intervals = [5, 7.5, 11.25, 16.875, 25.3125, 30, 30, 30]
    assert all(interval / 2 <= pause <= interval * 1.5 for pause, interval in zip(found, intervals, strict=True))
    assert len(set(found)) == 8


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("0", 0), (" 7 ", 7), ("-1", None),
        (formatdate(1_700_000_030, usegmt=True), 30), (formatdate(1_600_000_000, usegmt=True), 0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header, seconds):
    """A date that is over means now; what is neither counts as not given."""
    assert retry_after_seconds(header, now_seconds=1_700_000_000) == seconds


async def test_backend_that_is_not_there_is_waited_for(exporting):
    """A collector may start before its backend does."""
    async with serving(Backend()) as gone:
        port = int(gone.url.rpartition(":")[2])
    exporter = await exporting(gone.url)
    await exporter.consumer.consume(Batch("logs", logs("a"), 1))
    await until(lambda: exporter.counted("runmill_exporter_retries"))
    async with serving(Backend(), port) as backend, asyncio.timeout(10):
        await until(lambda: backend.accepted)
    assert backend.bodies() == ["a"]
