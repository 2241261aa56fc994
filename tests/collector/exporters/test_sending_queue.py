"""The queue before a backend: what it answered for arrives, through outages and restarts; what it drops is counted."""

import asyncio
import gc

import pytest
from backends import HANG, Answer, Backend, serving
from collector_fakes import RecordingConsumer, batch, until

from runmill.collector.component import Batch, Producer
from runmill.collector.exporters.debug import Debug
from runmill.collector.exporters.debug_config import DebugConfig
from runmill.collector.exporters.queue_file import QueueFile, QueueMemory
from runmill.collector.exporters.sending_queue import Forwarder, SendingQueueConfig
from runmill.collector.pipeline import FanOut
from runmill.collector.telemetry import Telemetry
from runmill.errors import Conflict, Refused

NAMES = [f"record {number:03}" for number in range(50)]


async def test_outage_delays_nobody_and_loses_nothing(exporting):
    """While one backend refuses, hangs and cuts, the other consumer has everything; afterwards so has the backend."""
    store = RecordingConsumer()
    trouble = [Answer(503), Answer(429, {"retry-after": "0"}), Answer(0)] * 10
    async with serving(Backend(*trouble)) as backend:
        exporter = await exporting(backend.url)
        both = FanOut([store, exporter.consumer])
        async with asyncio.timeout(5):
            await asyncio.gather(*(both.consume(batch(name)) for name in NAMES))
        assert len(store.batches) == len(NAMES)
        await until(lambda: len(backend.accepted) == len(NAMES))
    assert backend.bodies() == NAMES


async def test_what_waits_is_sent_after_a_restart(exporting):
    """Whole batches: bytes, count, signal and producer, the oldest first."""
    async with serving(Backend(always=HANG)) as dead:
        first = await exporting(dead.url, queue={"num_consumers": 1})
        for number, name in enumerate(NAMES):
            await first.consumer.consume(batch(name, producer=Producer("p", number)))
        await first.component.shutdown()
    async with serving(Backend()) as backend:
        second = await exporting(backend.url, queue={"num_consumers": 1})
        await until(lambda: len(backend.accepted) == len(NAMES))
        await until(lambda: second.counted("otelcol_exporter_queue_size") == {"otelcol_exporter_queue_size": 0})
    assert [request.bodies() for request in backend.accepted] == [[name] for name in NAMES]
    assert [request.headers["runmill-sequence"] for request in backend.accepted] == [str(n) for n in range(50)]
    assert second.counted("otelcol_exporter_sent") == {"otelcol_exporter_sent_log_records": 50}


async def test_payloads_beyond_what_memory_may_hold_are_read_back_from_the_file(tmp_path):
    """An outage costs disk, not memory: the same batches come back, held or not."""
    batches = [batch(name, producer=Producer("p", number)) for number, name in enumerate(NAMES)]
    queue = QueueFile(tmp_path / "q.sqlite", held_bytes=2 * len(batches[0].payload))
    await queue.open()
    entries = [await queue.add(one) for one in batches]
    assert [entry.batch is None for entry in entries[:3]] == [False, False, True]
    assert [await queue.load(entry) for entry in entries] == batches
    for entry in entries[:2]:
        await queue.remove(entry)
    assert (await queue.add(batches[0])).batch == batches[0]
    await queue.close()


async def test_full_queue_drops_and_counts(exporting):
    """As the OpenTelemetry Collector does by default: one backend's outage must not stop the others."""
    async with serving(Backend(always=HANG)) as backend:
        exporter = await exporting(backend.url, queue={"queue_size": 2})
        for name in NAMES[:5]:
            await exporter.consumer.consume(batch(name, name))
    assert exporter.counted("runmill_dropped", "otelcol_exporter_enqueue", "otelcol_exporter_queue") == {
        'runmill_dropped_records_total{reason="queue_full",signal="logs"}': 6,
        "otelcol_exporter_enqueue_failed_log_records": 6,
        "otelcol_exporter_queue_capacity": 2,
        "otelcol_exporter_queue_size": 2,
    }


async def test_drops_that_go_on_do_not_fill_the_log(exporting, caplog):
    """Three times, and at every tenfold: how many it were this time, and by now."""
    async with serving(Backend(always=HANG)) as backend:
        exporter = await exporting(backend.url, queue={"queue_size": 1})
        for name in NAMES:
            await exporter.consumer.consume(batch(name, name))
    said = [record.getMessage() for record in caplog.records if "queue_full" in record.getMessage()]
    assert said == [
        f"exporter otlp: 2 records dropped (queue_full, {count} by now): its queue is full." for count in (2, 4, 6, 20)
    ]


