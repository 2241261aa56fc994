"""What this process is told in another tongue than OTLP enters the pipelines here, as the OTLP of a native run."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from runmill._version import __version__
from runmill.collector.component import Batch, Consumer, Signal
from runmill.errors import Refused, Rejected
from runmill.journal.records import EVENT, POINT, Record, RunIdentity, run_key
from runmill.model import Statement
from runmill.otlp.encode import encode_logs, encode_metrics, encode_resource
from runmill.otlp.journalled import run_attributes

__all__ = ["Told"]

_SPEAKER: Final = {
    "telemetry.sdk.name": "runmill",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.version": __version__,
}


class Told:
    """Puts statements into the pipelines of a collector, once it is connected to one."""

    def __init__(self) -> None:
        self._consumers: Mapping[Signal, Consumer] | None = None

    def connect(self, consumers: Mapping[Signal, Consumer]) -> None:
        """Put what is told from now on into *consumers*, the heads of a receiver's pipelines."""
        self._consumers = consumers

    async def tell(self, statement: Statement) -> None:
        """Return once *statement* is safe. Raises Refused (tell it again later) or Rejected (never)."""
        batches = list(_batches(statement))
        consumers = [self._consumer(batch.signal) for batch in batches]
        await asyncio.gather(*(one.consume(batch) for one, batch in zip(consumers, batches, strict=True)))

    def _consumer(self, signal: Signal) -> Consumer:
        if self._consumers is None:
            raise Refused("the collector is starting. Send the same again in a moment.")
        if signal not in self._consumers:
            raise Rejected(f"no pipeline takes {signal}: add 'service.pipelines.{signal}' to the configuration.")
        return self._consumers[signal]


def _batches(statement: Statement) -> Iterator[Batch]:
    key = None
    if statement.run_id is not None:
        key = run_key(RunIdentity(statement.run_id, statement.experiment, None, None))
    if statement.event_name:
        event: Record = (EVENT, statement.time_unix_nano, key, statement.event_name, dict(statement.body), None)
        yield Batch("logs", encode_logs([event], _resource), 1, is_awaited=True)
    if statement.points:
        payload = encode_metrics(_points(statement, key), _resource)
        yield Batch("metrics", payload, len(statement.points), is_awaited=True)


def _points(statement: Statement, key: str | None) -> Iterator[Record]:
    for point in statement.points:
        yield (
            POINT,
            point.time_unix_nano,
            key,
            point.metric,
            point.kind,
            point.value,
            point.index,
            point.step,
            point.column,
            "",
        )


def _resource(key: str | None) -> bytes:
    return encode_resource({**_SPEAKER, **run_attributes(key)})
