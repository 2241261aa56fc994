"""``memory_limiter``: refused above the soft limit, taken again below it, nothing dropped."""

import pytest
from collector_fakes import RecordingConsumer, batch, until

from runmill.collector.processors.memory_limiter import MemoryLimiter, MemoryLimiterConfig, memory_bytes
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused

MIB = 2**20


class FakeMemory:
    """What the process uses, as the test says."""

    def __init__(self, *used_mib):
        self.used_mib = list(used_mib)
        self.measured = 0

    def __call__(self):
        self.measured += 1
        return (self.used_mib.pop(0) if len(self.used_mib) > 1 else self.used_mib[0]) * MIB


def limiter(memory, telemetry=None, **settings):
    config = MemoryLimiterConfig(**({"check_interval": "1ms", "limit_mib": 100, "spike_limit_mib": 30} | settings))
    onward = RecordingConsumer()
    made = MemoryLimiter(
        config, onward, processor_id="memory_limiter", telemetry=telemetry or Telemetry(), used_bytes=memory
    )
    return made, onward


async def test_batches_pass_while_memory_suffices():
    """At the soft limit there is still room for what may come between two checks."""
    processor, onward = limiter(FakeMemory(70))
    await processor.start()
    await processor.consume(batch("a"))
    await processor.shutdown()
    assert onward.batches == [batch("a")]


async def test_batches_are_refused_above_the_soft_limit_and_counted():
    """The sender is told how much is used, by whom it is refused, and when to come again."""
    telemetry = Telemetry()
    processor, onward = limiter(FakeMemory(71), telemetry, check_interval="2s")
    await processor.start()
    with pytest.raises(Refused, match=r"^the collector uses more than 70 MiB of memory .*'memory_limiter'") as refused:
        await processor.consume(batch("a", "b"))
    await processor.shutdown()
    assert (refused.value.retry_after_seconds, onward.batches) == (2.0, [])
    assert telemetry.snapshot() == {'otelcol_processor_refused_log_records{processor="memory_limiter"}': 2}


async def test_batches_are_taken_again_once_memory_is_free():
    """It keeps measuring."""
    memory = FakeMemory(90, 90, 10)
    processor, onward = limiter(memory)
    await processor.start()
    with pytest.raises(Refused):
        await processor.consume(batch("a"))
    await until(lambda: memory.measured >= 3)
    await processor.consume(batch("a"))
    await processor.shutdown()
    assert onward.batches == [batch("a")]


async def test_garbage_is_collected_above_the_hard_limit_before_anything_is_refused():
    """What was only garbage is no reason to refuse: it measures again after collecting."""
    processor, onward = limiter(FakeMemory(101, 20), check_interval="1h")
    await processor.start()
    await processor.consume(batch("a"))
    await processor.shutdown()
    assert onward.batches == [batch("a")]


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({"limit_mib": 100, "spike_limit_mib": 30}, (70 * MIB, 100 * MIB)),
        ({"limit_mib": 100}, (80 * MIB, 100 * MIB)),
        ({"limit_percentage": 50}, (400, 500)),
        ({"limit_percentage": 50, "spike_limit_percentage": 10}, (400, 500)),
        ({"limit_mib": 1, "limit_percentage": 50}, (MIB - MIB * 20 // 100, MIB)),
    ],
)
def test_limits_come_from_mebibytes_or_from_a_share_of_all_memory(settings, limits):
    """The spike is a fifth of the limit unless given; mebibytes go before a percentage."""
    assert MemoryLimiterConfig(check_interval="1s", **settings).limits_bytes(1000) == limits


def test_memory_of_this_machine_is_known():
    """More than nothing, and no unlimited control group counts as memory."""
    assert 2**25 < memory_bytes() < 2**50