@pytest.mark.parametrize(("sizer", "size"), [("items", 3), ("bytes", 40)])
async def test_queue_is_measured_as_the_sizer_says(exporting, sizer, size):
    """Two records of about 20 bytes fit in neither case a second time."""
    async with serving(Backend(always=HANG)) as backend:
        exporter = await exporting(backend.url, queue={"queue_size": size, "sizer": sizer})
        await exporter.consumer.consume(batch("a", "b"))
        await exporter.consumer.consume(batch("c", "d"))
    assert exporter.counted("runmill_dropped") == {
        'runmill_dropped_records_total{reason="queue_full",signal="logs"}': 2
    }


async def test_full_queue_that_blocks_lets_senders_wait(exporting):
    """`block_on_overflow`: nothing is dropped, and who waits goes on when there is room."""
    async with serving(Backend(*[Answer(503)] * 20)) as backend:
        exporter = await exporting(backend.url, queue={"queue_size": 1, "block_on_overflow": True})
        await asyncio.gather(*(exporter.consumer.consume(batch(name)) for name in NAMES))
        await until(lambda: len(backend.accepted) == len(NAMES))
    assert backend.bodies() == NAMES
    assert exporter.counted("runmill_dropped") == {}


async def test_stop_refuses_those_who_wait_for_room(exporting):
    """They still have their data, and are told to come again."""
    async with serving(Backend(always=HANG)) as backend:
        exporter = await exporting(backend.url, queue={"queue_size": 1, "block_on_overflow": True})
        await exporter.consumer.consume(batch("a"))
        waiting = asyncio.create_task(exporter.consumer.consume(batch("b")))
        await until(lambda: backend.requests)
        await exporter.component.shutdown()
        with pytest.raises(Refused, match="is stopping"):
            await waiting


async def test_rejected_batches_are_dropped_with_a_reason(exporting):
    """Nothing is sent twice that the backend never wants, and the rest goes on."""
    async with serving(Backend(Answer(400))) as backend:
        exporter = await exporting(backend.url, queue={"num_consumers": 1})
        await exporter.consumer.consume(batch("bad"))
        await exporter.consumer.consume(batch("good"))
        await until(lambda: backend.accepted)
    assert backend.bodies() == ["good"]
    assert exporter.told == ["otlp: dropped 1 log records, by: rejected"]
    assert exporter.counted("runmill_dropped") == {'runmill_dropped_records_total{reason="rejected",signal="logs"}': 1}


async def test_memory_queue_counts_what_the_end_takes_with_it():
    """In-memory queues lose what waits and what is on its way, and say how much."""
    backend, telemetry = RecordingConsumer(), Telemetry()
    backend.open.clear()
    forwarder = Forwarder(
        SendingQueueConfig(storage="memory", num_consumers=1),
        backend,
        Debug(DebugConfig(), exporter_id="none"),
        storage=QueueMemory(),
        exporter_id="otlp",
        telemetry=telemetry,
        linger_seconds=0.05,
    )
    await forwarder.start()
    for name in NAMES:
        await forwarder.consume(batch(name))
    await backend.arrived.wait()
    await forwarder.shutdown()
    assert telemetry.snapshot()['runmill_dropped_records_total{component="otlp",reason="shutdown",signal="logs"}'] == 50


async def test_sender_that_leaves_does_not_take_its_batch_with_it(exporting):
    """A batch that is being written when its request is cancelled is delivered all the same."""
    async with serving(Backend()) as backend:
        exporter = await exporting(backend.url)
        sending = asyncio.create_task(exporter.consumer.consume(batch("a")))
        await asyncio.sleep(0)
        sending.cancel()
        await until(lambda: backend.accepted)
    assert backend.bodies() == ["a"]


async def test_second_process_is_kept_out(tmp_path):
    """Two that empty one queue would send everything twice."""
    first, second = QueueFile(tmp_path / "q.sqlite"), QueueFile(tmp_path / "q.sqlite")
    await first.open()
    await first.add(Batch("logs", b"x", 1))
    with pytest.raises(Conflict, match="Another collector of this home may have it"):
        await second.open()
    await second.close()
    await first.close()
    gc.collect()
