"""``kafka``: one attempt to hand a batch to a Kafka cluster, taken once the brokers have acknowledged it."""

import asyncio
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runmill.collector.component import Batch
from runmill.collector.exporters.kafka_config import KafkaConfig
from runmill.errors import Refused, Rejected
from runmill.otlp.runs import PRODUCER_HEADER, SEQUENCE_HEADER

__all__ = ["KafkaSender"]

_POLL_SECONDS: Final = 0.1

# What the same bytes would meet again. Everything else passes, or is for a person to repair while the data waits.
_NEVER: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_MSG_SIZE)


class KafkaSender:
    """Sends each batch as one message, in its own bytes."""

    def __init__(self, config: KafkaConfig, *, exporter_id: str) -> None:
        self._config = config
        self._exporter_id = exporter_id
        self._producer: Producer | None = None
        self._waiting = set[asyncio.Future[KafkaError | None]]()
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Prepare; the brokers need not be there yet."""
        self._producer = Producer(self._config.client_settings())

    async def shutdown(self) -> None:
        """Wait for nothing more: what was not acknowledged is still in the queue before this."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
        if self._polling is not None:
            await self._polling

    async def consume(self, batch: Batch, /) -> None:
        """Return when the brokers have acknowledged *batch*. Raises Refused or Rejected, by what they say."""
        if self._producer is None:
            raise Refused("the exporter is not at work. Send the same data again later.")
        acknowledged = self._produce(self._producer, batch)
        self._waiting.add(acknowledged)
        acknowledged.add_done_callback(self._waiting.discard)
        if self._polling is None:
            self._polling = asyncio.create_task(
                self._poll(self._producer), name=f"{self._exporter_id} acknowledgements"
            )
        if (failure := await acknowledged) is not None:
            raise _outcome(failure, self._config)

    def _produce(self, producer: Producer, batch: Batch) -> "asyncio.Future[KafkaError | None]":
        """Put *batch* among the messages that go out, and give what its acknowledgement settles."""
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[KafkaError | None] = loop.create_future()

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(_settle, acknowledged, error)

        topic, headers = self._config.topic_of(batch.signal), self._headers(batch)
        try:
            producer.produce(topic, batch.payload, headers=headers, on_delivery=on_delivery)
        except BufferError as error:
            raise Refused("too many messages wait for the brokers. Send the same data again later.") from error
        except KafkaException as error:
            raise _outcome(error.args[0], self._config) from error
        return acknowledged

    async def _poll(self, producer: Producer) -> None:
        """Take acknowledgements in, as long as one is waited for: only a call of the client delivers them."""
        while self._waiting:
            await asyncio.to_thread(producer.poll, _POLL_SECONDS)
        self._polling = None

    def _headers(self, batch: Batch) -> list[tuple[str, str | bytes | None]]:
        headers: list[tuple[str, str | bytes | None]] = [*self._config.record_headers.items()]
        if batch.producer is not None:
            headers += [(PRODUCER_HEADER, batch.producer.producer_id), (SEQUENCE_HEADER, str(batch.producer.sequence))]
        return headers


def _settle(acknowledged: "asyncio.Future[KafkaError | None]", error: KafkaError | None) -> None:
    if not acknowledged.done():  # its sender may have gone
        acknowledged.set_result(error)


def _outcome(error: KafkaError, config: KafkaConfig) -> Refused | Rejected:
    text = f"Kafka at {', '.join(config.brokers)} did not take a batch: {error.str()}."
    return Rejected(text) if error.code() in _NEVER else Refused(text)
