"""The Kafka exporter against the brokers that Kafka's C client brings for tests: the real protocol on real sockets."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from backends import Request
from collector_fakes import batch, logs, until
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from runmill.collector.component import Batch
from runmill.collector.component import Producer as Sender
from runmill.collector.exporters.kafka import KafkaSender
from runmill.collector.exporters.kafka_config import KafkaConfig
from runmill.collector.exporters.making import make_exporter
from runmill.collector.settings import Settings
from runmill.collector.telemetry import Telemetry
from runmill.errors import Refused, Rejected
from runmill.home import Home

DEADLINE_SECONDS = 30
QUIET = {"log_level": 0}


@contextmanager
def brokers() -> Iterator[str]:
    """A cluster of two brokers; gone at the end."""
    owner = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 2, **QUIET})
    yield ",".join(
        str(broker).partition("/")[0] for broker in owner.list_topics(timeout=DEADLINE_SECONDS).brokers.values()
    )
    owner.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with brokers() as found:
        yield found


def received(cluster: str, topic: str, count: int) -> list[Message]:
    """The first *count* messages of a topic."""
    settings = {"bootstrap.servers": cluster, "group.id": topic, **QUIET}
    consumer = Consumer(settings)
    partitions = consumer.list_topics(topic, timeout=DEADLINE_SECONDS).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    found = list[Message]()
    try:
        for _ in range(DEADLINE_SECONDS * 10):
            message = consumer.poll(0.1)
            if message is not None and not message.error():
                found.append(message)
            if len(found) == count:
                return found
        raise AssertionError(f"{len(found)} of {count} messages came")
    finally:
        consumer.close()


def settings_of(cluster: str, topic: str, **more) -> dict[str, object]:
    topics = {signal: {"topic": f"{topic}_{signal}"} for signal in ("logs", "metrics", "traces")}
    return {"brokers": cluster.split(","), "timeout": "30s", **topics, **more}


async def test_each_request_is_a_message_on_the_topic_of_its_signal(cluster):
    """In its own bytes, with the headers that are configured and the producer that makes repeats known."""
    sender = KafkaSender(
        KafkaConfig(**settings_of(cluster, "each", record_headers={"site": "north"})), exporter_id="kafka"
    )
    await sender.start()
    await asyncio.gather(
        sender.consume(batch("a", producer=Sender("p", 7))), sender.consume(Batch("metrics", b"points", 2))
    )
    await sender.shutdown()
    [message] = await asyncio.to_thread(received, cluster, "each_logs", 1)
    assert message.value() == logs("a")
    assert message.headers() == [("site", b"north"), ("Runmill-Producer", b"p"), ("Runmill-Sequence", b"7")]
    [message] = await asyncio.to_thread(received, cluster, "each_metrics", 1)
    assert (message.value(), message.headers()) == (b"points", [("site", b"north")])


async def test_a_request_too_large_for_a_message_is_several(cluster, tmp_path):
    """`sending_queue.batch.max_size` in bytes, below what a message may have; records in their order."""
    bodies = [f"{number:03}" * 100 for number in range(20)]
    telemetry, small = Telemetry(), {"sizer": "bytes", "max_size": 1000, "min_size": 0}
    outlet = make_exporter(
        "kafka",
        KafkaConfig(
            **settings_of(cluster, "cut", producer={"max_message_bytes": 1500}),
            sending_queue={"batch": small, "num_consumers": 1},
        ),
        settings=Settings(open_store=lambda _: None, home=Home(tmp_path)),
        telemetry=telemetry,
    )
    await outlet.component.start()
    await outlet.consumer.consume(batch(*bodies))
    await until(lambda: telemetry.snapshot().get('otelcol_exporter_sent_log_records{exporter="kafka"}') == 20)
    count = telemetry.snapshot()['otelcol_exporter_queue_batch_send_size_count{exporter="kafka"}']
    found = await asyncio.to_thread(received, cluster, "cut_logs", count)
    await outlet.component.shutdown()
    assert max(len(message.value()) for message in found) <= 1000
    assert sorted(body for message in found for body in Request("", {}, message.value()).bodies()) == bodies


async def test_what_waits_is_sent_through_the_queue(cluster, tmp_path):
    """As the pipeline makes it: answered for by the queue's file, counted once the brokers have it."""
    telemetry = Telemetry()
    outlet = make_exporter(
        "kafka",
        KafkaConfig(**settings_of(cluster, "queued", producer={"compression": "gzip"})),
        settings=Settings(open_store=lambda _: None, home=Home(tmp_path)),
        telemetry=telemetry,
    )
    await outlet.component.start()
    names = [f"record {number:02}" for number in range(20)]
    await asyncio.gather(*(outlet.consumer.consume(batch(name)) for name in names))
    sent = 'otelcol_exporter_sent_log_records{exporter="kafka"}'
    await until(lambda: telemetry.snapshot().get(sent) == len(names))
    found = await asyncio.to_thread(received, cluster, "queued_logs", len(names))
    await outlet.component.shutdown()
    assert sorted(message.value() for message in found) == sorted(logs(name) for name in names)


async def test_brokers_that_are_not_there_refuse(tmp_path):
    """Within the timeout, so that the batch is tried again from the queue."""
    with brokers() as gone:
        pass
    sender = KafkaSender(KafkaConfig(brokers=gone.split(","), timeout="200ms"), exporter_id="kafka")
    await sender.start()
    with pytest.raises(Refused, match=r"did not take a batch: .*timed out"):
        await sender.consume(batch("a"))
    await sender.shutdown()


async def test_a_message_larger_than_allowed_is_rejected(cluster):
    """It would be too large the next time, too."""
    config = KafkaConfig(**settings_of(cluster, "large", producer={"max_message_bytes": 1000}))
    sender = KafkaSender(config, exporter_id="kafka")
    await sender.start()
    with pytest.raises(Rejected, match="did not take a batch"):
        await sender.consume(batch("x" * 2000))
    await sender.shutdown()
    with pytest.raises(Refused, match="not at work"):
        await sender.consume(batch("a"))


def test_settings_are_those_of_the_client(tmp_path):
    """TLS and SASL as the OpenTelemetry Collector's keys say them."""
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    config = KafkaConfig(
        tls={"ca_file": authority},
        auth={"sasl": {"mechanism": "SCRAM-SHA-512", "username": "me", "password": "secret"}},
        producer={"required_acks": 1, "linger": "5ms", "compression": "zstd"},
    )
    assert config.client_settings() == {
        "bootstrap.servers": "localhost:9092", "client.id": "runmill-collector", "acks": 1, "compression.type": "zstd",
        "linger.ms": 5.0, "message.max.bytes": 1_000_000, "message.timeout.ms": 5000, "request.timeout.ms": 5000,
        "socket.timeout.ms": 5000, "log_level": 0, "security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "me", "sasl.password": "secret", "ssl.ca.location": str(authority),
        "enable.ssl.certificate.verification": True,
    }  # fmt: skip
