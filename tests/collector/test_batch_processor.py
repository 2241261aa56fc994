"""``batch``: what is joined, when it goes, and that nobody is answered too early."""

import asyncio
from dataclasses import replace

import pytest
from collector_fakes import RecordingConsumer, batch, logs, settle, until
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from pydantic import ValidationError

from runmill.collector.component import Batch, Producer
from runmill.collector.processors.batch import BatchConfig, Batcher
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected
from runmill.otlp.count import count_records


@pytest.fixture
def onward():
    return RecordingConsumer()


def batcher(onward, telemetry=None, **settings):
    return Batcher(BatchConfig(**settings), onward, processor_id="batch", telemetry=telemetry or Telemetry())


def consume_all(processor, *batches):
    return [asyncio.create_task(processor.consume(one)) for one in batches]


def bodies(sent):
    request = ExportLogsServiceRequest.FromString(sent.payload)
    return [
        record.body.string_value
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


async def test_lone_batch_goes_at_once(onward):
    """Nothing is on its way, so nobody waits for the timeout."""
    await batcher(onward, timeout="1h").consume(batch("a"))
    assert onward.batches == [batch("a")]


async def test_batches_that_come_while_one_is_on_its_way_are_joined(onward):
    """Their bytes one after another are one valid request that holds all of their records."""
    onward.open.clear()
    processor = batcher(onward, timeout="1h")
    tasks = consume_all(processor, batch("a"), batch("b"), batch("c", "d"))
    await settle()
    assert onward.batches == [batch("a")]
    onward.open.set()
    await asyncio.gather(*tasks)
    [_, joined] = onward.batches
    assert (bodies(joined), joined.record_count, joined.producer) == (["b", "c", "d"], 3, None)
    assert count_records("logs", joined.payload) == 3


async def test_nobody_is_answered_before_the_joined_batch_is_safe(onward):
    """`consume` returns when what comes after has returned, never before."""
    onward.open.clear()
    tasks = consume_all(batcher(onward), batch("a"), batch("b"))
    await settle()
    assert [task.done() for task in tasks] == [False, False]
    onward.open.set()
    await asyncio.gather(*tasks)


async def test_enough_records_go_without_waiting(onward):
    """`send_batch_size` is reached: sent, though another is on its way."""
    onward.open.clear()
    tasks = consume_all(batcher(onward, timeout="1h", send_batch_size=3), batch("a"), batch("b"), batch("c", "d"))
    await until(lambda: len(onward.batches) == 2)
    assert [sent.record_count for sent in onward.batches] == [1, 3]
    onward.open.set()
    await asyncio.gather(*tasks)


async def test_timeout_sends_what_waits(onward):
    """A batch never waits longer than `timeout`, however long the one before takes."""
    onward.open.clear()
    tasks = consume_all(batcher(onward, timeout="1ms"), batch("a"), batch("b"))
    await until(lambda: len(onward.batches) == 2)
    onward.open.set()
    await asyncio.gather(*tasks)


async def test_joined_batch_never_exceeds_the_largest_size(onward):
    """What would make it larger waits for the next one; a single larger request passes whole."""
    onward.open.clear()
    processor = batcher(onward, timeout="1h", send_batch_size=3, send_batch_max_size=3)
    tasks = consume_all(processor, batch("a"), batch("b", "c"), batch("d", "e"), batch("f", "g", "h", "i"))
    await until(lambda: len(onward.batches) == 3)
    onward.open.set()
    await asyncio.gather(*tasks)
    assert sorted(sent.record_count for sent in onward.batches) == [1, 2, 2, 4]


async def test_batch_with_a_producer_passes_as_it_is(onward):
    """Joined, it could not be recognised when it is sent again."""
    onward.open.clear()
    first, second = (batch(name, producer=Producer("p", number)) for number, name in enumerate("ab"))
    tasks = consume_all(batcher(onward, timeout="1h"), batch("x"), first, second)
    await until(lambda: len(onward.batches) == 3)
    assert sorted(onward.batches, key=str) == sorted([batch("x"), first, second], key=str)
    onward.open.set()
    await asyncio.gather(*tasks)


async def test_no_timeout_joins_nothing(onward):
    """With `timeout: 0` batches pass one by one."""
    onward.open.clear()
    tasks = consume_all(batcher(onward, timeout=0), batch("a"), batch("b"), batch("c"))
    await until(lambda: len(onward.batches) == 3)
    onward.open.set()
    await asyncio.gather(*tasks)


async def test_refusal_reaches_every_sender():
    """All of the joined batch must come again."""
    onward = RecordingConsumer(None, Refused("full"))
    onward.open.clear()
    first, *joined = consume_all(batcher(onward), batch("a"), batch("b"), batch("c"))
    await settle()
    onward.open.set()
    await first
    for task in joined:
        with pytest.raises(Refused, match=r"^full$"):
            await task


async def test_rejected_batch_does_not_take_its_companions_with_it():
    """What is rejected joined is sent again one by one: only the bad one is rejected."""

    class Picky(RecordingConsumer):
        async def consume(self, batch: Batch, /) -> None:
            await super().consume(batch)
            if b"bad" in batch.payload:
                raise Rejected("bad")

    onward = Picky()
    onward.open.clear()
    first, good, bad = consume_all(batcher(onward), batch("a"), batch("good"), batch("bad"))
    await settle()
    onward.open.set()
    await asyncio.gather(first, good)
    with pytest.raises(Rejected, match=r"^bad$"):
        await bad


async def test_sender_that_leaves_does_not_disturb_the_others(onward):
    """A cancelled request's records are sent all the same, and the rest get their answer."""
    onward.open.clear()
    first, leaving, staying = consume_all(batcher(onward), batch("a"), batch("b"), batch("c"))
    await settle()
    leaving.cancel()
    onward.open.set()
    await asyncio.gather(first, staying)
    assert bodies(onward.batches[1]) == ["b", "c"]


async def test_shutdown_sends_what_waits_and_returns_when_it_is_answered(onward):
    """Nothing is left behind."""
    onward.open.clear()
    processor = batcher(onward, timeout="1h")
    tasks = consume_all(processor, batch("a"), batch("b"))
    await settle()
    stopping = asyncio.create_task(processor.shutdown())
    await until(lambda: len(onward.batches) == 2)
    assert not stopping.done()
    onward.open.set()
    await asyncio.gather(stopping, *tasks)


async def test_sizes_are_counted(onward):
    """The upstream counters tell how many batches went, and with how many records."""
    telemetry = Telemetry()
    await batcher(onward, telemetry).consume(batch("a", "b"))
    assert telemetry.snapshot() == {
        'otelcol_processor_batch_batch_send_size_count{processor="batch"}': 1,
        'otelcol_processor_batch_batch_send_size_sum{processor="batch"}': 2,
    }


def test_concatenated_requests_are_one_request():
    """The premise of joining: appended bytes hold the records of both, in order."""
    assert bodies(Batch("logs", logs("a") + logs("b", "c"), 3)) == ["a", "b", "c"]


def of_tenant(tenant, *names):
    return replace(batch(*names), metadata=frozenset({("x-tenant", tenant), ("x-trace", names[0])}))


async def test_requests_of_different_senders_stay_apart(onward):
    """One of each is on its way, and those behind are joined to their like only; what has no such header is a kind too.

    Of headers that nobody groups by, the joined request has those that all had.
    """
    onward.open.clear()
    processor = batcher(onward, timeout="1h", metadata_keys=["X-Tenant"])
    firsts = [of_tenant("a", "a1"), of_tenant("b", "b1"), batch("1")]
    more = [
        of_tenant("a", "a2"),
        of_tenant("b", "b2"),
        batch("2"),
        of_tenant("a", "a3"),
        of_tenant("b", "b3"),
        batch("3"),
    ]
    tasks = consume_all(processor, *firsts, *more)
    await until(lambda: len(onward.batches) == 3)
    onward.open.set()
    await asyncio.gather(*tasks)
    assert [bodies(sent) for sent in onward.batches] == [["a1"], ["b1"], ["1"], ["a2", "a3"], ["b2", "b3"], ["2", "3"]]
    tenants = [frozenset({("x-tenant", tenant)}) for tenant in "ab"]
    assert [sent.metadata for sent in onward.batches[3:]] == [*tenants, frozenset()]


async def test_more_kinds_of_senders_than_the_limit_are_rejected(onward):
    """The known ones go on; 0 is no limit."""
    telemetry = Telemetry()
    settings = {"metadata_keys": ["x-tenant"], "metadata_cardinality_limit": 2}
    processor = batcher(onward, telemetry, **settings)
    for tenant in "aba":
        await processor.consume(of_tenant(tenant, "1"))
    with pytest.raises(
        Rejected, match=r"2 combinations .* x-tenant apart already, and \{'x-tenant': 'c'\} is one more"
    ):
        await processor.consume(of_tenant("c", "1"))
    assert telemetry.snapshot()['otelcol_processor_batch_metadata_cardinality{processor="batch"}'] == 2
    unlimited = batcher(onward, **settings | {"metadata_cardinality_limit": 0})
    for tenant in "abc":
        await unlimited.consume(of_tenant(tenant, "1"))


def test_a_header_is_named_once():
    """In whatever case."""
    with pytest.raises(ValidationError, match="'x-tenant' is empty or named twice"):
        BatchConfig(metadata_keys=["X-Tenant", "x-tenant"])
