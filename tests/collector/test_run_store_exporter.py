"""``run_store``: grouped commits, an answer only after the commit, and what happens when the store cannot."""

import asyncio
from pathlib import Path

import pytest
from collector_fakes import RecordingStore, batch, settle, until

from runmill.collector.component import Batch, Producer
from runmill.collector.exporters.run_store import RunStore
from runmill.collector.exporters.run_store_config import RunStoreConfig
from runmill.collector.exporters.set_aside import SetAside
from runmill.collector.processors.batch import BatchConfig, Batcher
from runmill.collector.telemetry import Telemetry
from runmill.errors import Conflict, Refused, Rejected


def exporter(store, telemetry=None, *, folder, **settings):
    telemetry = telemetry or Telemetry()
    return RunStore(
        RunStoreConfig(url="./store", **settings),
        exporter_id="run_store",
        open_store=lambda _: store,
        aside=SetAside(folder, exporter_id="run_store", telemetry=telemetry),
        telemetry=telemetry,
    )


@pytest.fixture
async def started(tmp_path):
    """Give a function that makes started exporters; each is shut down after the test."""
    made = []

    async def start(store, *args, **settings):
        made.append(exporter(store, *args, folder=tmp_path, **settings))
        await made[-1].start()
        return made[-1]

    yield start
    for one in made:
        await one.shutdown()


def consume_all(one, *batches):
    return [asyncio.create_task(one.consume(batch)) for batch in batches]


async def test_batch_is_answered_after_its_commit(started):
    """While the commit is under way the sender waits."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store)
    [sent] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    assert not sent.done()
    store.open.set()
    await sent
    assert store.bodies() == [["a"]]


async def test_what_waits_during_a_commit_is_one_commit(started):
    """Many small batches cost one transaction; their order is kept."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, commit_records=3)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    others = consume_all(one, batch("b"), batch("c", "d"))
    await settle()
    store.open.set()
    await asyncio.gather(first, *others)
    assert store.bodies() == [["a"], ["b", "c", "d"]]


async def test_metrics_and_logs_share_a_commit(started):
    """What a run logged at the same time becomes visible together."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, commit_records=2)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    metrics = Batch("metrics", b"", 1)
    others = consume_all(one, batch("b"), metrics)
    await settle()
    store.open.set()
    await asyncio.gather(first, *others)
    assert [len(group) for group in store.appends] == [1, 2]


async def test_producer_and_sequence_reach_the_store(started):
    """By them the store recognises what is sent again."""
    store = RecordingStore()
    one = await started(store)
    await one.consume(batch("a", producer=Producer("p", 7)))
    [[delivery]] = store.appends
    assert (delivery.producer_id, delivery.sequence) == ("p", 7)


async def test_bytes_that_are_not_otlp_are_rejected_and_cost_the_others_nothing(started):
    """Each batch of a group is decoded on its own."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, commit_records=2)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    good, bad = consume_all(one, batch("b"), Batch("logs", b"\xff", 1))
    await settle()
    store.open.set()
    await asyncio.gather(first, good)
    with pytest.raises(Rejected):
        await bad
    assert store.bodies() == [["a"], ["b"]]


async def test_store_that_cannot_commit_refuses_and_later_batches_are_taken(started):
    """Nothing of the group is stored, so all of it must come again; then it is committed."""
    store = RecordingStore(Refused("disk full"))
    one = await started(store)
    with pytest.raises(Refused, match=r"^disk full$"):
        await one.consume(batch("a"))
    await one.consume(batch("a"))
    assert store.bodies() == [["a"], ["a"]]


async def test_group_the_store_will_not_take_is_committed_one_by_one(started):
    """One batch that breaks the store does not take its companions with it."""
    store = RecordingStore(None, Rejected("no table takes it"), None, Rejected("no table takes it"))
    store.open.clear()
    one = await started(store, commit_records=2)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    good, bad = consume_all(one, batch("good"), batch("bad"))
    await settle()
    store.open.set()
    await asyncio.gather(first, good)
    with pytest.raises(Rejected):
        await bad
    assert store.bodies() == [["a"], ["good", "bad"], ["good"], ["bad"]]


async def test_more_waiting_bytes_than_allowed_are_refused(started):
    """Memory is bounded: senders keep what does not fit, and it fits again after the commit."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, max_waiting_bytes=len(batch("a").payload) + 1)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    with pytest.raises(Refused, match=r"^\d+ bytes wait for the run store already"):
        await one.consume(batch("b"))
    store.open.set()
    await first
    await one.consume(batch("b"))


async def test_one_batch_larger_than_all_that_may_wait_is_still_taken(started):
    """Refusing it could never end."""
    one = await started(RecordingStore(), max_waiting_bytes=1)
    await one.consume(batch("a"))


async def test_shutdown_commits_what_waits(started):
    """Nothing that was taken is left behind, and nothing more is taken."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, commit_interval="1h")
    tasks = consume_all(one, batch("a"), batch("b"))
    await until(lambda: store.appends)
    stopping = asyncio.create_task(one.shutdown())
    await settle()
    with pytest.raises(Refused, match=r"^the collector is stopping"):
        await one.consume(batch("c"))
    store.open.set()
    await asyncio.gather(stopping, *tasks)
    assert sorted(body for group in store.bodies() for body in group) == ["a", "b"]


