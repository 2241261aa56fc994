"""`sending_queue.batch`: small requests go out as one and large ones as several, and nothing else changes."""

import pytest
from backends import HANG, Answer, Backend, serving
from collector_fakes import batch, until
from pydantic import ValidationError

from runmill.collector.component import Batch, Producer
from runmill.collector.exporters.sending_queue import SendingQueueConfig

NAMES = [f"record {number:03}" for number in range(40)]
NEVER = "1h"


async def sent(exporter, batches):
    for one in batches:
        await exporter.consumer.consume(one)


async def test_requests_go_out_together_once_there_are_enough(exporting):
    """By 20 records each time, in the order they came, without waiting for `flush_timeout`; and how many is counted."""
    async with serving(Backend()) as backend:
        joining = {"num_consumers": 1, "batch": {"min_size": 20, "flush_timeout": NEVER}}
        exporter = await exporting(backend.url, queue=joining)
        await sent(exporter, map(batch, NAMES))
        await until(lambda: len(backend.accepted) == 2)
        assert [request.bodies() for request in backend.accepted] == [NAMES[:20], NAMES[20:]]
        await until(lambda: exporter.counted("otelcol_exporter_queue_size") == {"otelcol_exporter_queue_size": 0})
    assert exporter.counted("otelcol_exporter_queue_batch", "otelcol_exporter_sent") == {
        "otelcol_exporter_queue_batch_send_size_count": 2,
        "otelcol_exporter_queue_batch_send_size_sum": 40,
        "otelcol_exporter_sent_log_records": 40,
    }


async def test_few_requests_wait_no_longer_than_the_timeout(exporting):
    """And an end of the collector waits for nothing: what is there goes out."""
    async with serving(Backend()) as backend:
        exporter = await exporting(backend.url, queue={"batch": {"flush_timeout": "1ms"}})
        await sent(exporter, [batch("a")])
        await until(lambda: backend.accepted)
        await exporter.component.shutdown()
        patient = await exporting(backend.url, queue={"batch": {"flush_timeout": NEVER}})
        await sent(patient, [batch("b"), batch("c")])
        await patient.component.shutdown()
    assert [request.bodies() for request in backend.accepted] == [["a"], ["b", "c"]]


@pytest.mark.parametrize("joins", [False, True])
async def test_numbered_requests_keep_their_numbers_unless_told_otherwise(exporting, joins):
    """A runmill knows what comes twice by its number; another backend has no use for it."""
    numbered = [batch(name, producer=Producer("p", number)) for number, name in enumerate(NAMES[:3])]
    async with serving(Backend()) as backend:
        joining = {"num_consumers": 1, "batch": {"flush_timeout": "50ms", "join_numbered": joins}}
        exporter = await exporting(backend.url, queue=joining)
        await sent(exporter, numbered)
        await until(lambda: backend.bodies() == NAMES[:3])
    numbers = [request.headers.get("runmill-sequence") for request in backend.accepted]
    assert numbers == ([None] if joins else ["0", "1", "2"])


async def test_no_request_is_larger_than_the_limit(exporting):
    """Joined up to it; what is larger comes in pieces, whose numbers tell them apart."""
    async with serving(Backend()) as backend:
        joining = {"num_consumers": 1, "batch": {"min_size": 2, "max_size": 3, "flush_timeout": "20ms"}}
        exporter = await exporting(backend.url, queue=joining)
        large = batch(*NAMES[:7], producer=Producer("p", 5))
        await sent(exporter, [batch("a"), batch("b", "c", "d"), batch("e"), large])
        await until(lambda: len(backend.accepted) == 6)
    found = {tuple(each.bodies()): each.headers.get("runmill-producer") for each in backend.accepted}
    assert found == {
        ("a",): None,
        ("b", "c", "d"): None,
        ("e",): None,
        tuple(NAMES[:3]): "p/3-items-0",
        tuple(NAMES[3:6]): "p/3-items-1",
        tuple(NAMES[6:7]): "p/3-items-2",
    }
    assert {each.headers.get("runmill-sequence") for each in backend.accepted} == {None, "5"}


async def test_limit_in_bytes_holds(exporting):
    """For backends whose own limit is one of bytes, such as Kafka's brokers."""
    async with serving(Backend()) as backend:
        joining = {"sizer": "bytes", "queue_size": 10**6, "batch": {"min_size": 0, "max_size": 200}}
        exporter = await exporting(backend.url, queue=joining)
        await sent(exporter, [batch(*NAMES)])
        await until(lambda: backend.bodies() == NAMES)
    assert max(len(request.body) for request in backend.accepted) <= 200


async def test_a_request_that_is_never_wanted_costs_no_other(exporting):
    """Rejected together, they are sent one by one: the bad one alone is dropped, and counted."""
    async with serving(Backend(Answer(400), Answer(), Answer(400))) as backend:
        joining = {"num_consumers": 1, "batch": {"min_size": 3, "flush_timeout": NEVER}}
        exporter = await exporting(backend.url, queue=joining)
        await sent(exporter, [batch("a"), batch("bad"), batch("c")])
        await until(lambda: backend.bodies() == ["a", "c"])
    assert exporter.counted("runmill_dropped") == {'runmill_dropped_records_total{reason="rejected",signal="logs"}': 1}


async def test_signals_are_not_joined_with_each_other(exporting):
    """Each has an address of its own; profiles, whose numbers mean something in their own request only, go alone."""
    signals = ("logs", "metrics", "logs", "metrics", "profiles", "profiles")
    async with serving(Backend()) as backend:
        exporter = await exporting(backend.url, queue={"batch": {"flush_timeout": "20ms"}})
        await sent(exporter, [Batch(signal, b"", 1) for signal in signals])
        await until(lambda: len(backend.accepted) == 4)
    profiles = "/v1development/profiles"
    assert sorted(request.path for request in backend.accepted) == ["/v1/logs", "/v1/metrics", profiles, profiles]


async def test_what_was_joined_waits_one_by_one_through_a_restart(exporting):
    """Whatever lots they were in: each record is there, and once."""
    async with serving(Backend(always=HANG)) as dead:
        first = await exporting(dead.url, queue={"batch": {"min_size": 7, "flush_timeout": "1ms"}})
        await sent(first, map(batch, NAMES))
        await until(lambda: dead.requests)
        await first.component.shutdown()
    async with serving(Backend()) as backend:
        second = await exporting(backend.url, queue={"batch": {"min_size": 40, "flush_timeout": NEVER}})
        await until(lambda: backend.accepted)
        await until(lambda: second.counted("otelcol_exporter_queue_size") == {"otelcol_exporter_queue_size": 0})
    assert [request.bodies() for request in backend.accepted] == [NAMES]


@pytest.mark.parametrize(
    ("queue", "text"),
    [
        ({"batch": {"flush_timeout": 0}}, "flush_timeout is 0"),
        ({"batch": {"min_size": 10, "max_size": 5}}, r"max_size \(5\) must be at least min_size \(10\)"),
        ({"enabled": False, "batch": {}}, "'enabled' is false"),
        ({"sizer": "items", "batch": {}}, r"batch.min_size \(8192\) must be at most queue_size \(1000\)"),
    ],
    ids=["no-time", "max-below-min", "no-queue", "larger-than-the-queue"],
)
def test_settings_that_cannot_work_are_refused(queue, text):
    """With what to do about it."""
    with pytest.raises(ValidationError, match=text):
        SendingQueueConfig.model_validate(queue)