async def test_sender_that_leaves_does_not_stop_the_commits(started):
    """Its batch is committed all the same; its waiting bytes are free again."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store)
    [leaving] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    leaving.cancel()
    store.open.set()
    await one.consume(batch("b"))
    assert store.bodies() == [["a"], ["b"]]


async def test_next_group_is_decoded_while_one_is_committed(started):
    """The two halves of the work overlap: what cannot be decoded is answered before the commit before it ends."""
    store = RecordingStore()
    store.open.clear()
    one = await started(store, commit_records=1)
    [first] = consume_all(one, batch("a"))
    await until(lambda: store.appends)
    with pytest.raises(Rejected):
        await one.consume(Batch("logs", b"\xff", 1))
    assert not first.done()
    store.open.set()
    await first


async def test_store_that_cannot_be_opened_fails_the_start():
    """The error is the store's own, which says what to do."""

    def cannot_open(_url):
        raise Conflict("another process has it")

    config = RunStoreConfig(url="./store")
    aside = SetAside(Path("nowhere"), exporter_id="run_store", telemetry=Telemetry())
    one = RunStore(config, exporter_id="run_store", open_store=cannot_open, aside=aside, telemetry=Telemetry())
    with pytest.raises(Conflict, match=r"^another process has it$"):
        await one.start()
    await one.shutdown()


async def test_commits_and_repeats_are_counted(started):
    """How many transactions, and how many batches had been stored before."""

    class Repeating(RecordingStore):
        def append(self, deliveries, /):
            return super().append(deliveries) + 1

    telemetry = Telemetry()
    one = await started(Repeating(), telemetry)
    await one.consume(batch("a"))
    assert telemetry.snapshot() == {
        'runmill_run_store_commits_total{exporter="run_store"}': 1,
        'runmill_run_store_repeated_batches_total{exporter="run_store"}': 1,
    }


class PickyStore(RecordingStore):
    """Fails on every commit that holds the body `poison`, as a bug in it would."""

    def append(self, deliveries, /):
        if any("poison" in one.columns.logs["body"].to_pylist() for one in deliveries):
            raise KeyError("poison")
        return super().append(deliveries)


async def test_poison_is_set_aside_and_stops_nobody(started, tmp_path, caplog):
    """Its sender is told never to send it again; its bytes are in a file, it is counted and said."""
    store, telemetry = PickyStore(), Telemetry()
    one = await started(store, telemetry, commit_records=3)
    sent = consume_all(one, batch("a"), batch("poison"), batch("b"))
    [first, poison, last] = await asyncio.gather(*sent, return_exceptions=True)
    [file] = tmp_path.iterdir()
    assert (first, last, type(poison)) == (None, None, Rejected)
    assert str(poison) == (
        f"the run store fails on this data, which is kept as {file}: KeyError('poison'). Do not send it again."
    )
    assert file.read_bytes() == batch("poison").payload
    assert sorted(body for group in store.bodies() for body in group) == ["a", "b"]
    assert telemetry.snapshot()['runmill_run_store_set_aside_records_total{exporter="run_store",signal="logs"}'] == 1
    assert f"exporter run_store: 1 records of logs were set aside (kept as {file})" in caplog.text


async def test_poison_among_joined_requests_costs_the_others_nothing(started, tmp_path):
    """Who joined them sends them one by one, so that only the one at fault is set aside."""
    store, telemetry = PickyStore(), Telemetry()
    one = await started(store, telemetry)
    batcher = Batcher(BatchConfig(timeout="10s"), one, processor_id="batch", telemetry=telemetry)
    store.open.clear()
    sent = consume_all(batcher, batch("under way"))
    await until(lambda: store.appends)
    sent += consume_all(batcher, batch("a"), batch("poison"), batch("b"))
    await settle()
    store.open.set()
    found = await asyncio.gather(*sent, return_exceptions=True)
    assert [type(result) for result in found] == [type(None), type(None), Rejected, type(None)]
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [batch("poison").payload]


async def test_store_that_fails_on_everything_sets_nothing_aside(started, tmp_path):
    """Then it is not the data: the sender keeps it. What passes at the next attempt is stored."""
    store = RecordingStore(*[ValueError("broken")] * 4, ValueError("once"), None)
    one = await started(store)
    with pytest.raises(ValueError, match="broken"):
        await one.consume(batch("a"))
    await one.consume(batch("a"))
    assert list(tmp_path.iterdir()) == []
